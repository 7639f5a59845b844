"""Annotations, summary and outputs of a GitHub job: bounded, the worst first, and no value ends itself."""

import json
import re
from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.domain.cost import Cost
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.render.review import (
    MOST_SUMMARY_BYTES,
    annotations_text,
    outputs_text,
    plan_outputs,
    review_markdown,
    summary_text,
)
from tests.render.examples import PLANS, TRIAGE, a_plan, costing, first_train
from tests.render.reviews import BASIS, BLANK, HOSTILE, REVIEWS, a_review, hostile
from tests.render.test_review import a_large_review

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:\n]*,?)*)::([^\n]*)")


def a_problem(number: int, severity: Severity, rule: str = "chat.blank") -> Problem:
    """A problem on a line of its own."""
    return replace(BLANK, where=Place(file="data/a,b:c.csv", line=number), severity=severity, rule=rule)


def test_a_problem_is_annotated_on_its_line() -> None:
    problem = replace(BLANK, what="100% wrong\nreally", where=Place(file="data/a,b:c.csv", line=3, column=7), hint="")

    assert annotations_text(a_review(a_plan(), problems=(problem,))) == (
        "::warning file=data/a%2Cb%3Ac.csv,line=3,col=7,title=chat.blank::messages[1].content: 100%25 wrong\\nreally\n"
    )


def test_refusals_are_errors_and_a_quiet_plan_says_nothing() -> None:
    text = annotations_text(a_review(PLANS["refused"]))

    assert text.startswith("::error title=Refused%3A max_new_jobs::2 jobs would be created")
    assert annotations_text(a_review(PLANS["no-changes"])) == ""


@pytest.mark.parametrize("number", [10, 11, 500])
def test_there_are_ten_of_a_level_at_most_and_the_others_are_counted(number: int) -> None:
    problems = tuple(a_problem(each, severity) for severity in Severity for each in range(number))

    commands = COMMAND.findall(annotations_text(a_review(a_plan(), problems=problems, unshown=number - 10)))

    levels = [level for level, _, _ in commands]
    assert levels == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    if number > 10:
        assert commands[-1][2].startswith(
            f"{2 * (number - 10):,} more of level error, {number - 10:,} more of level warning"
        )
        assert f"{number - 9:,} more of level notice" in commands[-1][2]
    else:
        assert "more of level" not in commands[-1][2]


def test_one_rule_does_not_hide_the_others() -> None:
    many = tuple(a_problem(each, Severity.ERROR, "chat.blank") for each in range(50))
    one = a_problem(99, Severity.ERROR, "chat.roles")

    text = annotations_text(a_review(a_plan(), problems=(*many, one)))

    assert text.splitlines()[1].startswith("::error file=data/a%2Cb%3Ac.csv,line=99")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_ends_its_command_or_begins_another(text: str) -> None:
    lines = annotations_text(hostile(text)).splitlines()

    assert lines
    for line in lines:
        found = COMMAND.fullmatch(line)
        assert found, line
        assert "##[" not in line
        assert not re.search(r"(?:^|\s)::", found[3])


def test_the_summary_holds_as_much_as_fits() -> None:
    review = a_large_review()
    whole = summary_text(review)

    assert whole.strip() == review_markdown(review).strip()
    assert len(whole.encode()) <= MOST_SUMMARY_BYTES
    short = summary_text(review, MOST_SUMMARY_BYTES - 200_000)
    assert 0 < len(short.encode()) <= 200_000
    assert whole.startswith(short[:1000])
    assert summary_text(review, MOST_SUMMARY_BYTES - 100) == ""


def test_the_outputs_are_what_workflows_ask_for() -> None:
    values = plan_outputs(REVIEWS["rows-changed"], 2, "tonight.plan")

    assert {name: values[name] for name in ("has_changes", "exitcode", "to_upload", "to_train", "plan", "basis")} == {
        "has_changes": "true",
        "exitcode": "2",
        "to_upload": "1",
        "to_train": "1",
        "plan": "tonight.plan",
        "basis": BASIS,
    }
    assert (values["cost_low"], values["cost_expected"], values["cost_high"]) == ("4.80", "4.80", "4.80")
    assert json.loads(values["models"]) == {"support-triage": "ft:gpt-4.1-mini-2025-04-14:acme:support-triage:AxK9"}


def test_a_price_that_is_unknown_is_empty_and_never_zero() -> None:
    plan = a_plan(costing(first_train(TRIAGE), Cost(low=Decimal(4), unknown="no price is known")))
    values = plan_outputs(a_review(plan), 0)

    assert (values["cost_low"], values["cost_expected"], values["cost_high"]) == ("4.00", "", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_ends_its_own_output(text: str) -> None:
    values = plan_outputs(hostile(text), 5)
    written = outputs_text(values, "0f0f")

    read = re.findall(r"(\w+)<<end_0f0f\n(.*?)\nend_0f0f\n", written, re.DOTALL)
    assert dict(read) == dict(values)


def test_a_value_with_the_word_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="contains the word that ends it"):
        outputs_text({"verdict": "a\nend_0f0f\nbasis<<x"}, "0f0f")


@pytest.mark.parametrize("name", ["invalid", "failed"])
def test_what_is_not_known_is_empty_and_never_no_changes(name: str) -> None:
    failed = replace(REVIEWS["no-changes"], failure="The service failed: no answer")
    outputs = plan_outputs(failed if name == "failed" else REVIEWS["invalid"], 1)
    assert (outputs["has_changes"], outputs["state"]) == ("true", name)
    counts = ("to_upload", "to_train", "to_cancel", "to_delete", "kept", "refused")
    assert {outputs[each] for each in (*counts, "cost_low", "cost_expected", "cost_high")} == {""}


def test_something_wanted_that_is_missing_is_a_change() -> None:
    outputs = plan_outputs(REVIEWS["waiting"], 2)
    assert (outputs["has_changes"], outputs["state"]) == ("true", "waiting")
    assert json.loads(outputs["blocked"])
