"""Price tables: those of the program agree with their schema, and those of an operator take precedence."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.domain.cost import AutoEpochs, Per, PriceTable
from reconciler.domain.errors import InputError, UsageError
from reconciler.providers import PROFILES
from reconciler.service.engines.tfidf_logreg import auto_epochs
from reconciler.specfile import read_own_prices, read_prices, schema_text
from reconciler.specfile.prices import SHIPPED

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"
HEAD = "| service | dated | base models | methods | USD |\n|---|---|---|---|--:|\n"
OWN = """\
kind: Prices
service: openai
dated: 2026-11-02
source: our contract
rates:
  - bases: [gpt-4.1]
    methods: [supervised]
    usd: 4.25
    per: million-tokens
    minimum_usd: 1
---
kind: Prices
service: elsewhere
dated: 2026
source: a list
free: it is ours
auto_epochs: {target: 2, most: 5.0}
"""


def shipped() -> dict[str, PriceTable]:
    return {path.stem: read_prices(path.stem)[0] for path in sorted(SHIPPED.iterdir())}


def usd(service: str, base: str, method: str = "supervised") -> tuple[str, Per]:
    """Return the price of a base in the program's own table."""
    (rate,) = [rate for rate in shipped()[service].rates if base in rate.bases and method in rate.methods]
    return f"{rate.usd:f}", rate.per


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_own_prices(own(tmp_path, text))
    return [str(problem).removeprefix(tmp_path.as_posix() + "/") for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(SHIPPED.iterdir()), ids=lambda path: path.stem)
def test_a_table_of_the_program_is_valid_as_an_operators_table(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator(json.loads(schema_text("prices"))).validate(content)
    assert content["service"] == path.stem
    assert read_own_prices(path) == read_prices(path.stem)


def test_every_profile_has_a_table_and_every_table_a_profile() -> None:
    # What a server of one's own costs is known to its owner alone, and what Azure asks for a base is not published.
    assert set(shipped()) == set(PROFILES) - {"azure", "compatible"}


def test_no_base_and_method_has_two_prices() -> None:
    for table in shipped().values():
        pairs = [(base, method) for rate in table.rates for base in rate.bases for method in rate.methods]
        assert len(pairs) == len(set(pairs))


def test_every_base_that_a_profile_can_train_has_a_price_or_is_free() -> None:
    for name, table in shipped().items():
        profile = PROFILES[name]
        priced = {base for rate in table.rates if "supervised" in rate.methods for base in rate.bases}
        assert table.free or profile.capabilities.bases <= priced


@pytest.mark.parametrize(
    ("service", "base", "price"),
    [
        # The published lists, in USD for a million tokens; of 2023 for a thousand: 0.0004, 0.0006, 0.0030, 0.0300.
        ("openai", "gpt-4.1-2025-04-14", "25.00"),
        ("openai", "gpt-4.1-mini-2025-04-14", "5.00"),
        ("openai", "gpt-4.1-mini", "5.00"),
        ("openai", "gpt-4o-mini-2024-07-18", "3.00"),
        ("openai", "babbage-002", "0.40"),
        ("openai-legacy", "ada", "0.40"),
        ("openai-legacy", "babbage", "0.60"),
        ("openai-legacy", "curie", "3.00"),
        ("openai-legacy", "davinci", "30.00"),
    ],
)
def test_prices_are_those_of_the_lists(service: str, base: str, price: str) -> None:
    assert usd(service, base) == (price, Per.TOKENS)


def test_reinforcement_is_by_the_hour() -> None:
    assert usd("openai", "o4-mini-2025-04-16", "reinforcement") == ("100.00", Per.HOUR)


@pytest.mark.parametrize("rows", [1, 10, 199, 200, 201, 999, 1_000, 1_333, 1_334, 5_000, 100_000])
def test_the_built_in_service_chooses_epochs_as_its_table_says(rows: int) -> None:
    rule = shipped()["local"].auto_epochs
    assert rule is not None
    assert rule.epochs_for(rows) == auto_epochs(rows)


def test_a_service_without_a_table_has_none() -> None:
    assert read_prices("nobody") == ()


def test_an_operators_table_takes_precedence_for_its_own_service_only(tmp_path: Path) -> None:
    first, second = read_prices("openai", own(tmp_path, OWN))
    assert (first.source, first.dated, second) == ("our contract", "2026-11-02", read_prices("openai")[0])
    assert (first.rates[0].usd, first.rates[0].minimum_usd) == (Decimal("4.25"), Decimal(1))
    (elsewhere,) = read_prices("elsewhere", own(tmp_path, OWN))
    assert (elsewhere.free, elsewhere.dated) == ("it is ours", "2026")
    assert elsewhere.auto_epochs == AutoEpochs(target=2, most=5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("usd: 4.25", "usd: -1"), "prices.yaml:8:10  rates[0].usd: must be"),
        (("usd: 4.25", "usd: cheap"), "prices.yaml:8:10  rates[0].usd: must be"),
        (("usd: 4.25", "usd: .nan"), "prices.yaml:8:10"),
        (("usd: 4.25", "usd: 1e300"), "prices.yaml:8:10  rates[0].usd: must be"),
        (("per: million-tokens", "per: token"), "prices.yaml:9:10  rates[0].per: must be"),
        (("methods: [supervised]", "methods: [sft]"), "prices.yaml:7:15  rates[0].methods[0]: must be"),
        (("minimum_usd", "minimum"), "unknown field, did you mean 'minimum_usd'?"),
        (("dated: 2026-11-02", "dated: yesterday"), "prices.yaml:3:8  dated: must be a date"),
        (("kind: Prices\nservice: openai", "kind: Price\nservice: openai"), "prices.yaml:1:7  kind: must be"),
        (("source: our contract\n", ""), "source: this is missing"),
    ],
)
def test_mistakes_in_a_table_are_reported_with_their_place(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    assert change[0] in OWN
    (problem,) = problems(tmp_path, OWN.replace(*change, 1))
    assert says in problem


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "\x00"])
def test_a_file_that_is_not_a_table_is_reported(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_an_empty_file_a_directory_and_a_missing_file_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no table"):
        read_own_prices(own(tmp_path, ""))
    for path in (tmp_path, tmp_path / "nowhere.yaml"):
        with pytest.raises(UsageError, match="is not a file; name one with --prices or RECONCILER_PRICES"):
            read_own_prices(path)


def test_an_endless_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    assert problems(tmp_path, "# " + "x" * 2_000_000)


def rows() -> str:
    lines = []
    for name, table in shipped().items():
        if table.free:
            lines.append(f"| `{name}` | {table.dated} | all | all | 0: {table.free} |")
        for rate in table.rates:
            bases, methods = (", ".join(f"`{each}`" for each in some) for some in (rate.bases, rate.methods))
            price = f"{rate.usd:f}" + (" an hour" if rate.per is Per.HOUR else "")
            lines.append(f"| `{name}` | {table.dated} | {bases} | {methods} | {price} |")
    return "\n".join(lines)


def test_the_page_shows_the_tables_as_they_are() -> None:
    before, head, rest = PAGE.read_text(encoding="utf-8").partition(HEAD)
    shown, end, after = rest.partition("\n\nThey are list prices")
    assert head
    assert end
    if os.environ.get("REFRESH_GOLDEN"):
        shown = rows()
        PAGE.write_text(before + head + shown + end + after, encoding="utf-8")
    assert shown == rows()


def test_the_example_table_of_the_page_is_valid(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (table,) = read_own_prices(own(tmp_path, text))
    assert table.rates[0].usd == Decimal("4.25")
