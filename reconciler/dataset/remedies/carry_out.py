"""Carries out the steps that remedies are made of, on rows in memory, by the functions that a spec's steps use."""

from collections.abc import Callable, Sequence

from reconciler.dataset.prepare.cells import Cells
from reconciler.dataset.prepare.choose import deduplicate, drop_empty, drop_long
from reconciler.dataset.prepare.columns import fill_templates, keep_columns, rename
from reconciler.dataset.prepare.texts import add_prefix, add_suffix, ensure_leading_space, lower_case, remove_prefix
from reconciler.dataset.remedies.cells import cells_of
from reconciler.dataset.row import Row
from reconciler.dataset.tokens import estimated_tokens
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Deduplicate,
    DropEmpty,
    DropLong,
    EnsureLeadingSpace,
    FillTemplate,
    KeepColumns,
    LowerCase,
    Operation,
    RemovePrefix,
    Rename,
)


def carried_out(step: Operation, rows: Sequence[Row]) -> list[Row]:
    """Give the rows after one step."""
    edit = _edit(step)
    if edit:
        return [row._replace(value=edit(cells_of(row))) for row in rows]
    test = _test(step)
    return [row for row in rows if test(cells_of(row))]


def _edit(step: Operation) -> Callable[[Cells], Cells] | None:
    match step:
        case Rename():
            return rename(step)
        case KeepColumns():
            return keep_columns(step)
        case FillTemplate():
            return fill_templates(step)
        case LowerCase():
            return lower_case(step)
        case AddPrefix():
            return add_prefix(step)
        case AddSuffix():
            return add_suffix(step)
        case RemovePrefix():
            return remove_prefix(step)
        case EnsureLeadingSpace():
            return ensure_leading_space(step)
        case _:
            return None


def _test(step: Operation) -> Callable[[Cells], bool]:
    match step:
        case DropEmpty():
            return drop_empty(step)
        case Deduplicate():
            return deduplicate(step)
        case DropLong():
            return drop_long(step, estimated_tokens)
        case _:
            raise NotImplementedError(f"no remedy is made of {type(step).__name__}")
