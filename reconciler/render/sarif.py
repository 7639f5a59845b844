"""Findings as SARIF 2.1.0, for code scanning: what is said of specs and rows, what warns, and what is refused.

Source: the OASIS standard, and what GitHub's code scanning reads of it: a few thousand results of one run, each with a
place and a fingerprint that stays when lines move.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.plan import Refusal
from reconciler.render.json_output import Fields, json_text
from reconciler.render.review.model import Review
from reconciler.render.sanitize import clean

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
