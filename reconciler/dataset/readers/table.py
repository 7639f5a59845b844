"""CSV and TSV: a header, then text by column. Cells are taken as they are, line breaks and spaces included."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from reconciler.dataset.readers.json_rows import place_error
from reconciler.dataset.readers.stream import MAX_LINE_BYTES, ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.text import BlankLines, text_blocks
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import encoding_error
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.suggest import list_words

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}
_ADVICE = {
    "\t": "name it .tsv",
    ",": "name it .csv",
    ";": 'save it with commas, or give its source `delimiter: ";"`',
    "|": 'save it with commas, or give its source `delimiter: "|"`',
}


class TableHeader(msgspec.Struct, frozen=True):
    """The columns of one table.

    Shape:  a column without a name is None: its cells cannot be asked for, and are left out
    """

    file: str
    columns: tuple[str | None, ...]

    def row(self, cells: Sequence[str], line: int, report: RowReport) -> Row | None:
        """Name the cells of one row, missing ones at its end as empty. None, and a problem, when there are too many."""
        surplus = len(cells) - len(self.columns)
        if surplus > 0 and any(cells[len(self.columns) :]):
            what = f"the row has {len(cells)} cells, and the header names {len(self.columns)} columns"
            hint = "put a cell that holds a delimiter into quotes"
            report.drop_row(Problem(where=Place(file=self.file, line=line), what=what, hint=hint, rule="table.cells"))
            return None
        if not surplus and None not in self.columns:
            return Row(self.file, line, dict(zip(self.columns, cells, strict=True)))
        filled = [*cells, *[""] * -surplus] if surplus < 0 else cells
        named = zip(self.columns, filled, strict=False)
        return Row(self.file, line, {column: cell for column, cell in named if column is not None})


def read_table(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each row below the header as text by column; a row's line is the one it begins on.

    Cost:   one block and one row in memory
    """
    # The limit is the module's own and only ever raised; its default is shorter than a long document.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    blanks = BlankLines(source)
    header: TableHeader | None = None
    for line, cells in _records(source, report, meter):
        if not cells:
            blanks.add(line)
        elif header is None:
            header = _header(cells, line, source, report)
            if header is None:
                return
        else:
            row = header.row(cells, line, report)
            if row:
                yield row
    blanks.report_to(report)


def _delimiter(source: Source) -> str:
    return source.terms.delimiter or _DELIMITERS[source.extension]


def _records(source: Source, report: RowReport, meter: ProgressMeter) -> Iterator[tuple[int, list[str]]]:
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    reader = csv.reader(_text(blocks, source, report), delimiter=_delimiter(source), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        report.stop_reading(_broken(error, begins, source))


def _text(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[str]:
    for number, line in split_lines(blocks, source, report):
        try:
            yield line.decode() + "\n"
        except UnicodeDecodeError as error:
            fault = encoding_error(line, error.start)
            report.add(place_error(fault, Place(file=source.name, line=number, column=fault.column)))
            # The cells still tell where rows end, so that whatever else is wrong can be said in the same run.
            yield line.decode(errors="replace") + "\n"


def _header(cells: list[str], line: int, source: Source, report: RowReport) -> TableHeader | None:
    used = _delimiter(source)
    other = next((each for each in _NAMES if len(cells) == 1 and each != used and each in cells[0]), None)
    if other is None:
        return read_header(cells, line, source.name, report)
    report.stop_reading(
        Problem(
            where=Place(file=source.name, line=line),
            what=f"the header has one column: the file is most likely separated by {_NAMES[other]}, not {_NAMES[used]}",
            hint=_ADVICE[other],
            rule="table.delimiter",
        )
    )
    return None


def _broken(error: csv.Error, line: int, source: Source) -> Problem:
    words = str(error)
    if "unexpected end" in words or "field larger" in words:
        what, hint = "a quoted cell that begins in this row has no end", 'write a quote inside a quoted cell twice: ""'
    elif "expected after" in words:
        what, hint = "a quoted cell goes on after its closing quote", 'write a quote inside a quoted cell twice: ""'
    elif "new-line" in words:
        what, hint = "lines end in a lone carriage return", "save the file with LF or CRLF line ends"
    else:
        what, hint = f"not readable as a table: {words}", ""
    return Problem(
        where=Place(file=source.name, line=line), what=f"{what}; reading stopped here", hint=hint, rule="table.syntax"
    )


def read_header(cells: Sequence[str], line: int, file: str, report: RowReport) -> TableHeader | None:
    """Read a table's header; None, and a problem, when rows cannot be read by it."""
    where = Place(file=file, line=line)
    if not any(cell.strip() for cell in cells):
        report.stop_reading(
            Problem(
                where=where, what="the header is empty", hint="name the columns in the first row", rule="table.header"
            )
        )
        return None
    twice = [name for name, count in Counter(cell for cell in cells if cell).items() if count > 1]
    if twice:
        what = f"the header names {list_words(twice)} more than once"
        report.stop_reading(Problem(where=where, what=what, hint="give each column its own name", rule="table.header"))
        return None
    nameless = sum(not cell for cell in cells)
    if nameless:
        what = (
            f"{nameless} columns have no name and are left out"
            if nameless > 1
            else "a column has no name and is left out"
        )
        report.add(Problem(where=where, what=what, rule="table.header", severity=Severity.WARNING))
    return TableHeader(file, tuple(cell or None for cell in cells))
