"""Prompts and completions out of rows as they are at one moment."""

from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.dataset.templates import text_of
from reconciler.prepare_data.compat.affix import TaskKind, guess_task

PROMPT, COMPLETION = FIELDS = ("prompt", "completion")


def cells_of(row: Row) -> dict[str, object]:
    """Return a row's cells; the reader has made sure that it has some."""
    return row.value if isinstance(row.value, dict) else {}


def column_texts(rows: Sequence[Row], column: str) -> list[str]:
    """Return one column as text: what is missing or null is empty, what is no text is JSON."""
    return [text_of(cells_of(row).get(column)) for row in rows]


def list_columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return every column that some row has, in the order they come."""
    return tuple(dict.fromkeys(column for row in rows for column in cells_of(row)))


def guess_rows_task(rows: Sequence[Row]) -> TaskKind:
    """Return what the rows are most likely meant to teach."""
    return guess_task(column_texts(rows, PROMPT), column_texts(rows, COMPLETION))
