"""The whole review in one line: what would happen, to how many rows, for how much."""

from collections.abc import Iterator

from reconciler.domain.errors import Severity
from reconciler.domain.plan import Train, Why
from reconciler.domain.rowdiff import RowDiff, RowsUnknown
from reconciler.render.review.model import Review
from reconciler.render.review.words import grouped_count
from reconciler.render.sanitize import clean
from reconciler.render.steps import count_steps, is_retrain
from reconciler.render.terminal.kept import is_running, needs_decision

_MOST_POLICIES = 5


def verdict_text(review: Review) -> str:
    """Return one plain line, harmless in any place."""
    return clean(_verdict(review))


def _verdict(review: Review) -> str:
    if review.is_invalid:
        errors = sum(each.severity is Severity.ERROR for each in review.problems) + review.unshown
        return f"Invalid: {grouped_count(errors, 'error')} in specs and data; nothing was planned"
    plan = review.plan
    told = "; ".join(filter(None, [", ".join(_things(review)), _rows(review), str(plan.cost) if plan.trains else ""]))
    if plan.refused:
        policies = list(dict.fromkeys(clean(each.policy, limit=60) for each in plan.refused))
        return f"Refused by {', '.join(policies[:_MOST_POLICIES])}: {told or 'no steps'}"
    return f"No changes: {told or 'nothing is declared'}" if plan.is_empty else told


def _things(review: Review) -> Iterator[str]:
    plan, counts = review.plan, count_steps(review.plan)
    retrains = sum(map(is_retrain, plan.steps))
    trains = sum(isinstance(step.action, Train) for step in plan.steps) - retrains
    told = (
        (retrains, "model", "retrained"),
        (trains, "model", "trained"),
        (counts.promote, "model", "promoted"),
        (counts.upload, "file", "uploaded"),
        (counts.cancel, "job", "cancelled"),
        (counts.delete, "thing", "deleted"),
        (sum(keep.why is Why.READY for keep in plan.kept), "model", "kept"),
        (sum(map(is_running, plan.kept)), "job", "still running"),
        (sum(map(needs_decision, plan.kept)), "model", "held until you decide"),
        (sum(keep.why is Why.SUSPENDED for keep in plan.kept), "model", "suspended"),
        (sum(keep.why is Why.ORPHAN for keep in plan.kept), "thing", "named by no spec"),
    )
    yield from (f"{grouped_count(number, noun)} {word}" for number, noun, word in told if number)


def _rows(review: Review) -> str:
    known = [step.rows for step in review.plan.steps if isinstance(step.rows, RowDiff)]
    unknown = sum(isinstance(step.rows, RowsUnknown) for step in review.plan.steps)
    counts = {
        "+": sum(each.added for each in known),
        "−": sum(each.removed for each in known),
        "~": sum(each.edited for each in known),
        "↕": sum(each.moved for each in known),
    }
    told = " ".join(f"{symbol}{number:,}" for symbol, number in counts.items() if number)
    same = "no row changed" if known and not told else f"{told} rows" if told else ""
    return ", ".join(
        filter(None, [same, f"rows of {grouped_count(unknown, 'dataset')} not compared" if unknown else ""])
    )
