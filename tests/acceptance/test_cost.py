"""What a user sees of money: a cost in the plan, a budget that holds, a saved plan that remembers its price."""

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository

ROOT = "specs/quickstart"


def prices(repository: Repository, usd: str, *, base: str = "tfidf-logreg", path: str = "prices.yaml") -> Path:
    """Let the built-in service cost something."""
    repository.write(
        path,
        "kind: Prices\nservice: local\ndated: 2026-11\nsource: a price list\nrates:\n"
        f"  - {{bases: [{base}], methods: [supervised], usd: {usd}, per: million-tokens}}\n",
    )
    return repository.root / path


def budget(repository: Repository, policy: str) -> None:
    """Bound what a run may spend."""
    project = f"{ROOT}/project.yaml"
    repository.write(project, f"{repository.read(project)}policy: {{{policy}}}\n")


def test_the_built_in_service_says_that_it_is_free(quickstart: Repository) -> None:
    said = quickstart.run("plan", ROOT)
    assert "Cost: free (the built-in service bills nothing)" in said.out
    plan = json.loads(quickstart.run("plan", ROOT, "--json").out)
    assert (plan["cost"]["low_usd"], plan["cost"]["high_usd"]) == (0, 0)


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_prices_of_ones_own_count(quickstart: Repository, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    own = prices(quickstart, "1000")
    flags = ["--prices", str(own)]
    if way == "variable":
        monkeypatch.setenv("RECONCILER_PRICES", str(own))
        flags = []
    plan = json.loads(quickstart.run("plan", ROOT, "--json", *flags).out)
    (upload, train) = plan["steps"]
    size, estimate = upload["dataset"]["size_bytes"], train["estimate"]
    # 200 rows: 4,000 // 200 epochs are 20, which is the most; a thousand dollars for a million tokens.
    assert (estimate["epochs"], estimate["epochs_stated"]) == (20, False)
    assert estimate["cost"]["high_usd"] == pytest.approx((size + 1) // 2 * 20 / 1000)
    assert plan["cost"] == estimate["cost"]
    text = quickstart.run("plan", ROOT, *flags).out
    assert f"tokens   = {size // 10:,}–{(size + 1) // 2:,} (estimate) × 20 epochs (auto)" in text
    assert "(a price list, 2026-11)" in text


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("max_cost_usd: 0.5", "max_cost_usd: the jobs would cost"),
        ("max_epochs: 19", "max_epochs: model/support-triage would take 20 epochs"),
        ("max_bytes: 10", "max_bytes: "),
    ],
)
def test_a_plan_beyond_a_bound_is_shown_refused_and_sends_nothing(
    quickstart: Repository, policy: str, says: str
) -> None:
    budget(quickstart, policy)
    own = str(prices(quickstart, "1000"))
    shown = quickstart.run("plan", ROOT, "--prices", own)
    assert shown.code == 5
    assert says in shown.out
    assert quickstart.run("apply", ROOT, "--auto-approve", "--prices", own).code == 5
    assert json.loads(quickstart.run("files", "--json", "--provider", "local").out) == []


def test_within_the_bounds_it_goes(quickstart: Repository) -> None:
    budget(quickstart, "max_cost_usd: 0, max_epochs: 20, max_bytes: 1000000")
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    again = quickstart.run("plan", ROOT)
    assert (again.code, "No changes." in again.out, "Cost" in again.out) == (0, True, False)


def test_a_bound_of_the_operators_own_misspelling_is_told(quickstart: Repository) -> None:
    budget(quickstart, "max_cost_usd: twenty, max_epoch: 3")
    said = quickstart.run("plan", ROOT)
    assert said.code == 3
    assert "must be a number" in said.err
    assert "did you mean 'max_epochs'?" in said.err


def test_a_saved_plan_stands_while_its_price_does(quickstart: Repository) -> None:
    own = str(prices(quickstart, "1"))
    assert quickstart.run("plan", ROOT, "--prices", own, "--out", "tonight.plan").code == 0
    saved = json.loads(quickstart.read("tonight.plan"))
    assert saved["plan"]["cost"]["source"] == "a price list"

    prices(quickstart, "2")
    dearer = quickstart.run("apply", "tonight.plan", "--prices", own)
    assert (dearer.code, "the prices moved" in dearer.err) == (4, True)
    forgotten = quickstart.run("apply", "tonight.plan")
    assert forgotten.code == 4

    prices(quickstart, "1.00")
    assert quickstart.run("apply", "tonight.plan", "--prices", own).code == 0


def test_a_price_of_another_base_makes_no_saved_plan_stale(quickstart: Repository) -> None:
    assert quickstart.run("plan", ROOT, "--out", "tonight.plan").code == 0
    other = str(prices(quickstart, "3", base="another"))
    assert quickstart.run("apply", "tonight.plan", "--prices", other).code == 0


def test_a_prices_file_that_is_wrong_or_missing_stops_before_anything_is_sent(quickstart: Repository) -> None:
    quickstart.write("prices.yaml", "kind: Prices\nservice: local\ndated: 2026\nsource: a\nrates: 7\n")
    wrong = quickstart.run("plan", ROOT, "--prices", "prices.yaml")
    assert (wrong.code, "prices.yaml:5:8  rates: must be" in wrong.err) == (3, True)
    missing = quickstart.run("plan", ROOT, "--prices", "nowhere.yaml")
    assert (missing.code, "nowhere.yaml is not a file" in missing.err) == (64, True)


def test_a_prices_file_that_is_missing_is_in_nobodys_way_who_pays_nothing(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_PRICES", "nowhere.yaml")
    assert quickstart.run("plan", ROOT).code == 64
    said = quickstart.run("cancel", "support-triage", "--specs", ROOT, "--auto-approve")
    assert "No job of support-triage is running." in said.err
