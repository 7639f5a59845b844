"""Findings as SARIF 2.1.0, for code scanning: what is said of specs and rows, what warns, and what is refused.

Source: the OASIS standard, and what GitHub's code scanning reads of it: a few thousand results of one run, each with a
place and a fingerprint that stays when lines move.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.plan import Keep, Plan, Refusal, Step
from reconciler.render.json_output import Fields, json_text
from reconciler.render.plan_words import action_word, is_retrain, needs_decision
from reconciler.render.review.model import Review
from reconciler.render.sanitize import clean, html_text

MOST_RESULTS = 5000
"""Results that code scanning keeps of one run; the worst come first, and the others are counted."""

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_WORST_FIRST = tuple(Severity)
_NUMBERS = re.compile(r"\d+")
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH = _WORD | frozenset(b"/")
_UNNAMED = "reconciler.finding"
_REFUSAL = "plan.refused."
_WARNING = "plan.warning"


def sarif_text(review: Review, meanings: Mapping[str, str] | None = None) -> str:
    """Return the findings of a review as a SARIF log with one run, ended by a newline.

    Shape:  `meanings` say by rule what it wants, for the list of rules; steps that are planned are no findings
    """
    ordered = sorted(_findings(review), key=lambda each: (_WORST_FIRST.index(each.severity), each))
    kept, more = ordered[:MOST_RESULTS], review.unshown + len(ordered[MOST_RESULTS:])
    rules = sorted({_rule(each) for each in kept})
    facts = {"commit": review.commit, "basis": review.basis, "project": review.plan.project}
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
                "automationDetails": {"id": _category(review)},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(_beyond(more))}],
                "results": list(_results(kept, {rule: at for at, rule in enumerate(rules)})),
                "properties": {name: clean(value) for name, value in facts.items() if value},
            }
        ],
    }
    return json_text(document, indent=2) + "\n"


def _findings(review: Review) -> Iterator[Problem]:
    plan = review.plan
    about = {str(train.address): train.model.place for train in plan.trains}
    home = Place(file=review.root or ".")
    yield from (_refusal(each, next(iter(about.values()), home)) for each in plan.refused)
    yield from review.problems
    yield from (_warning(text, about, home) for text in plan.warnings)


def _category(review: Review) -> str:
    # Two environments of one repository do not close each other's findings.
    words = ("reconciler", review.environment or "default", review.root or ".")
    return "/".join(_percent_escape(word, _WORD) for word in words) + "/"


def _refusal(refusal: Refusal, where: Place) -> Problem:
    allowed = f"to go on all the same, add --allow {refusal.guard}" if refusal.guard else ""
    hint = "; ".join(filter(None, (refusal.hint, "" if refusal.guard in refusal.hint else allowed)))
    return Problem(where=where, what=refusal.what, hint=hint, rule=_REFUSAL + refusal.policy)


def _warning(text: str, about: Mapping[str, Place], home: Place) -> Problem:
    where = about.get(text.partition(":")[0], home)
    return Problem(where=where, what=text, rule=_WARNING, severity=Severity.WARNING)


def _rule_description(rule: str, meaning: str) -> Fields:
    words = clean(meaning) or rule.replace(".", ": ", 1).replace("-", " ")
    return {
        "id": rule,
        "shortDescription": {"text": words},
        "fullDescription": {"text": words},
        "help": {"text": words},
    }


def _beyond(more: int) -> Iterator[Fields]:
    if more:
        text = f"{more} more findings are not in this list; mend these, and look again."
        yield {"level": "note", "message": {"text": text}}


def _results(problems: Sequence[Problem], rules: Mapping[str, int]) -> Iterator[Fields]:
    seen = Counter[str]()
    for each in problems:
        rule, print_ = _rule(each), _fingerprint(each)
        seen[print_] += 1
        yield {
            "ruleId": rule,
            "ruleIndex": rules[rule],
            "level": _LEVELS[each.severity],
            "message": {"text": _message(each)},
            "locations": [{"physicalLocation": _location(each.where)}],
            "partialFingerprints": {"primaryLocationLineHash": f"{print_}:{seen[print_]}"},
        }


def _rule(problem: Problem) -> str:
    return clean(problem.rule, limit=255) or _UNNAMED


def _message(problem: Problem) -> str:
    said = f"{clean(problem.path)}: {clean(problem.what)}" if problem.path else clean(problem.what)
    return f"{said.rstrip('.')}. Hint: {clean(problem.hint)}" if problem.hint else said


def _location(where: Place) -> Fields:
    region = {"startLine": max(where.line, 1), **({"startColumn": where.column} if where.column else {})}
    # Relative to the root of the repository, wherever a runner checked it out.
    return {"artifactLocation": {"uri": _percent_escape(where.file, _PATH), "uriBaseId": "%SRCROOT%"}, "region": region}


def _percent_escape(text: str, plain: frozenset[int]) -> str:
    written = text.encode("utf-8", "backslashreplace")
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in written)


def _fingerprint(problem: Problem) -> str:
    # Numbers move with the rows around them; a finding that only moved is the finding that was there before.
    words = (problem.rule, problem.where.file, problem.path, problem.what)
    still = "\0".join(_NUMBERS.sub("#", word) for word in words)
    return hashlib.sha256(still.encode("utf-8", "backslashreplace")).hexdigest()[:16]


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
