"""XLSX: the cells of one sheet as text, as `shown_cells.py` writes them.

A workbook is a zip archive of XML. The library that reads it reads sheets whole, and lays out every cell between the
first and the last, so a small file can ask for more memory than there is. The sizes that an archive states may be
false. So the archive is unpacked here once, and measured, before the library opens it.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import SEEK_END, BufferedReader
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from reconciler.dataset.readers.sheet_facts import SheetFacts, UnreadableSheetError, read_facts
from reconciler.dataset.readers.shown_cells import CellReader
from reconciler.dataset.readers.stream import ProgressMeter, open_source, unreadable_file, watch_for_changes
from reconciler.dataset.readers.table_header import Record, read_records
from reconciler.dataset.readers.text import recognise_file
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source, spec_problem
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Cells, DatasetSpec
from reconciler.foundation.text import did_you_mean, list_words

if TYPE_CHECKING:  # The library is loaded only when a workbook is read.
    from python_calamine import CalamineSheet, CalamineWorkbook

MAX_UNPACKED_BYTES = 256 << 20
MAX_CELLS = 8 << 20
MAX_ENTRIES = 10_000

_CHUNK = 1 << 20
_OVERLAP = 64
_END = b"PK\x05\x06"
_REFERENCE = re.compile(rb"""r\s*=\s*["']([A-Za-z]{0,7})([0-9]{1,10})["']""")
_CELL = tuple(b"<c" + after for after in (b" ", b">", b"/", b"\t", b"\n", b"\r"))
_PREFIXED_ROW = re.compile(rb"<[\w.-]+:row[\s/>]")


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


def _read_cells(sheet: _Sheet, report: RowReport) -> Iterator[Record]:
    # Empty rows above the table are no rows; the library leaves out those at the end.
    is_above = True
    for number, cells in enumerate(sheet.values.iter_rows(), start=1):
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


def _prepare_sheet(file: BinaryIO, values: "CalamineSheet", source: Source, report: RowReport) -> _Sheet:
    (_, column), (last_row, last_column) = values.start or (0, 0), values.end or (-1, -1)
    try:
        facts = read_facts(file, values.name, last_row + 1, last_column + 1)
    except UnreadableSheetError as error:
        facts, is_needed = SheetFacts(), source.terms.cells is Cells.SHOWN
        what = f"what the sheet shows cannot be read ({error}), only what it stores"[:300]
        hint = "save it again as .xlsx, or give its source `cells: stored`"
        severity = Severity.ERROR if is_needed else Severity.WARNING
        report.add(source.problem("xlsx.cells", what, hint, severity=severity))
    return _Sheet(values, CellReader(source, facts, column + 1))


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


def check_workbook_size(file: BinaryIO, source: Source) -> Problem | None:
    """Return why an open file is not a workbook that can be read safely; None when it is one.

    Cost:   the archive unpacked once, a chunk at a time
    """
    head = file.read(4096)
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 65_557))
    tail = file.read()
    if not head.startswith(b"PK"):
        return _not_a_workbook(head, source)
    # Every library reads the list of entries whole, so its length is checked first; 0xFFFF means "more than that".
    end = tail.rfind(_END)
    if end >= 0 and int.from_bytes(tail[end + 10 : end + 12], "little") > MAX_ENTRIES:
        what = f"the workbook has more than {MAX_ENTRIES} parts"
        return source.problem("file.size", what, "keep the sheet you need and save it again")
    try:
        with zipfile.ZipFile(file) as archive:
            return _check_entries(archive, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        # zipfile raises NotImplementedError for an unknown compression, and RuntimeError for a locked archive.
        what = f"the workbook cannot be unpacked: {error}"[:300]
        return source.problem("xlsx.syntax", what, "save it again as .xlsx")


def _check_entries(archive: zipfile.ZipFile, source: Source) -> Problem | None:
    entries = archive.infolist()
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        what = "the archive is not an Excel workbook"
        return source.problem("xlsx.syntax", what, "save the sheet as .xlsx or .csv")
    what = f"the workbook unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB"
    too_large = source.problem("file.size", what, "split it, or save the sheet as .csv: any size")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return too_large
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        extent = _Extent()
        for chunk in _unpack(archive, entry, left):
            left -= len(chunk)
            if left < 0:
                return too_large
            extent.add(chunk)
        if extent.cells > MAX_CELLS:
            what = f"a sheet spans {extent.rows} rows and {extent.columns} columns, more than {MAX_CELLS} cells"
            hint = "delete the cells far outside the table, or save the sheet as .csv"
            return source.problem("file.size", what, hint)
    return None


class _Extent:
    """How far the cells of one part extend, as its text says; zero for parts without cells."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self._seen = b""
        self._unplaced = 0

    def add(self, chunk: bytes) -> None:
        references = _REFERENCE.findall(self._seen + chunk)
        if references:
            letters, digits = map(set, zip(*references, strict=True))
            self.columns = max(self.columns, *map(_column, letters))
            self.rows = max(self.rows, *map(int, digits))
        # A cell without a reference stands to the right of the one before.
        cells = _count_cells(chunk)
        if b":row" in chunk and _PREFIXED_ROW.search(chunk):
            cells += chunk.count(b":c")
        self._unplaced += max(0, cells - len(references))
        self.columns = max(self.columns, self._unplaced)
        self._seen = chunk[-_OVERLAP:]

    @property
    def cells(self) -> int:
        return self.rows * self.columns


def _count_cells(chunk: bytes) -> int:
    # Almost all cells are written in the first way: when those are all there can be, the other ways are not counted.
    most, cells = chunk.count(b"<c"), 0
    for start in _CELL:
        if cells == most:
            break
        cells += chunk.count(start)
    return cells


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    # `zipfile` reads no more than the size that the entry states; other libraries ignore that size.
    entry.file_size = most + 2 * _CHUNK
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _not_a_workbook(head: bytes, source: Source) -> Problem:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        what = "the file is an old workbook, or one with a password"
        return source.problem("file.kind", what, "save it as .xlsx without a password")
    other = source.problem("file.kind", "the file is not an Excel workbook", "if it is text, name it .csv or .tsv")
    return recognise_file(head, source) or other
