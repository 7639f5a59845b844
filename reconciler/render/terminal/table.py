"""Rows in aligned columns; where they are wider than the terminal, a block for each row."""

from collections.abc import Iterable, Sequence

import msgspec

from reconciler.domain.observed import JobId, ModelId
from reconciler.render.sanitize import clean
from reconciler.render.style import Style
from reconciler.render.terminal.layout import pad, width_of

ABSENT = "–"

_GAP = "  "
_STATUS = "status"


class SummaryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model in the closing table."""

    name: str
    base: str
    status: str
    job: JobId | None = None
    model: ModelId | None = None


def summary_table(rows: Iterable[SummaryRow], *, colour: bool = False, width: int | None = None) -> str:
    """Return the table that closes a run: which job made which model, and what it is called."""
    cells = [(row.name, row.base, row.status, row.job or "", row.model or "") for row in rows]
    return table(("name", "base", _STATUS, "job", "model"), cells, colour=colour, width=width)


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, colour: bool = False, width: int | None = None
) -> str:
    """Return rows of untrusted cells under their headers; an empty cell is a dash, a `status` column is coloured.

    Shape:  ends with a newline; `width` None means that lines may be as long as they have to be
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
