"""SARIF for code scanning, and JUnit for systems that show test results."""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.plan import KeepReason, Refusal
from reconciler.render.review import (
    MOST_FINDINGS,
    MOST_RESULTS,
    Review,
    annotations_text,
    empty_plan,
    junit_text,
    plan_outputs,
    sarif_text,
)
from reconciler.specfile.yaml import read_yaml
from tests.render import examples

HOSTILE = "]]></failure><x/> \x1b[2J\u202e ##[error]no\n::error::no \ud800"
WARNED = replace(examples.a_plan(), warnings=("model/unknown: no price is known",))


def a_problem(line: int = 1, what: str = "row is wrong", **more: Any) -> Problem:
    return Problem(where=Place(file="data/tickets.jsonl", line=line), what=what, rule="rows.wrong", **more)


def run_of(review: Review, meanings: dict[str, str] | None = None) -> Any:
    """The one run of a log."""
    log = json.loads(sarif_text(review, meanings))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def prints(*problems: Problem) -> list[str]:
    results = run_of(Review(plan=examples.a_plan(), problems=problems))["results"]
    return [each["partialFingerprints"]["primaryLocationLineHash"] for each in results]


def test_findings_have_a_rule_a_place_and_the_worst_come_first() -> None:
    run = run_of(
        Review(plan=examples.a_plan(), problems=examples.PROBLEMS[::-1]), {"chat.last-turn": "It must come last."}
    )
    rules = run["tool"]["driver"]["rules"]

    assert [each["level"] for each in run["results"]] == ["error", "error", "error", "warning"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    assert {each["id"]: each["help"]["text"] for each in rules} == {
        "chat.last-turn": "It must come last.",
        "rows.duplicate": "rows: duplicate",
        "spec.minimum": "spec: minimum",
        "spec.unknown-key": "spec: unknown key",
    }
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "specs/models/triage.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 4, "startColumn": 11}
    assert run["results"][2]["message"]["text"] == "unknown key epoch. Hint: did you mean n_epochs?"


def test_a_finding_of_a_whole_file_is_shown_at_its_first_line() -> None:
    (result,) = run_of(Review(plan=examples.a_plan(), problems=(a_problem(line=0),)))["results"]

    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_refusals_and_warnings_of_the_plan_are_findings_too() -> None:
    refused = run_of(Review(plan=examples.PLANS["refused"], root="specs"))["results"]
    warned = run_of(Review(plan=examples.PLANS["several-models"], root="specs"))["results"]

    assert [each["ruleId"] for each in refused] == ["plan.refused.max_new_jobs", "plan.refused.bulk-change"]
    assert {each["level"] for each in refused} == {"error"}
    assert "--allow bulk-change" in refused[1]["message"]["text"]
    blocked = [each for each in warned if each["ruleId"].startswith("plan.blocked.")]
    assert [(each["ruleId"], each["level"]) for each in blocked] == [("plan.blocked.failed", "error")]
    warned = [each for each in warned if each not in blocked]
    assert [each["level"] for each in warned] == ["warning", "warning"]
    at = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in (*refused, *warned)]
    assert set(at) == {"specs/models.yaml"}


