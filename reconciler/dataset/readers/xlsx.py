"""XLSX: the cells of one sheet as text, the way the sheet's own CSV export has them, dates in ISO form.

A workbook is a zip archive of XML and is read whole, so it is weighed before it is opened (`archive.py`).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import SEEK_END, BufferedReader
from typing import TYPE_CHECKING, BinaryIO

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.readers.archive import check_workbook_size
from reconciler.dataset.readers.stream import ProgressMeter, open_source, unreadable_file, watch_for_changes
from reconciler.dataset.readers.table import TableHeader, read_header
from reconciler.dataset.readers.text import BlankLines
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import parse_number
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.suggest import did_you_mean, list_words

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Cell = int | float | str | bool | time | date | datetime | timedelta


def read_workbook(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each row below the header as text by column; its line is its row number in the sheet.

    Cost:   the sheet in memory, within the bounds of `archive.py`
    """
    try:
        with watch_for_changes(source, report), open_source(source) as raw, BufferedReader(raw) as file:
            sheet = _open(file, source, spec, report)
            meter.add(file.seek(0, SEEK_END))
        if sheet:
            yield from _rows(sheet, source, report)
    except OSError as error:
        report.stop_reading(unreadable_file(source, error))


def cell_to_text(cell: Cell) -> str:
    """Write a cell as text: whole numbers as integers, dates in ISO form, the rest as the sheet shows it."""
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return write_canonical_text(parse_number(repr(cell)))
        case timedelta():
            minutes, seconds = divmod(int(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return cell.isoformat()


def _rows(sheet: "CalamineSheet", source: Source, report: RowReport) -> Iterator[Row]:
    blanks = BlankLines(source)
    header: TableHeader | None = None
    # Empty rows above the header are decoration; those between rows are told, those at the end do not arrive.
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [cell if type(cell) is str else cell_to_text(cell) for cell in cells]
        if not any(texts):
            if header:
                blanks.add(number)
        elif header is None:
            header = read_header(texts, number, source.name, report)
            if header is None:
                return
        else:
            row = header.row(texts, number, report)
            if row:
                yield row
    blanks.report_to(report)


def _open(file: BinaryIO, source: Source, spec: DatasetSpec, report: RowReport) -> "CalamineSheet | None":
    # Loaded here because it is needed for workbooks alone.
    from python_calamine import CalamineError, load_workbook

    problem = check_workbook_size(file, source)
    if problem:
        report.stop_reading(problem)
        return None
    try:
        file.seek(0)
        book = load_workbook(file)
        name = _sheet_name(book, source, spec, report)
        return None if name is None else book.get_sheet_by_name(name)
    except CalamineError as error:
        what = f"the workbook cannot be read: {error}"[:300]
        report.stop_reading(
            Problem(where=Place(file=source.name), what=what, hint="save it anew as .xlsx", rule="xlsx.syntax")
        )
        return None


def _sheet_name(book: "CalamineWorkbook", source: Source, spec: DatasetSpec, report: RowReport) -> str | None:
    wanted = source.terms.sheet or spec.sheet
    names = [each.name for each in book.sheets_metadata if str(each.typ).endswith("WorkSheet")]
    if wanted is None and names:
        if len(names) > 1:
            what = f"the workbook has {len(names)} sheets; the first, `{names[0]}`, is read"
            hint = "name the one you mean with `sheet`"
            where = Place(file=source.name)
            report.add(Problem(where=where, what=what, hint=hint, rule="xlsx.sheet", severity=Severity.WARNING))
        return names[0]
    if wanted in names:
        return wanted
    what = (
        f"`{source.name}` has no sheet `{wanted}`; its sheets are {list_words(names)}"
        if names
        else "no sheet with cells"
    )
    hint = did_you_mean(wanted or "", names)
    report.stop_reading(Problem(where=spec.place, path="sheet", what=what, hint=hint, rule="xlsx.sheet"))
    return None
