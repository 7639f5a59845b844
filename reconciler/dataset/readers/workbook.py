"""XLSX: the cells of one sheet as text, as `shown_cells.py` writes them.

The library that reads workbooks reads sheets whole, so `workbook_size.py` measures each workbook before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END, BufferedReader
from itertools import count
from math import isfinite
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from reconciler.dataset.readers.sheet_facts import (
    NO_MOMENT,
    Cell,
    SheetFacts,
    UnreadableSheetError,
    column_name,
    read_facts,
)
from reconciler.dataset.readers.shown_cells import CellReader
from reconciler.dataset.readers.stream import ProgressMeter, open_source, unreadable_file, watch_for_changes
from reconciler.dataset.readers.table_header import Record, read_records
from reconciler.dataset.readers.workbook_size import check_workbook_size
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source, spec_problem
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Cells, DatasetSpec
from reconciler.foundation.text import did_you_mean, list_words

if TYPE_CHECKING:  # The library is loaded only when a workbook is read.
    from python_calamine import CalamineSheet, CalamineWorkbook


class _Sheet(NamedTuple):
    """A sheet: its values, and how its cells become text."""

    values: "CalamineSheet"
    reader: CellReader


def read_workbook(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each row below the header as text by column; its line is its row number in the sheet.

    Cost:   the sheet in memory, within the bounds above
    """
    try:
        with watch_for_changes(source, report), open_source(source) as raw, BufferedReader(raw) as file:
            sheet = _open_sheet(file, source, spec, report)
            meter.add(file.seek(0, SEEK_END))
        if sheet:
            yield from read_records(_read_cells(sheet, report), source, spec, report)
    except OSError as error:
        report.stop_reading(unreadable_file(source, error))
    except UnreadableSheetError as error:
        report.stop_reading(_unreadable_cell(source, str(error)))


def read_values(values: "CalamineSheet") -> Iterator[list[Cell]]:
    """Yield the rows of a sheet from the first, each from the first column that holds something.

    Raises: UnreadableSheetError, for a number that is none of a sheet
    """
    rows = values.iter_rows()
    for number in count(1):
        with translate_panics(f"row {number}"):
            cells = next(rows, None)
        if cells is None:
            return
        for at, cell in enumerate(cells, start=values.start[1] + 1 if values.start else 1):
            if type(cell) is float and not isfinite(cell):
                place = f"{column_name(at)}{number}"
                raise UnreadableSheetError(f"{place} has a number that no sheet can hold: it is too large, or none")
        yield cells


@contextmanager
def translate_panics(place: str) -> Iterator[None]:
    """Raise UnreadableSheetError where the library that reads workbooks ends with an error of its own."""
    try:
        yield
    except BaseException as error:
        # Its panic is none of the exceptions that programs catch, and its class has no public name.
        if not isinstance(error, OverflowError) and type(error).__name__ != "PanicException":
            raise
        raise UnreadableSheetError(f"{place} {NO_MOMENT}") from error


def _read_cells(sheet: _Sheet, report: RowReport) -> Iterator[Record]:
    # Empty rows above the table are no rows; the library leaves out those at the end.
    is_above = True
    for number, cells in enumerate(read_values(sheet.values), start=1):
        texts = sheet.reader.read_row(number, cells)
        is_above = is_above and not any(texts)
        if not is_above:
            yield number, texts
    for finding in sheet.reader.findings():
        report.add(finding)


def _open_sheet(file: BinaryIO, source: Source, spec: DatasetSpec, report: RowReport) -> _Sheet | None:
    # Loaded here because only workbooks need it.
    from python_calamine import CalamineError, load_workbook

    problem = check_workbook_size(file, source)
    if problem:
        report.stop_reading(problem)
        return None
    try:
        file.seek(0)
        book = load_workbook(file)
        name = _choose_sheet(book, source, spec, report)
        return None if name is None else _prepare_sheet(file, book.get_sheet_by_name(name), source, report)
    except CalamineError as error:
        what = f"the workbook cannot be read: {error}"[:300]
        report.stop_reading(source.problem("xlsx.syntax", what, "save it again as .xlsx"))
        return None


def _prepare_sheet(file: BinaryIO, values: "CalamineSheet", source: Source, report: RowReport) -> _Sheet | None:
    (_, column), (last_row, last_column) = values.start or (0, 0), values.end or (-1, -1)
    try:
        facts = read_facts(file, values.name, last_row + 1, last_column + 1)
    except UnreadableSheetError as error:
        facts, is_needed = SheetFacts(), source.terms.cells is Cells.SHOWN
        what = f"what the sheet shows cannot be read ({error}), only what it stores"[:300]
        hint = "save it again as .xlsx, or give its source `cells: stored`"
        severity = Severity.ERROR if is_needed else Severity.WARNING
        report.add(source.problem("xlsx.cells", what, hint, severity=severity))
    if facts.far:
        report.stop_reading(_unreadable_cell(source, f"{facts.far} {NO_MOMENT}"))
        return None
    return _Sheet(values, CellReader(source, facts, column + 1))


def _unreadable_cell(source: Source, what: str) -> Problem:
    return source.problem("xlsx.syntax", what, "mend the cell, or give it the format text, and save the workbook again")


def _choose_sheet(book: "CalamineWorkbook", source: Source, spec: DatasetSpec, report: RowReport) -> str | None:
    wanted = source.terms.sheet or spec.sheet
    names = [sheet.name for sheet in book.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]
    if wanted is None and names:
        if len(names) > 1:
            what = f"the workbook has {len(names)} sheets; the first, `{names[0]}`, is read"
            hint = "name the sheet you want with `sheet`"
            report.add(source.problem("xlsx.sheet", what, hint, severity=Severity.WARNING))
        shown = next(str(sheet.visible) for sheet in book.sheets_metadata if sheet.name == names[0])
        if shown.endswith("Hidden"):
            what, hint = f"the sheet that is read, `{names[0]}`, is hidden", "name the sheet you want with `sheet`"
            report.add(source.problem("xlsx.hidden", what, hint, severity=Severity.WARNING))
        return names[0]
    if wanted in names:
        return wanted
    missing = f"`{source.name}` has no sheet `{wanted}`; its sheets are {list_words(names)}"
    what = missing if names else "no sheet with cells"
    field = f"{source.field}.sheet" if source.terms.sheet else "sheet"
    report.stop_reading(spec_problem(spec, "xlsx.sheet", field, what, did_you_mean(wanted or "", names)))
    return None
