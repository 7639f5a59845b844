"""The first sheet of a workbook, with cells as the old tool wrote them: whole numbers, `True`, dates with midnight."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from reconciler.dataset.readers.archive import weigh
from reconciler.dataset.sources import Source
from reconciler.prepare_data.compat.read_table import EMPTY_WORDS, name_columns
from reconciler.prepare_data.compat.table import LegacyTable

SheetCell = int | float | str | bool | time | date | datetime | timedelta


def read_xlsx(file: str) -> tuple[LegacyTable, int]:
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
    return _build_sheet_table(rows), len(names)


def _build_sheet_table(rows: list[list[SheetCell]]) -> LegacyTable:
    if not rows:
        return LegacyTable((), ())
    header, *body = rows
    names = name_columns([_write_sheet_cell(cell) for cell in header])
    texts = tuple(zip(*(_write_column(column) for column in zip(*body, strict=True)), strict=True))
    return LegacyTable(names, texts, None if body else ())


def _write_column(column: Iterable[SheetCell]) -> list[str]:
    # Cells that are equal were written as the first of them: true after a 1 became 1.
    first: dict[SheetCell, str] = {}
    texts = (first.setdefault(cell, _write_sheet_cell(cell)) for cell in column)
    return ["" if text in EMPTY_WORDS else text for text in texts]


def _write_sheet_cell(cell: SheetCell) -> str:
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
