"""CSV and TSV: a header, then text by column. Cells are taken as they are, line breaks and spaces included."""

import csv
from collections.abc import Iterator

from reconciler.dataset.json_errors import not_utf8
from reconciler.dataset.readers.blank import Blanks
from reconciler.dataset.readers.header import Header, header_of
from reconciler.dataset.readers.jsonl import problem_of
from reconciler.dataset.readers.sniff import text_blocks
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.stream import MAX_LINE_BYTES, Meter, read_blocks, split_lines
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}
_ADVICE = {
    "\t": "name it .tsv",
    ",": "name it .csv",
    ";": 'save it with commas, or give its source `delimiter: ";"`',
    "|": 'save it with commas, or give its source `delimiter: "|"`',
}


def read(source: Source, spec: DatasetSpec, report: Report, meter: Meter) -> Iterator[Row]:
    """Yield each row below the header as text by column; a row's line is the one it begins on.

    Cost:   one block and one row in memory
    """
    # The limit is the module's own and only ever raised; its default is shorter than a long document.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    blanks = Blanks(source)
    header: Header | None = None
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
    blanks.tell(report)


def _delimiter(source: Source) -> str:
    return source.terms.delimiter or _DELIMITERS[source.extension]


def _records(source: Source, report: Report, meter: Meter) -> Iterator[tuple[int, list[str]]]:
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    reader = csv.reader(_text(blocks, source, report), delimiter=_delimiter(source), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        report.stop(_broken(error, begins, source))


def _text(blocks: Iterator[bytes], source: Source, report: Report) -> Iterator[str]:
    for number, line in split_lines(blocks, source, report):
        try:
            yield line.decode() + "\n"
        except UnicodeDecodeError as error:
            fault = not_utf8(line, error.start)
            report.tell(problem_of(fault, Place(file=source.name, line=number, column=fault.column)))
            # The cells still tell where rows end, so that whatever else is wrong can be said in the same run.
            yield line.decode(errors="replace") + "\n"


def _header(cells: list[str], line: int, source: Source, report: Report) -> Header | None:
    used = _delimiter(source)
    other = next((each for each in _NAMES if len(cells) == 1 and each != used and each in cells[0]), None)
    if other is None:
        return header_of(cells, line, source.name, report)
    report.stop(
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
