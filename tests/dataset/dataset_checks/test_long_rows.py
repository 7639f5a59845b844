"""Rows longer than a base takes in training: one warning, at the worst, with what the service does to them."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.dataset import MeasureCache, measure
from reconciler.dataset.dataset_checks import long_rows
from reconciler.dataset.tokens import Vocabulary
from reconciler.domain.cost import LengthLimit, find_length_limit
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.prepare import DropLong, Preparation
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Turn
from reconciler.specfile import read_prices
from tests.dataset.factories import a_chat, a_spec, chats, jsonl, write

LIMIT = LengthLimit(bases=("some-base",), tokens=200, over="The service cuts it at its end.")


def warnings(directory: Path, *rows: dict[str, object], limit: LengthLimit | None = LIMIT) -> list[Problem]:
    spec = a_spec(write(directory, "rows.jsonl", jsonl([*chats(12), *rows])))
    return [each for each in measure(spec, directory, length=limit).warnings if each.rule == "rows.too-long"]


def test_one_warning_names_the_worst_row_and_the_number_of_them(tmp_path: Path) -> None:
    long, longer = (a_chat("q", "word " * count) for count in (300, 500))
    (found,) = warnings(tmp_path, long, longer, a_chat("q", "short"))
    assert found.severity is Severity.WARNING
    assert found.where.line == 14
    assert "2 of 15 rows are longer than 200 tokens, which some-base takes in training" in found.what
    assert found.what.endswith("The service cuts it at its end.")
    assert "drop_long: {characters: 1500}" in found.hint
    assert "other" not in found.hint.partition("steps")[2]


DENSE = "字 ж𝄞 " * 400
HINTED = re.compile(r"drop_long: \{characters: (\d+)\}")
COUNTED = Vocabulary("one-a-byte", lambda texts: [len(text.encode()) for text in texts])
MAPPED = ColumnMapping(turns=(Turn(role="system", content="S" * 150), Turn(role="user", content="{q} and {q}")))


@pytest.mark.parametrize("vocabulary", [None, COUNTED], ids=["estimated", "counted"])
@pytest.mark.parametrize(
    "long",
    [
        a_chat("q", "x " * 500),
        a_chat("q", DENSE),
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 60},
    ],
    ids=["prose", "many bytes a character", "many short turns"],
)
def test_the_hint_drops_every_long_row_when_it_is_followed(
    tmp_path: Path, vocabulary: Vocabulary | None, long: dict[str, object]
) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([*chats(12), long, a_chat("q", "y " * 700)])))
    assert_the_hint_works(spec, tmp_path, vocabulary, rows=12)


def test_the_hint_counts_what_a_mapping_adds(tmp_path: Path) -> None:
    mapping = replace(MAPPED, turns=(*MAPPED.turns, Turn(role="assistant", content="{a}")))
    rows = [{"q": f"question {at}", "a": f"answer {at}"} for at in range(12)]
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([*rows, {"q": "word " * 90, "a": "b"}])), mapping=mapping)
    assert_the_hint_works(spec, tmp_path, COUNTED, rows=12, limit=400)


def test_the_hint_tells_how_many_other_rows_it_drops(tmp_path: Path) -> None:
    (found,) = warnings(tmp_path, a_chat("q", DENSE), a_chat("q", "A" * 2400), limit=replace(LIMIT, tokens=700))
    assert "that drops 1 other row of as many characters, too" in found.hint


def assert_the_hint_works(
    spec: DatasetSpec, workspace: Path, vocabulary: Vocabulary | None, *, rows: int, limit: int = 200
) -> None:
    length = replace(LIMIT, tokens=limit)
    before = measure(spec, workspace, length=length, vocabulary=vocabulary)
    (found,) = (each for each in before.warnings if each.rule == "rows.too-long")
    bound = HINTED.search(found.hint)
    assert bound
    followed = replace(spec, prepare=(Preparation(operation=DropLong(characters=int(bound[1])), place=spec.place),))
    after = measure(followed, workspace, length=length, vocabulary=vocabulary)
    assert not [each for each in after.warnings if each.rule == "rows.too-long"]
    assert after.training.rows == rows


def test_without_a_limit_or_a_long_row_there_is_no_warning(tmp_path: Path) -> None:
    assert not warnings(tmp_path, a_chat("q", "word " * 120))
    assert not warnings(tmp_path, a_chat("q", "word " * 500), limit=None)


def test_an_image_is_not_text(tmp_path: Path) -> None:
    url = "data:image/png;base64," + "iVBORw0KGgoAAAAN" * 1000
    row = a_chat("q", "a cat")
    row["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": url}}]  # type: ignore[index]
    assert not warnings(tmp_path, row)


def test_tokens_of_short_rows_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[bytes] = []
    decode = long_rows._decode

    def count(line: bytes) -> object:
        counted.append(line)
        return decode(line)

    monkeypatch.setattr(long_rows, "_decode", count)
    warnings(tmp_path, a_chat("q", "word " * 300), *(a_chat(f"question {n}", "short") for n in range(500)))
    assert len(counted) == 1


def test_a_measure_of_another_limit_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([*chats(6000), a_chat("q", "word " * 300)])))
    cache = MeasureCache(tmp_path / "cache", clock=lambda: 2**62)
    found = [len(measure(spec, tmp_path, cache=cache, length=limit).warnings) for limit in (None, LIMIT, None, LIMIT)]
    assert found == [0, 1, 0, 1]


def test_the_tightest_limit_of_several_bases_counts() -> None:
    tables = read_prices("openai")
    limit = find_length_limit({"gpt-4o-2024-08-06", "gpt-3.5-turbo-0125", "unknown"}, tables)
    assert limit
    assert (limit.bases, limit.tokens) == (("gpt-3.5-turbo-0125",), 16_385)
    tuned = find_length_limit({"ft:gpt-4o-2024-08-06:acme::1"}, tables)
    assert tuned
    assert tuned.tokens == 65_536
    assert find_length_limit({"unknown"}, tables) is None
    assert find_length_limit({"tfidf-logreg"}, read_prices("local")) is None
    assert find_length_limit({"ada"}, read_prices("openai-legacy")) is not None
