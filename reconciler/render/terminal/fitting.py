"""A table that gives up what matters least until it fits: ids stay whole, so that they can be copied."""

from collections.abc import Iterator, Sequence

import msgspec

from reconciler.render.sanitize import clean
from reconciler.render.terminal.layout import truncate, width_of
from reconciler.render.terminal.table import ABSENT, table

_GAP = 2
_TAIL = 13
"""Columns kept of the end of a text that is cut: the short digest, or the ending of a file name."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of untrusted cells.

    Shape:  `rank` 0 is never left out, the highest goes first; `narrow` takes the column's place before it goes;
            `least` is how far the cells may be cut, None when they may not
    """

    header: str
    cells: tuple[str, ...]
    rank: int = 0
    narrow: tuple[str, ...] | None = None
    least: int | None = None

    @property
    def width(self) -> int:
        return max(map(width_of, (self.header, *self.cells)))

    @property
    def needed(self) -> int:
        return self.width if self.least is None else min(self.width, max(self.least, width_of(self.header)))


def column_table(columns: Sequence[Column], *, colour: bool = False, width: int | None = None) -> str:
    """Return the columns as a table no wider than `width`, if that can be done without cutting an id.

    Shape:  ends with a newline; `width` None means that lines may be as long as they have to be
    """
    kept = [_clean_column(column) for column in columns]
    if width is not None:
        while _total_width(column.needed for column in kept) > width and any(column.rank for column in kept):
            kept = list(_drop_column(kept))
        spare = width - _total_width(column.needed for column in kept)
        kept = [_truncate_column(column, column.needed + max(spare, 0)) for column in kept]
    rows = zip(*(column.cells for column in kept), strict=True)
    return table([column.header for column in kept], list(rows), colour=colour)


def truncate_middle(text: str, width: int) -> str:
    """Shorten a text to a width, keeping its beginning and its end."""
    if width_of(text) <= width or width <= _TAIL + 2:
        return truncate(text, width)
    tail = text[-_TAIL:]
    while width_of(tail) > _TAIL:
        tail = tail[1:]
    return truncate(text[: -len(tail)], width - width_of(tail)) + tail


def _clean_column(column: Column) -> Column:
    cells, narrow = (_clean_cells(each) for each in (column.cells, column.narrow or ()))
    return Column(
        header=column.header,
        cells=cells,
        rank=column.rank,
        narrow=narrow if column.narrow is not None else None,
        least=column.least,
    )


def _clean_cells(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean(cell) or ABSENT for cell in cells)


def _drop_column(columns: Sequence[Column]) -> Iterator[Column]:
    worst = max(columns, key=lambda column: column.rank)
    for column in columns:
        if column is not worst:
            yield column
        elif worst.narrow is not None:
            # What was narrowed is worth more than what was not yet.
            yield Column(header=worst.header, cells=worst.narrow, rank=1, least=worst.least)


def _truncate_column(column: Column, width: int) -> Column:
    if column.least is None:
        return column
    cells = tuple(truncate_middle(cell, width) for cell in column.cells)
    return Column(header=column.header, cells=cells, rank=column.rank, least=column.least)


def _total_width(widths: Iterator[int]) -> int:
    sizes = list(widths)
    return sum(sizes) + _GAP * (len(sizes) - 1)
