"""A plan as a JUnit report, for systems that show test results: what is wrong or refused fails, and what waits for a
decision is skipped. Steps that are planned pass: a change is no failure.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.plan import Keep, Plan, Step
from reconciler.render.escape import html_text
from reconciler.render.review.model import Review
from reconciler.render.steps import action_word, is_retrain
from reconciler.render.terminal.kept import needs_decision

MOST_FINDINGS = 1000
"""Findings of one file that are written out; the others are counted."""


class JUnitCase(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a report; without an end it passed.

    Shape:  `said` in a few words, `lines` at length; all texts as they came
    """

    name: str
    end: Literal["", "failure", "skipped"] = ""
    said: str = ""
    lines: tuple[str, ...] = ()


def junit_text(review: Review) -> str:
    """Return a review as JUnit XML, ended by a newline.

    Shape:  suites `checks` (a case a file that something is said of), `plan` (a case a step), `guards` (a case a
            refusal) and `kept` (a case a thing that stays)
    """
    suites = {
        "checks": (*_of_files(review.problems), *_of_unshown(review.unshown)),
        "plan": (*map(_of_step, review.plan.steps), *_of_warnings(review.plan)),
        "guards": tuple(
            JUnitCase(name=each.policy, end="failure", said=each.what, lines=(each.hint,))
            for each in review.plan.refused
        ),
        "kept": tuple(map(_of_keep, review.plan.kept)),
    }
    return _report(suites, review.environment)


def _of_files(problems: Sequence[Problem]) -> Iterator[JUnitCase]:
    for file, each in groupby(sorted(problems), key=lambda problem: problem.where.file):
        found = tuple(each)
        errors = sum(problem.severity is Severity.ERROR for problem in found)
        lines = [_line(problem) for problem in found[:MOST_FINDINGS]]
        if len(found) > MOST_FINDINGS:
            lines.append(f"… and {len(found) - MOST_FINDINGS} more")
        said = f"{errors} of {len(found)} findings are errors" if errors else ""
        yield JUnitCase(name=file, end="failure" if errors else "", said=said, lines=tuple(lines))


def _of_unshown(unshown: int) -> Iterator[JUnitCase]:
    if unshown:
        yield JUnitCase(name="more", end="failure", said=f"{unshown} more problems are not in this list")


def _line(problem: Problem) -> str:
    hint = f" (hint: {problem.hint})" if problem.hint else ""
    return f"{problem.severity}: {problem}{hint}"


def _of_step(step: Step) -> JUnitCase:
    word = "retrain" if is_retrain(step) else action_word(step.action)
    changes = (f"{each.field}: {each.before or '(not set)'} → {each.after or '(not set)'}" for each in step.changes)
    cost = (f"cost: {step.estimate.cost}",) if step.estimate else ()
    return JUnitCase(name=f"{word} {step.action.address}", lines=(*changes, *cost))


def _of_warnings(plan: Plan) -> Iterator[JUnitCase]:
    if plan.warnings:
        yield JUnitCase(name="warnings", lines=plan.warnings)


def _of_keep(keep: Keep) -> JUnitCase:
    facts = (keep.job or "", str(keep.status or ""), keep.model or "", keep.detail, keep.hint)
    # Nothing goes on until somebody decides; yet the plan itself succeeds, and so does its check.
    end: Literal["", "skipped"] = "skipped" if needs_decision(keep) else ""
    return JUnitCase(name=str(keep.address), end=end, said=f"{keep.why}: {keep.hint}", lines=tuple(filter(None, facts)))


def _report(suites: Mapping[str, Sequence[JUnitCase]], environment: str) -> str:
    every = [case for cases in suites.values() for case in cases]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="reconciler" {_counts(every)}>',
        *(line for name, cases in suites.items() if cases for line in _suite(name, cases, environment)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _counts(cases: Sequence[JUnitCase]) -> str:
    ends = [case.end for case in cases]
    return f'tests="{len(ends)}" failures="{ends.count("failure")}" errors="0" skipped="{ends.count("skipped")}"'


def _suite(name: str, cases: Sequence[JUnitCase], environment: str) -> Iterator[str]:
    full = html_text(".".join(filter(None, ("reconciler", environment, name))))
    yield f'  <testsuite name="{full}" {_counts(cases)}>'
    for case in cases:
        yield f'    <testcase classname="{full}" name="{html_text(case.name)}">'
        body = "\n".join(html_text(line) for line in case.lines if line)
        if case.end == "failure":
            yield f'      <failure message="{html_text(case.said)}">{body}</failure>'
        elif case.end == "skipped":
            yield f'      <skipped message="{html_text(case.said)}"/>'
        if body and case.end != "failure":
            yield f"      <system-out>{body}</system-out>"
        yield "    </testcase>"
    yield "  </testsuite>"
