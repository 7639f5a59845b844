"""Carries out the steps that remedies are made of, on rows in memory, as a spec's steps are carried out."""

from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.dataset.steps.pipeline import make_edit, make_test
from reconciler.dataset.tokens import estimated_tokens
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong
from reconciler.prepare_data.suggest.cells import cells_of
from reconciler.prepare_data.suggest.finding import RemedyStep


def apply_step(step: RemedyStep, rows: Sequence[Row]) -> list[Row]:
    """Return the rows after one step."""
    if isinstance(step, DropEmpty | Deduplicate | DropLong):
        test = make_test(step, estimated_tokens)
        return [row for row in rows if test(cells_of(row))]
    edit = make_edit(step)
    return [row._replace(value=edit(cells_of(row))) for row in rows]
