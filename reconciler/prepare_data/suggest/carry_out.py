"""Carries out the steps that remedies are made of, on rows in memory, as a spec's steps are carried out."""

from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.dataset.steps.pipeline import edit_of, test_of
from reconciler.dataset.tokens import estimated_tokens
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong
from reconciler.prepare_data.suggest.cells import cells_of
from reconciler.prepare_data.suggest.finding import Mending


def carried_out(step: Mending, rows: Sequence[Row]) -> list[Row]:
    """Return the rows after one step."""
    if isinstance(step, DropEmpty | Deduplicate | DropLong):
        test = test_of(step, estimated_tokens)
        return [row for row in rows if test(cells_of(row))]
    edit = edit_of(step)
    return [row._replace(value=edit(cells_of(row))) for row in rows]