def test_a_warning_about_no_file_is_shown_at_the_root() -> None:
    (result,) = run_of(Review(plan=WARNED, root="specs/prod"))["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/prod"


def test_a_guard_names_the_flag_to_continue_where_its_hint_does_not() -> None:
    refusal = Refusal(policy="cut-list", guard="cut-list", what="a list is cut", hint="run again")
    (result,) = run_of(Review(plan=examples.a_plan(refused=(refusal,))))["results"]

    assert result["message"]["text"] == "a list is cut. Hint: run again; to proceed anyway, add --allow cut-list"


def test_a_finding_that_only_moved_is_the_same_finding() -> None:
    before = prints(a_problem(17, "row 17 is wrong"), a_problem(40, "row 40 is wrong"))
    after = prints(a_problem(18, "row 18 is wrong"), a_problem(41, "row 41 is wrong"))

    assert before == after
    assert len(set(before)) == 2
    assert prints(a_problem(what="another")) != prints(a_problem())
    assert prints(replace(a_problem(), rule="rows.other")) != prints(a_problem())


def test_environments_and_roots_have_different_categories() -> None:
    reviews = [Review(plan=WARNED, environment=env, root=root) for env in ("", "prod") for root in ("", "a/b", "a")]

    assert len({run_of(each)["automationDetails"]["id"] for each in reviews}) == len(reviews)


def test_more_findings_than_code_scanning_keeps_are_counted() -> None:
    problems = tuple(a_problem(line, severity=Severity.WARNING) for line in range(1, MOST_RESULTS + 10))
    run = run_of(Review(plan=examples.a_plan(), problems=(*problems, a_problem(9_999)), unshown=5))

    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["level"] == "error"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("15 more findings")


def test_file_names_are_used_as_addresses_only() -> None:
    problem = replace(a_problem(), where=Place(file="data/ä b%41?#\u202e\ud800.jsonl", line=1))
    (result,) = run_of(Review(plan=examples.a_plan(), problems=(problem,)))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert re.fullmatch(r"[A-Za-z0-9._/%-]+", uri)
    assert uri.startswith("data/%C3%A4%20b%2541%3F%23")


def suites(review: Review) -> dict[str, Any]:
    """The suites of a report by name, its counts found right."""
    root = ET.fromstring(junit_text(review))
    for holder in (root, *root):
        cases = list(holder.iter("testcase"))
        assert int(holder.attrib["tests"]) == len(cases)
        assert int(holder.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
        assert int(holder.attrib["skipped"]) == sum(case.find("skipped") is not None for case in cases)
    return {each.attrib["name"]: each for each in root}


@pytest.mark.parametrize("name", examples.PLANS)
def test_only_what_is_wrong_or_refused_fails(name: str) -> None:
    """A plan that changes things is no failed test."""
    plan = examples.PLANS[name]
    failed = [each for suite in suites(Review(plan=plan)).values() for each in suite.iter("failure")]

    assert len(failed) == len(plan.refused)


def test_a_step_that_waits_for_a_decision_is_skipped_with_a_reason() -> None:
    kept = suites(Review(plan=examples.PLANS["failed"]))["reconciler.kept"]
    skipped = {case.attrib["name"]: case.find("skipped") for case in kept}

    assert skipped["model/billing-bot"].attrib["message"].startswith("failed: change the spec or the data")
    assert skipped["model/support-triage"] is None


def test_a_file_with_errors_fails_and_one_with_warnings_does_not() -> None:
    """Findings of specs and rows, where they stop a plan."""
    problems = (*examples.PROBLEMS[:2], examples.PROBLEMS[3])
    found = suites(Review(plan=empty_plan("1.0"), problems=problems, unshown=4, environment="prod"))
    checks = found["reconciler.prod.checks"]
    failures = {case.attrib["name"]: case.find("failure") for case in checks}

    assert failures["data/tickets.jsonl"] is None
    assert failures["specs/models/triage.yaml"].attrib["message"] == "2 of 2 findings are errors"
    assert "did you mean n_epochs?" in failures["specs/models/triage.yaml"].text
    assert failures["more"].attrib["message"] == "4 more problems are not in this list"


def test_steps_say_why_they_are_there() -> None:
    planned = suites(Review(plan=examples.PLANS["several-models"]))["reconciler.plan"]
    outputs = {case.attrib["name"]: case.findtext("system-out") or "" for case in planned}

    assert "hyperparameters.n_epochs: 2 → 3" in outputs["retrain model/support-triage"]
    assert "shuts down on 2027-01-06" in outputs["warnings"]


def test_a_file_with_very_many_findings_is_cut_and_says_so() -> None:
    problems = tuple(a_problem(line) for line in range(1, MOST_FINDINGS + 12))
    text = junit_text(Review(plan=examples.a_plan(), problems=problems))

    assert "… and 11 more" in text
    assert f"{len(problems)} of {len(problems)} findings are errors" in text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_a_report_or_acts_in_a_log(text: str) -> None:
    for hostile in (text, HOSTILE + text):
        problem = Problem(where=Place(file=hostile, line=1), what=hostile, path=hostile, hint=hostile, rule=hostile)
        refusal = Refusal(policy=hostile, what=hostile, hint=hostile, guard=hostile)
        plan = examples.a_plan(refused=(refusal,), warnings=(hostile,))
        review = Review(plan=plan, problems=(problem,), environment=hostile, root=hostile, commit=hostile)
        report, log = junit_text(review), sarif_text(review)

        assert len(suites(review)) == 3
        assert len(run_of(review)["results"]) == 3
        for output in (report, log):
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800-\udfff]|##\[|^\s*::", output, re.MULTILINE)


def test_a_model_that_waits_is_a_finding_at_its_spec() -> None:
    place = Place(file="specs/triage.yaml", line=4, column=3)
    for why, level in ((KeepReason.FAILED, "error"), (KeepReason.MISSING, "error"), (KeepReason.BUSY, "warning")):
        kept = examples.keep("triage", why, hint="decide")
        review = Review(plan=examples.a_plan(kept=(kept,)), places={kept.address: place})
        (result,) = run_of(review)["results"]
        assert (result["ruleId"], result["level"]) == (f"plan.blocked.{why}", level)
        assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 4, "startColumn": 3}
        assert f"::{level} file=specs/triage.yaml,line=4" in annotations_text(review)
        assert json.loads(plan_outputs(review, 2)["blocked"]) == {"triage": str(why)}


@pytest.mark.parametrize(
    ("changed", "successful"),
    [
        ({}, True),
        ({"exit_code": 2}, True),
        ({"exit_code": 5, "is_success": False}, False),
        ({"failure": "The service failed: no answer"}, False),
        ({"problems": (a_problem(),)}, False),
    ],
    ids=["ended well", "changes", "refused", "no plan", "invalid"],
)
def test_a_run_is_successful_only_where_it_was(changed: dict[str, Any], successful: bool) -> None:
    (invocation,) = run_of(Review(plan=examples.a_plan(), **changed))["invocations"]
    assert invocation["executionSuccessful"] is successful
    assert invocation["exitCode"] == changed.get("exit_code", 0)


def test_columns_count_code_points() -> None:
    """A column of YAML, of a row and of a cell: a character beyond the first 65,536 of Unicode counts once."""
    text = 'kind: Model\nname: "\U0001f600\U0001f600", oops: 1\n'
    (problem,) = read_yaml(text.encode(), "a.yaml").problems[:1]
    assert text.splitlines()[problem.where.line - 1][problem.where.column - 1 :].startswith(",")
    assert run_of(Review(plan=examples.a_plan(), problems=(problem,)))["columnKind"] == "unicodeCodePoints"


def test_the_report_of_an_apply_that_did_not_succeed_is_red() -> None:
    held = replace(examples.READY, why=KeepReason.FAILED, hint="", detail="")
    plan = replace(examples.a_plan(), steps=(), kept=(held,), refused=(), warnings=())
    for is_success, failures in ((True, "0"), (False, "1")):
        root = ET.fromstring(junit_text(Review(plan=plan, exit_code=0 if is_success else 6, is_success=is_success)))
        assert root.get("failures") == failures
        skipped = root.find(".//skipped")
        assert skipped is not None
        assert "failed" in skipped.attrib["message"].removeprefix("failed: ")
