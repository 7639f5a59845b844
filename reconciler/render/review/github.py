"""What GitHub reads from a job: annotations on lines, a summary of the job, and outputs for later steps.

GitHub shows ten annotations of each level for one step, so the worst come first and one last line counts the others.
Their texts are cleaned, and then escaped for workflow commands. Outputs end at a random word, so that no value can end
itself and begin another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from reconciler.domain.cost import Cost
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.identity import Address
from reconciler.domain.plan import Cancel, Keep, KeepReason
from reconciler.render.json_output import json_text
from reconciler.render.plan_words import count_plan, keep_sentence, name_step
from reconciler.render.review.markdown import review_markdown, review_parts
from reconciler.render.review.model import CONSEQUENCES, Review, verdict_text
from reconciler.render.sanitize import clean

MOST_A_LEVEL = 10
MOST_SUMMARY_BYTES = 1024 * 1024

_MESSAGE = 900
_PROPERTY = 300
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_NO_PLACE = Place(file="")


class _Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """One message at a place, or at none."""

    severity: Severity
    title: str
    text: str
    where: Place = _NO_PLACE


def annotations_text(review: Review) -> str:
    """Return workflow commands, worst first and at most ten of a level; empty where there is nothing to say.

    Shape:  one last notice counts what is left out; the first of each kind comes before the second of any
    """
    notes: dict[Severity, list[_Annotation]] = defaultdict(list)
    for note in (*_refusals(review), *_warnings(review), *map(_problem, review.problems)):
        notes[note.severity].append(note)
    shown = {severity: _interleave(notes[severity]) for severity in _LEVELS}
    left = {severity: len(each) - MOST_A_LEVEL for severity, each in shown.items() if len(each) > MOST_A_LEVEL}
    if review.unshown:
        left[Severity.ERROR] = left.get(Severity.ERROR, 0) + review.unshown
    lines = [_command(each) for severity in _LEVELS for each in shown[severity][: _most(severity, bool(left))]]
    if left:
        # The last notice replaces one.
        unseen = len(shown[Severity.INFO]) - _most(Severity.INFO, True)
        left |= {Severity.INFO: unseen} if unseen > 0 else {}
        counts = ", ".join(f"{number:,} more of level {_LEVELS[severity]}" for severity, number in left.items())
        text = f"{counts}: see the job summary"
        lines.append(_command(_Annotation(severity=Severity.INFO, title="reconciler", text=text)))
    return "".join(f"{line}\n" for line in lines)


def summary_text(review: Review, taken_bytes: int = 0) -> str:
    """Return what is appended to a job summary that holds `taken_bytes` already; empty where nothing fits.

    Shape:  the whole review, or its first part
    """
    free_bytes = MOST_SUMMARY_BYTES - taken_bytes
    for text in (review_markdown(review), review_parts(review)[0]):
        if len(text.encode("utf-8", "surrogatepass")) + 2 <= free_bytes:
            return text.rstrip("\n") + "\n\n"
    return ""


def outputs_text(values: Mapping[str, str], word: str) -> str:
    """Return outputs in the format of the file that `GITHUB_OUTPUT` names.

    Shape:  `word` is drawn at random for each run
    Raises: ValueError when a value contains the line that would end it
    """
    end = f"end_{word}"
    for name, value in values.items():
        if end in value.splitlines():
            raise ValueError(f"output {name} contains the word that ends it")
    return "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in values.items())


def plan_outputs(review: Review, exit_code: int, plan_file: str = "") -> Mapping[str, str]:
    """Return the outputs of a plan; what is unknown is empty: a price, and all counts where no plan was made."""
    plan, counts = review.plan, count_plan(review.plan)
    cost = plan.cost if review.is_planned else Cost()
    numbers = {
        "to_upload": counts.upload,
        "to_train": counts.train,
        "to_cancel": counts.cancel,
        "to_delete": counts.delete,
        "kept": counts.keep,
        "refused": counts.refuse,
    }
    return {
        "has_changes": "true" if review.has_changes else "false",
        "state": review.state,
        "exitcode": str(exit_code),
        **{name: str(number) if review.is_planned else "" for name, number in numbers.items()},
        "blocked": json_text({keep.address.name: str(keep.why) for keep in sorted(plan.blocked, key=_by_address)}),
        "cost_low": _cents(cost.low),
        "cost_expected": _cents(cost.expected),
        "cost_high": _cents(cost.high),
        "models": json_text({address.name: model for address, model in sorted(review.previous.items())}),
        "plan": plan_file,
        "basis": review.basis,
        "verdict": verdict_text(review),
    }


def _by_address(keep: Keep) -> Address:
    return keep.address


def _most(severity: Severity, is_closed: bool) -> int:
    return MOST_A_LEVEL - (1 if severity is Severity.INFO and is_closed else 0)


def _refusals(review: Review) -> Iterator[_Annotation]:
    if review.failure:
        yield _Annotation(severity=Severity.ERROR, title="reconciler", text=review.failure)
    for each in review.plan.refused:
        text = f"{each.what}; {each.hint}" if each.hint else each.what
        yield _Annotation(severity=Severity.ERROR, title=f"Refused: {each.policy}", text=text)


def _warnings(review: Review) -> Iterator[_Annotation]:
    for step in review.plan.steps:
        if isinstance(step.action, Cancel) and step.action.job.status.is_active:
            what = f"{step.action.address}: job {step.action.job.id} is active and will be cancelled"
            yield _Annotation(severity=Severity.WARNING, title="Job cancelled", text=what)
    for each in review.undone:
        severity = Severity.WARNING if each.outcome in CONSEQUENCES else Severity.ERROR
        text = "; ".join(filter(None, [f"{name_step(each.step)}: {each.outcome}", each.message, each.hint]))
        where = review.places.get(each.step.action.address, _NO_PLACE)
        yield _Annotation(severity=severity, title=f"Step {each.outcome}", text=text, where=where)
    for keep in review.plan.blocked:
        text = "; ".join(filter(None, [f"{keep.address}: {keep_sentence(keep)}", keep.detail, keep.hint]))
        where = review.places.get(keep.address, _NO_PLACE)
        severity = Severity.WARNING if keep.why is KeepReason.BUSY else Severity.ERROR
        yield _Annotation(severity=severity, title="Not as the specs ask", text=text, where=where)
    for note in (*review.plan.warnings, *review.notes):
        yield _Annotation(severity=Severity.WARNING, title="Plan", text=note)


def _problem(problem: Problem) -> _Annotation:
    what = f"{problem.path}: {problem.what}" if problem.path else problem.what
    text = f"{what}; {problem.hint}" if problem.hint else what
    if problem.where.revision:
        text = f"at {problem.where.revision}: {text}"
    return _Annotation(severity=problem.severity, title=problem.rule or "reconciler", text=text, where=problem.where)


def _interleave(notes: Iterable[_Annotation]) -> list[_Annotation]:
    """Put the first of each kind before the second of any, so that one kind does not hide the others."""
    seen: dict[str, int] = defaultdict(int)
    ranked = []
    for note in notes:
        ranked.append((seen[note.title], note))
        seen[note.title] += 1
    return [note for _, note in sorted(ranked, key=lambda each: each[0])]


def _command(note: _Annotation) -> str:
    where = note.where
    facts = {
        "file": where.file,
        "line": str(where.line or ""),
        "col": str(where.column or ""),
        "title": note.title,
    }
    properties = ",".join(f"{name}={_property(value)}" for name, value in facts.items() if value)
    return f"::{_LEVELS[note.severity]} {properties}::{_data(clean(note.text, limit=_MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clean(text, limit=_PROPERTY)).replace(":", "%3A").replace(",", "%2C")


def _cents(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
