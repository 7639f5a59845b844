"""Prompts and completions out of rows as they are at one moment."""

from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.dataset.templates import text_of
from reconciler.prepare_data.compat.affix import Task, task_of

PROMPT, COMPLETION = FIELDS = ("prompt", "completion")


def cells_of(row: Row) -> dict[str, object]:
    """Return a row's cells; the reader has made sure that it has some."""
    return row.value if isinstance(row.value, dict) else {}


def texts(rows: Sequence[Row], column: str) -> list[str]:
    """Return one column as text: what is missing or null is empty, what is no text is JSON."""
    return [text_of(cells_of(row).get(column)) for row in rows]


def columns_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return every column that some row has, in the order they come."""
    return tuple(dict.fromkeys(column for row in rows for column in cells_of(row)))


def task(rows: Sequence[Row]) -> Task:
    """Return what the rows are most likely meant to teach."""
    return task_of(texts(rows, PROMPT), texts(rows, COMPLETION))
