"""The table of docs/review.md: what was found, and what state, has_changes, exit code and the issue make of it."""

import re

import pytest
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.domain.plan import KeepReason
from reconciler.render.review import Review
from tests.acceptance.conftest import HERE
from tests.ci.outcomes import NOTHING, OUTCOMES, review_of_kept
from tests.render.reviews import REVIEWS

FOUND = {
    "everything is as the specs ask": (REVIEWS["no-changes"],),
    "the same, but not every model was looked at": (replace(REVIEWS["no-changes"], is_partial=True),),
    "there are steps to apply": (REVIEWS["first-apply"],),
    "a job trains what the specs want": (review_of_kept(KeepReason.TRAINING),),
    "a job of an older version still runs": (review_of_kept(KeepReason.BUSY),),
    "a wanted model failed, was cancelled or is missing": (
        review_of_kept(KeepReason.FAILED),
        review_of_kept(KeepReason.CANCELLED),
        review_of_kept(KeepReason.MISSING),
    ),
    "a policy or guard refuses": (REVIEWS["refused"],),
    "specs or rows are invalid": (REVIEWS["invalid"],),
    "the service did not answer": (replace(NOTHING, failure="The service failed: no answer"),),
}
FAILURES = {"specs or rows are invalid": exit_codes.INVALID, "the service did not answer": exit_codes.SERVICE}


def read_rows() -> dict[str, tuple[str, ...]]:
    """Return the rows of the table by what was found."""
    text = (HERE / "docs" / "review.md").read_text(encoding="utf-8")
    table = text.partition("| found |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]
    return {first: tuple(rest) for first, *rest in cells}


def words_of_issue() -> set[str]:
    text = (HERE / ".github" / "actions" / "reconcile" / "issue.py").read_text(encoding="utf-8")
    return set(re.findall(r'^    "([a-z]+)": "', text.partition("WORDS = {")[2].partition("}")[0], re.MULTILINE))


def describe(found: str, review: Review) -> tuple[str, ...]:
    code = FAILURES[found] if found in FAILURES else exit_codes.of_plan(review.plan, detailed=True)
    state = str(review.state)
    issue = "closed" if state == "settled" else "opened or updated" if state in words_of_issue() else "left as it is"
    return (state, str(review.has_changes).lower(), str(code), issue)


@pytest.mark.parametrize("found", FOUND)
def test_the_table_is_what_the_program_does(found: str) -> None:
    rows = read_rows()
    assert rows.keys() == FOUND.keys()
    assert {describe(found, review) for review in FOUND[found]} == {rows[found]}


def test_outcomes_of_plans_have_the_exit_codes_of_the_table() -> None:
    for outcome in OUTCOMES.values():
        if outcome.review and outcome.command == "plan":
            states = {(row[0], row[2]) for row in read_rows().values()}
            assert (str(outcome.review.state), str(outcome.code)) in states


@pytest.mark.parametrize("text", ["README.md", "reconciler/cli/app.py"])
def test_code_2_is_explained_without_the_model_that_a_job_makes(text: str) -> None:
    words = " ".join((HERE / text).read_text(encoding="utf-8").replace('"', "").split())
    assert "a wanted model is not there and no job makes it" in words
    assert "a wanted model is missing" not in words
