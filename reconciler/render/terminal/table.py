"""Tables in aligned columns.

`table` shows a block for each row where the columns are wider than the terminal. `column_table` drops the columns that
matter least until the others fit; ids stay whole, so that they can be copied.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from reconciler.domain.observed import JobId, ModelId
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, pad, truncate, width_of

ABSENT = "–"

_GAP = "  "
_TAIL = 13
"""Columns kept of the end of a text that is cut: the short digest, or the ending of a file name."""

_STATUS = "status"


class SummaryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model in the closing table."""

    name: str
    base: str
    status: str
    job: JobId | None = None
    model: ModelId | None = None


def summary_table(rows: Iterable[SummaryRow], *, colour: bool = False, width: int | None = None) -> str:
    """Return the table that closes a run: which job created which model."""
    cells = [(row.name, row.base, row.status, row.job or "", row.model or "") for row in rows]
    return table(("name", "base", _STATUS, "job", "model"), cells, colour=colour, width=width)


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, colour: bool = False, width: int | None = None
) -> str:
    """Return rows of untrusted cells under their headers; an empty cell is a dash, a `status` column is coloured.

    Shape:  ends with a newline; `width` None means that lines may have any length
    """
    style = Style(colour)
    cells = [[clean(cell) or ABSENT for cell in row] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(headers, *cells, strict=True)]
    if width is not None and sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return "\n".join(_block(headers, row, style) for row in cells)
    lines = [_line([style.bold(pad(each.upper(), size)) for each, size in zip(headers, widths, strict=True)])]
    lines += [_line([_cell(*each, style) for each in zip(headers, row, widths, strict=True)]) for row in cells]
    return "".join(lines)


def _block(headers: Sequence[str], row: Sequence[str], style: Style) -> str:
    size = max(map(width_of, headers))
    names = [style.bold(pad(header.upper(), size)) for header in headers]
    values = [_cell(header, cell, 0, style) for header, cell in zip(headers, row, strict=True)]
    return "".join(_line(pair) for pair in zip(names, values, strict=True))


def _cell(header: str, cell: str, size: int, style: Style) -> str:
    text = pad(cell, size)
    return style.status(cell, text) if header == _STATUS and cell != ABSENT else text


def _line(cells: Sequence[str]) -> str:
    return _GAP.join(cells).rstrip() + "\n"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of untrusted cells.

    Shape:  the highest `rank` is left out first, 0 never; `narrow` replaces the cells before the column is left out;
            `least` is the width to which cells may be cut, None when they may not be cut
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
    """Return the columns as a table no wider than `width`, if that is possible without cutting an id.

    Shape:  ends with a newline; `width` None means that lines may have any length
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
    cells, narrow = (tuple(clean(cell) or ABSENT for cell in cells) for cells in (column.cells, column.narrow or ()))
    return replace(column, cells=cells, narrow=narrow if column.narrow is not None else None)


def _drop_column(columns: Sequence[Column]) -> Iterator[Column]:
    worst = max(columns, key=lambda column: column.rank)
    for column in columns:
        if column is not worst:
            yield column
        elif worst.narrow is not None:
            # A narrowed column stays longer than a column that was not narrowed yet.
            yield replace(worst, cells=worst.narrow, narrow=None, rank=1)


def _truncate_column(column: Column, width: int) -> Column:
    if column.least is None:
        return column
    cells = tuple(truncate_middle(cell, width) for cell in column.cells)
    return replace(column, cells=cells)


def _total_width(widths: Iterator[int]) -> int:
    sizes = list(widths)
    return sum(sizes) + len(_GAP) * (len(sizes) - 1)
