"""Tables. CSV and TSV: a header, then text by column. Cells are kept as they are, with line breaks and spaces.

A line break in a cell is a line feed, however the file ends its lines: git may write CRLF on one machine and LF on
another, and the rows are the same. Workbooks use the same header.
"""

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
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}
_ADVICE = {
    "\t": "name it .tsv",
    ",": "name it .csv",
    ";": 'save it with commas, or give its source `delimiter: ";"`',
    "|": 'save it with commas, or give its source `delimiter: "|"`',
}
_QUOTES = 'write a quote inside a quoted cell twice: ""'


class TableHeader(msgspec.Struct, frozen=True):
    """The columns of one table.

    Shape:  a column without a name is None: no mapping can name its cells, and they are left out
    """

    source: Source
    columns: tuple[str | None, ...]

    def row(self, cells: Sequence[str], line: int, report: RowReport) -> Row | None:
        """Return one row by column, with missing cells at its end as empty; None, and a problem, for too many cells."""
        surplus = len(cells) - len(self.columns)
        if surplus > 0 and any(cells[len(self.columns) :]):
            what = f"the row has {len(cells)} cells, and the header names {len(self.columns)} columns"
            hint = "put a cell that holds a delimiter into quotes"
            report.drop_row(self.source.problem("table.cells", what, hint, line=line))
            return None
        if not surplus and None not in self.columns:
            return Row(self.source.name, line, dict(zip(self.columns, cells, strict=True)))
        padded = [*cells, *[""] * -surplus] if surplus < 0 else cells
        pairs = zip(self.columns, padded, strict=False)
        return Row(self.source.name, line, {column: cell for column, cell in pairs if column is not None})


def read_header(cells: Sequence[str], line: int, source: Source, report: RowReport) -> TableHeader | None:
    """Return a table's header; None, and a problem, when rows cannot be read by it."""
    rule = "table.header"
    if not any(cell.strip() for cell in cells):
        hint = "name the columns in the first row"
        report.stop_reading(source.problem(rule, "the header is empty", hint, line=line))
        return None
    twice = [name for name, count in Counter(cell for cell in cells if cell).items() if count > 1]
    if twice:
        what = f"the header names {list_words(twice)} more than once"
        report.stop_reading(source.problem(rule, what, "give each column its own name", line=line))
        return None
    nameless = sum(not cell for cell in cells)
    if nameless:
        columns = f"{nameless} columns have no name and are" if nameless > 1 else "a column has no name and is"
        report.add(source.problem(rule, f"{columns} left out", line=line, severity=Severity.WARNING))
    return TableHeader(source, tuple(cell or None for cell in cells))


def read_table(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each row below the header as text by column; a row's line is the one it begins on.

    Cost:   one block and one row in memory
    """
    # The limit is global to the csv module and is only raised; its default is shorter than a long document.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    blanks = BlankLines(source)
    header: TableHeader | None = None
    for line, cells in _read_records(source, report, meter):
        if not cells:
            blanks.add(line)
        elif header is None:
            header = _read_text_header(cells, line, source, report)
            if header is None:
                return
        else:
            row = header.row(cells, line, report)
            if row:
                yield row
    blanks.report_to(report)


def _delimiter(source: Source) -> str:
    return source.terms.delimiter or _DELIMITERS[source.extension]


def _read_records(source: Source, report: RowReport, meter: ProgressMeter) -> Iterator[tuple[int, list[str]]]:
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    reader = csv.reader(_decode_lines(blocks, source, report), delimiter=_delimiter(source), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        report.stop_reading(_syntax_problem(error, begins, source))


def _decode_lines(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[str]:
    for number, ended in split_lines(blocks, source, report):
        line = ended.removesuffix(b"\r")
        try:
            yield line.decode() + "\n"
        except UnicodeDecodeError as error:
            report.add(place_error(encoding_error(line, error.start), source, number))
            # The cells still show where rows end, so that other problems are reported in the same run.
            yield line.decode(errors="replace") + "\n"


def _read_text_header(cells: list[str], line: int, source: Source, report: RowReport) -> TableHeader | None:
    used = _delimiter(source)
    other = next((mark for mark in _NAMES if len(cells) == 1 and mark != used and mark in cells[0]), None)
    if other is None:
        return read_header(cells, line, source, report)
    what = f"the header has one column: the file is most likely separated by {_NAMES[other]}, not {_NAMES[used]}"
    report.stop_reading(source.problem("table.delimiter", what, _ADVICE[other], line=line))
    return None


def _syntax_problem(error: csv.Error, line: int, source: Source) -> Problem:
    words = str(error)
    if "unexpected end" in words or "field larger" in words:
        what, hint = "a quoted cell that begins in this row has no end", _QUOTES
    elif "expected after" in words:
        what, hint = "a quoted cell goes on after its closing quote", _QUOTES
    elif "new-line" in words:
        what, hint = "lines end in a lone carriage return", "save the file with LF or CRLF line ends"
    else:
        what, hint = f"not readable as a table: {words}", ""
    return source.problem("table.syntax", f"{what}; reading stopped here", hint, line=line)
