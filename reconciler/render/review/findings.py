"""Reports for other systems: SARIF 2.1.0 for code scanning, and JUnit XML for systems that show test results.

SARIF has the findings of the checks, the warnings and the refusals (Source: the OASIS standard, and what GitHub's code
scanning reads of it: a few thousand results of one run, each with a place and a fingerprint that stays when lines
move). In JUnit, findings and refusals fail, what waits for a decision is skipped, and planned steps pass.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.plan import Keep, KeepReason, Refusal, Step
from reconciler.render.json_output import Fields, json_document
from reconciler.render.plan_words import keep_sentence, name_step, needs_decision, refusal_hints
from reconciler.render.review.model import CONSEQUENCES, UNDONE, Review, StepResult, verdict_text
from reconciler.render.sanitize import clean, html_text, percent_encode

MOST_RESULTS = 5000
"""Results that code scanning keeps of one run; the worst come first, and the others are counted."""

MOST_FINDINGS = 1000
"""Findings of one file in JUnit; the others are counted."""


SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_WORST_FIRST = tuple(Severity)
_NUMBERS = re.compile(r"\d+")
_UNNAMED = "reconciler.finding"
_REFUSAL = "plan.refused."
_WARNING = "plan.warning"


def sarif_text(review: Review, meanings: Mapping[str, str] | None = None) -> str:
    """Return the findings of a review as a SARIF log with one run, ended by a newline.

    Shape:  `meanings` describe the rules by name; planned steps are no findings
    """
    ordered = sorted(_findings(review), key=lambda each: (_WORST_FIRST.index(each.severity), each))
    kept, more = ordered[:MOST_RESULTS], review.unshown + len(ordered[MOST_RESULTS:])
    rules = sorted({_rule(each) for each in kept})
    facts = {
        "verdict": verdict_text(review),
        "commit": review.commit,
        "basis": review.basis,
        "project": review.plan.project,
    }
    # Two environments of one repository do not close each other's findings.
    category = ("reconciler", review.environment or "default", review.root or ".")
    omission = f"{more} more findings are not in this list; fix these and run again."
    notes = [{"level": "note", "message": {"text": omission}}] if more else []
    document: Fields = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "reconciler",
                        "semanticVersion": review.plan.basis.version,
                        "rules": [_rule_description(rule, (meanings or {}).get(rule, "")) for rule in rules],
                    }
                },
                "automationDetails": {"id": "/".join(map(_url_part, category)) + "/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(review, notes)],
                "results": list(_results(kept, {rule: at for at, rule in enumerate(rules)})),
                "properties": {name: clean(value) for name, value in facts.items() if value},
            }
        ],
    }
    return json_document(document)


def _invocation(review: Review, notes: Sequence[object]) -> Fields:
    """Return how the run ended: successful only where every step of it was, also where its findings are complete."""
    failed = [{"level": "error", "message": {"text": clean(review.failure)}}] if review.failure else []
    return {
        "executionSuccessful": review.is_success and not review.failure and not review.is_invalid,
        "exitCode": review.exit_code,
        "toolExecutionNotifications": [*failed, *notes],
    }


def _findings(review: Review) -> Iterator[Problem]:
    plan = review.plan
    about = {str(train.address): train.model.place for train in plan.trains}
    home = Place(file=review.root or ".")
    yield from (_refusal(each, next(iter(about.values()), home)) for each in plan.refused)
    yield from review.problems
    yield from (_warning(text, about, home) for text in plan.warnings)
    yield from (_finding_of_step(each, review.places.get(each.step.action.address, home)) for each in review.undone)
    yield from (_finding_of_keep(keep, review.places.get(keep.address, home)) for keep in plan.blocked)


def _refusal(refusal: Refusal, where: Place) -> Problem:
    hint = "; ".join(refusal_hints(refusal))
    return Problem(where=where, what=refusal.what, hint=hint, rule=_REFUSAL + refusal.policy)


def _finding_of_step(result: StepResult, where: Place) -> Problem:
    assert result.outcome
    severity = Severity.WARNING if result.outcome in CONSEQUENCES else Severity.ERROR
    what = f"{name_step(result.step)}: {result.outcome}" + (f", {result.message}" if result.message else "")
    return Problem(where=where, what=what, hint=result.hint, rule=f"apply.{result.outcome}", severity=severity)


def _finding_of_keep(keep: Keep, where: Place) -> Problem:
    what = "; ".join(filter(None, [f"{keep.address}: {keep_sentence(keep)}", keep.detail]))
    severity = Severity.WARNING if keep.why is KeepReason.BUSY else Severity.ERROR
    return Problem(where=where, what=what, hint=keep.hint, rule=f"plan.blocked.{keep.why}", severity=severity)


def _warning(text: str, about: Mapping[str, Place], home: Place) -> Problem:
    where = about.get(text.partition(":")[0], home)
    return Problem(where=where, what=text, rule=_WARNING, severity=Severity.WARNING)


def _rule_description(rule: str, meaning: str) -> Fields:
    text = {"text": clean(meaning) or rule.replace(".", ": ", 1).replace("-", " ")}
    return {"id": rule, "shortDescription": text, "fullDescription": text, "help": text}


def _results(problems: Sequence[Problem], rules: Mapping[str, int]) -> Iterator[Fields]:
    counts = Counter[str]()
    for each in problems:
        rule, fingerprint = _rule(each), _fingerprint(each)
        counts[fingerprint] += 1
        yield {
            "ruleId": rule,
            "ruleIndex": rules[rule],
            "level": _LEVELS[each.severity],
            "message": {"text": _message(each)},
            "locations": [{"physicalLocation": _location(each.where)}],
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{counts[fingerprint]}"},
        }


def _rule(problem: Problem) -> str:
    return clean(problem.rule, limit=255) or _UNNAMED


def _message(problem: Problem) -> str:
    text = f"{clean(problem.path)}: {clean(problem.what)}" if problem.path else clean(problem.what)
    if problem.where.revision:
        # Code scanning finds the plain file; the text says that another version of it is meant.
        text = f"at {clean(problem.where.revision)}: {text}"
    return f"{text.rstrip('.')}. Hint: {clean(problem.hint)}" if problem.hint else text


def _location(where: Place) -> Fields:
    region = {"startLine": max(where.line, 1), **({"startColumn": where.column} if where.column else {})}
    # Relative to the root of the repository, because each runner checks it out elsewhere.
    return {"artifactLocation": {"uri": _url_part(where.file, b"/"), "uriBaseId": "%SRCROOT%"}, "region": region}


def _url_part(text: str, kept: bytes = b"") -> str:
    return percent_encode(text.encode("utf-8", "backslashreplace"), kept)


def _fingerprint(problem: Problem) -> str:
    # Numbers change when rows move, so they are left out: a finding that moved stays the same finding.
    words = (problem.rule, problem.where.file, problem.path, problem.what)
    stable = "\0".join(_NUMBERS.sub("#", word) for word in words)
    return hashlib.sha256(stable.encode("utf-8", "backslashreplace")).hexdigest()[:16]


class JUnitCase(msgspec.Struct, frozen=True, kw_only=True):
    """One test case of a report; an empty result means that it passed.

    Shape:  `message` is short, `lines` are the details; all texts as they came
    """

    name: str
    result: Literal["", "failure", "skipped"] = ""
    message: str = ""
    lines: tuple[str, ...] = ()


def junit_text(review: Review) -> str:
    """Return a review as JUnit XML, ended by a newline.

    Shape:  suites `checks` (a case for each file with findings), `apply` (for each step that was to be done), `plan`
            (for each step), `guards` (for each refusal) and `kept` (for each thing that stays)
    """
    plan = review.plan
    suites = {
        "checks": list(_file_cases(review.problems)),
        "apply": [_result_case(each) for each in review.result.steps] if review.result else [],
        "plan": list(map(_step_case, plan.steps)),
        "guards": [
            JUnitCase(name=refusal.policy, result="failure", message=refusal.what, lines=(refusal.hint,))
            for refusal in plan.refused
        ],
        "kept": list(map(_keep_case, plan.kept)),
    }
    if review.failure:
        suites["plan"].insert(0, JUnitCase(name="plan", result="failure", message=review.failure))
    elif not review.is_success and not plan.refused and not review.is_invalid:
        # The report of a command that failed is red, whatever each case of it says.
        suites["plan"].insert(0, JUnitCase(name="result", result="failure", message=verdict_text(review)))
    if review.unshown:
        message = f"{review.unshown} more problems are not in this list"
        suites["checks"].append(JUnitCase(name="more", result="failure", message=message))
    if plan.warnings:
        suites["plan"].append(JUnitCase(name="warnings", lines=plan.warnings))
    return _report(suites, review.environment)


def _file_cases(problems: Sequence[Problem]) -> Iterator[JUnitCase]:
    for file, each in groupby(sorted(problems, key=_order_by_file), key=_name_file):
        found = tuple(each)
        errors = sum(problem.severity is Severity.ERROR for problem in found)
        lines = [_line(problem) for problem in found[:MOST_FINDINGS]]
        if len(found) > MOST_FINDINGS:
            lines.append(f"… and {len(found) - MOST_FINDINGS} more")
        message = f"{errors} of {len(found)} findings are errors" if errors else ""
        yield JUnitCase(name=file, result="failure" if errors else "", message=message, lines=tuple(lines))


def _name_file(problem: Problem) -> str:
    return ":".join(filter(None, [problem.where.revision, problem.where.file]))


def _order_by_file(problem: Problem) -> tuple[str, Problem]:
    return _name_file(problem), problem


def _line(problem: Problem) -> str:
    hint = f" (hint: {problem.hint})" if problem.hint else ""
    return f"{problem.severity}: {problem}{hint}"


def _result_case(result: StepResult) -> JUnitCase:
    name, lines = name_step(result.step), tuple(filter(None, (result.message, result.hint)))
    if result.outcome is None or result.outcome in CONSEQUENCES:
        return JUnitCase(name=name, result="skipped", message=result.message or "not begun", lines=lines)
    message = f"{result.outcome}: {result.message}"
    return JUnitCase(name=name, result="failure" if result.outcome in UNDONE else "", message=message, lines=lines)


def _step_case(step: Step) -> JUnitCase:
    changes = (f"{each.field}: {each.before or '(not set)'} → {each.after or '(not set)'}" for each in step.changes)
    cost = (f"cost: {step.estimate.cost}",) if step.estimate else ()
    return JUnitCase(name=name_step(step), lines=(*changes, *cost))


def _keep_case(keep: Keep) -> JUnitCase:
    facts = (keep.job or "", str(keep.status or ""), keep.model or "", keep.detail, keep.hint)
    # A model that waits for a decision does not make the plan fail.
    result: Literal["", "skipped"] = "skipped" if needs_decision(keep) else ""
    message = f"{keep.why}: {keep.hint or keep_sentence(keep)}"
    return JUnitCase(name=str(keep.address), result=result, message=message, lines=tuple(filter(None, facts)))


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
    results = [case.result for case in cases]
    return (
        f'tests="{len(results)}" failures="{results.count("failure")}" errors="0" skipped="{results.count("skipped")}"'
    )


def _suite(name: str, cases: Sequence[JUnitCase], environment: str) -> Iterator[str]:
    full = html_text(".".join(filter(None, ("reconciler", environment, name))))
    yield f'  <testsuite name="{full}" {_counts(cases)}>'
    for case in cases:
        yield f'    <testcase classname="{full}" name="{html_text(case.name)}">'
        body = "\n".join(html_text(line) for line in case.lines if line)
        if case.result == "failure":
            yield f'      <failure message="{html_text(case.message)}">{body}</failure>'
        elif case.result == "skipped":
            yield f'      <skipped message="{html_text(case.message)}"/>'
        if body and case.result != "failure":
            yield f"      <system-out>{body}</system-out>"
        yield "    </testcase>"
    yield "  </testsuite>"
