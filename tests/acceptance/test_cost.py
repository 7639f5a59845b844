"""What a user sees of costs: a cost in the plan, limits that are enforced, a saved plan that records its price."""

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import Repository

ROOT = "specs/quickstart"


def write_prices(repository: Repository, usd: str, *, base: str = "tfidf-logreg", path: str = "prices.yaml") -> Path:
    """Write a price list for the built-in service."""
    repository.write(
        path,
        "kind: Prices\nservice: local\ndated: 2026-11\nsource: a price list\nrates:\n"
        f"  - {{bases: [{base}], methods: [supervised], usd: {usd}, per: million-tokens}}\n",
    )
    return repository.root / path


def write_budget(repository: Repository, policy: str) -> None:
    """Write a policy that limits what a run may spend."""
    project = f"{ROOT}/project.yaml"
    repository.write(project, f"{repository.read(project)}policy: {{{policy}}}\n")


def test_the_built_in_service_says_that_it_is_free(quickstart: Repository) -> None:
    result = quickstart.run("plan", ROOT)
    assert "Cost: free (the built-in service bills nothing)" in result.out
    plan = json.loads(quickstart.run("plan", ROOT, "--json").out)
    assert (plan["cost"]["low_usd"], plan["cost"]["high_usd"]) == (0, 0)


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_prices_of_the_user_are_applied(quickstart: Repository, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    own = write_prices(quickstart, "1000")
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
def test_a_plan_beyond_a_limit_is_shown_as_refused_and_sends_nothing(
    quickstart: Repository, policy: str, says: str
) -> None:
    write_budget(quickstart, policy)
    own = str(write_prices(quickstart, "1000"))
    shown = quickstart.run("plan", ROOT, "--prices", own)
    assert shown.code == 5
    assert says in shown.out
    assert quickstart.run("apply", ROOT, "--auto-approve", "--prices", own).code == 5
    assert json.loads(quickstart.run("files", "--json", "--provider", "local").out) == []


def test_a_plan_within_its_limits_is_applied(quickstart: Repository) -> None:
    write_budget(quickstart, "max_cost_usd: 0, max_epochs: 20, max_bytes: 1000000")
    assert quickstart.run("apply", ROOT, "--auto-approve").code == 0
    again = quickstart.run("plan", ROOT)
    assert (again.code, "No changes." in again.out, "Cost" in again.out) == (0, True, False)


def test_a_misspelt_limit_is_reported(quickstart: Repository) -> None:
    write_budget(quickstart, "max_cost_usd: twenty, max_epoch: 3")
    result = quickstart.run("plan", ROOT)
    assert result.code == 3
    assert "must be a number" in result.err
    assert "did you mean 'max_epochs'?" in result.err


def test_a_saved_plan_is_valid_until_its_price_changes(quickstart: Repository) -> None:
    own = str(write_prices(quickstart, "1"))
    assert quickstart.run("plan", ROOT, "--prices", own, "--out", "tonight.plan").code == 0
    saved = json.loads(quickstart.read("tonight.plan"))
    assert saved["plan"]["cost"]["source"] == "a price list"

    write_prices(quickstart, "2")
    dearer = quickstart.run("apply", "tonight.plan", "--prices", own)
    assert (dearer.code, "the prices moved" in dearer.err) == (4, True)
    forgotten = quickstart.run("apply", "tonight.plan")
    assert forgotten.code == 4

    write_prices(quickstart, "1.00")
    assert quickstart.run("apply", "tonight.plan", "--prices", own).code == 0


def test_a_price_change_of_another_base_leaves_a_saved_plan_valid(quickstart: Repository) -> None:
    assert quickstart.run("plan", ROOT, "--out", "tonight.plan").code == 0
    other = str(write_prices(quickstart, "3", base="another"))
    assert quickstart.run("apply", "tonight.plan", "--prices", other).code == 0


def test_a_wrong_or_missing_price_list_is_an_error_before_anything_is_sent(quickstart: Repository) -> None:
    quickstart.write("prices.yaml", "kind: Prices\nservice: local\ndated: 2026\nsource: a\nrates: 7\n")
    wrong = quickstart.run("plan", ROOT, "--prices", "prices.yaml")
    assert (wrong.code, "prices.yaml:5:8  rates: must be" in wrong.err) == (3, True)
    missing = quickstart.run("plan", ROOT, "--prices", "nowhere.yaml")
    assert (missing.code, "nowhere.yaml is not a file" in missing.err) == (64, True)


def test_a_missing_price_list_does_not_stop_a_command_that_pays_nothing(
    quickstart: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_PRICES", "nowhere.yaml")
    assert quickstart.run("plan", ROOT).code == 64
    result = quickstart.run("cancel", "support-triage", "--specs", ROOT, "--auto-approve")
    assert "No job of support-triage is running." in result.err
