"""The first sheet of a workbook, with cells as the old tool wrote them: whole numbers, `True`, dates with midnight."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from reconciler.dataset.readers.archive import weigh
from reconciler.dataset.sources import Source
from reconciler.prepare_data.compat.read_table import MISSING, column_names
from reconciler.prepare_data.compat.table import Table

Cell = int | float | str | bool | time | date | datetime | timedelta


def read_xlsx(file: str) -> tuple[Table, int]:
    """Return the rows of the first sheet, and how many sheets there are.

    Raises: ValueError when it is no workbook, or one that cannot be opened safely
    """
    # Loaded here because it is needed for workbooks alone.
    from python_calamine import CalamineError, load_workbook

    with open(file, "rb") as opened:
        problem = weigh(opened, Source(file, Path(file)))
        if problem:
            raise ValueError(problem.what)
        opened.seek(0)
        try:
            book = load_workbook(opened)
            names = [each.name for each in book.sheets_metadata if str(each.typ).endswith("WorkSheet")]
            rows = book.get_sheet_by_name(names[0]).to_python(skip_empty_area=False) if names else []
        except CalamineError as error:
            raise ValueError(str(error)) from error
    return _table(rows), len(names)


def _table(rows: list[list[Cell]]) -> Table:
    if not rows:
        return Table((), ())
    header, *body = rows
    names = column_names([_text(cell) for cell in header])
    texts = tuple(zip(*(_texts(column) for column in zip(*body, strict=True)), strict=True))
    return Table(names, texts, None if body else ())


def _texts(column: Iterable[Cell]) -> list[str]:
    # Cells that are equal were written as the first of them: true after a 1 became 1.
    first: dict[Cell, str] = {}
    texts = (first.setdefault(cell, _text(cell)) for cell in column)
    return ["" if text in MISSING else text for text in texts]


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return str(cell)
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return str(cell)
        case date():
            return str(datetime(cell.year, cell.month, cell.day))  # noqa: DTZ001 - a sheet's dates have no zone
        case _:
            return str(cell)
