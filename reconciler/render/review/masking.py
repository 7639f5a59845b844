"""Secrets of the environment in what a plan quotes: masked in the values, before any format is made of them.

A format escapes what it writes, and formats stand inside others: Markdown in JSON, JSON in HTML. In the values a secret
has one form. The sink looks for the other forms too, and for what else a text may hold.
"""

from collections.abc import Callable

from msgspec.structs import replace

from reconciler.domain.errors import Problem
from reconciler.domain.plan import Plan, Refusal, Step
from reconciler.domain.row_diff import CellChange, RowDiff, RowSample
from reconciler.render.review.model import Review

Redact = Callable[[str], str]


def mask_review(review: Review, redact: Redact) -> Review:
    """Return a review whose findings, rows, refusals and notes hold no secret."""
    return replace(
        review,
        plan=mask_plan(review.plan, redact),
        problems=mask_problems(review.problems, redact),
        notes=tuple(map(redact, review.notes)),
        failure=redact(review.failure),
    )


def mask_plan(plan: Plan, redact: Redact) -> Plan:
    """Return a plan whose changes, rows and words hold no secret. Ids and basis stay as they are."""

    def mask_refusal(refusal: Refusal) -> Refusal:
        return replace(refusal, what=redact(refusal.what), hint=redact(refusal.hint))

    def mask_step(step: Step) -> Step:
        changes = tuple(
            replace(each, before=_mask(each.before, redact), after=_mask(each.after, redact)) for each in step.changes
        )
        if not isinstance(step.rows, RowDiff) or not step.rows.samples:
            return replace(step, changes=changes)
        samples = tuple(_mask_sample(sample, redact) for sample in step.rows.samples)
        return replace(step, changes=changes, rows=replace(step.rows, samples=samples))

    return replace(
        plan,
        steps=tuple(map(mask_step, plan.steps)),
        refused=tuple(map(mask_refusal, plan.refused)),
        warnings=tuple(map(redact, plan.warnings)),
    )


def mask_problems(problems: tuple[Problem, ...], redact: Redact) -> tuple[Problem, ...]:
    """Return problems whose words hold no secret; a message may quote a cell, a key or a name of a row."""
    return tuple(
        replace(each, what=redact(each.what), path=redact(each.path), hint=redact(each.hint)) for each in problems
    )


def _mask_sample(sample: RowSample, redact: Redact) -> RowSample:
    cells = tuple(_mask_cell(cell, redact) for cell in sample.cells)
    return replace(sample, id=redact(sample.id), text=redact(sample.text), cells=cells)


def _mask_cell(cell: CellChange, redact: Redact) -> CellChange:
    before, after = _mask(cell.before, redact), _mask(cell.after, redact)
    if (before, after) == (cell.before, cell.after):
        return cell
    # A secret may be spread over several runs of words: they are left out, and both texts are shown.
    return replace(cell, before=before, after=after, words=())


def _mask(text: str | None, redact: Redact) -> str | None:
    return None if text is None else redact(text)
