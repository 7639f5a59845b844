"""Steps that change the texts of columns. Each gives the function that does it to one row.

A number, true or false becomes its text first, as in a template. What is missing, null, a list or an object stays.
"""

from collections.abc import Callable, Collection

from reconciler.dataset.steps.cells import Cells, is_text
from reconciler.dataset.steps.columns import Edit
from reconciler.dataset.templates import text_of
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    EnsureLeadingSpace,
    LowerCase,
    RemovePrefix,
    RemoveSuffix,
    Strip,
)


def lower_case(step: LowerCase) -> Edit:
    """Write texts in lower case."""
    return _edit_columns(step.columns, str.lower)


def strip(step: Strip) -> Edit:
    """Cut white space from both ends."""
    return _edit_columns(step.columns, str.strip)


def add_prefix(step: AddPrefix) -> Edit:
    """Put a text before."""
    return _edit_columns((step.column,), lambda text: step.text + text)


def add_suffix(step: AddSuffix) -> Edit:
    """Put a text after."""
    return _edit_columns((step.column,), lambda text: text + step.text)


def remove_prefix(step: RemovePrefix) -> Edit:
    """Cut a text from the start."""
    return _edit_columns((step.column,), lambda text: text.removeprefix(step.text))


def remove_suffix(step: RemoveSuffix) -> Edit:
    """Cut a text from the end."""
    return _edit_columns((step.column,), lambda text: text.removesuffix(step.text))


def ensure_leading_space(step: EnsureLeadingSpace) -> Edit:
    """Put one space before what has none."""
    return _edit_columns(step.columns, lambda text: text if text.startswith(" ") else f" {text}")


def _edit_columns(columns: Collection[str], change: Callable[[str], str]) -> Edit:
    def edit(cells: Cells) -> Cells:
        changed = {column: change(text_of(value)) for column in columns if is_text(value := cells.get(column))}
        return {**cells, **changed}

    return edit
