"""CSV and TSV: a header, then text by column. Cells are kept as they are, with line breaks and spaces.

A line break in a cell is a line feed, however the file ends its lines: git may write CRLF on one machine and LF on
another, and the rows are the same.
"""

import csv
from collections.abc import Iterator
from itertools import chain

import msgspec

from reconciler.dataset.readers.stream import MAX_LINE_BYTES, ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.table_header import Record, read_records
from reconciler.dataset.readers.table_shape import (
    NAMES,
    count_swallowed_rows,
    find_other_delimiter,
    quoting_of,
    stated_delimiter,
    take_head,
)
from reconciler.dataset.readers.text import OddLines, text_blocks
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import encoding_error
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.expectations import Allowance
from reconciler.domain.spec import DatasetSpec

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_ADVICE = {
    "\t": 'name it .tsv, or give its source `delimiter: "\\t"`',
    ",": 'name it .csv, or give its source `delimiter: ","`',
    ";": 'save it with commas, or give its source `delimiter: ";"`',
    "|": 'save it with commas, or give its source `delimiter: "|"`',
}
_NO_QUOTES = "where quotes are only characters of this file, give its source `quote: none`"
_QUOTES = f'write a quote inside a quoted cell twice: ""; {_NO_QUOTES}'


class _Layout(msgspec.Struct, frozen=True):
    """How the lines of one file become cells.

    Shape:  `skipped` lines stand above the header; `allow` are findings that the spec allows
    """

    source: Source
    delimiter: str
    skipped: int = 0
    allow: tuple[Allowance, ...] = ()


def read_table(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each row below the header as text by column; a row's line is the one it begins on.

    Cost:   one block and one row in memory, and the first hundred rows before the first is yielded
    """
    # The limit is global to the csv module and is only raised; its default is shorter than a long document.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    lines = _decode_lines(text_blocks(read_blocks(source, report, meter), source, report), source, report)
    head = take_head(lines)
    layout = _find_layout(head, source, spec)
    problem = _judge_delimiter(head[layout.skipped :], layout)
    if problem:
        report.stop_reading(problem)
        return
    records = _read_cells(chain(head[layout.skipped :], lines), layout, report)
    yield from read_records(records, source, spec, report)


def _find_layout(head: list[str], source: Source, spec: DatasetSpec) -> _Layout:
    stated = stated_delimiter(head[0]) if head else None
    delimiter = source.terms.delimiter or stated or _DELIMITERS[source.extension]
    return _Layout(source=source, delimiter=delimiter, skipped=1 if stated else 0, allow=spec.allow)


def _judge_delimiter(head: list[str], layout: _Layout) -> Problem | None:
    used, source = layout.delimiter, layout.source
    other = find_other_delimiter(head, used, source.terms.quote)
    if other is None:
        return None
    line = layout.skipped + 1 + next(at for at, text in enumerate(head) if text.rstrip("\n"))
    name = NAMES.get(used, f"`{used}`")
    what = f"{other.why}: the file is most likely separated by {NAMES[other.mark]}, not {name}"
    return source.problem("table.delimiter", what, _ADVICE[other.mark], line=line)


def _read_cells(lines: Iterator[str], layout: _Layout, report: RowReport) -> Iterator[Record]:
    quoting = quoting_of(layout.source.terms.quote)
    reader = csv.reader(lines, delimiter=layout.delimiter, quoting=quoting, strict=True)
    begins, columns = layout.skipped + 1, 0
    try:
        for cells in reader:
            columns = columns or len(cells)
            ends = layout.skipped + reader.line_num
            is_broken = ends > begins and _has_swallowed_rows(cells, begins, columns, layout, report)
            if not is_broken:
                yield begins, cells
            begins = ends + 1
    except csv.Error as error:
        report.stop_reading(_syntax_problem(error, begins, layout.source))


def _has_swallowed_rows(cells: list[str], line: int, columns: int, layout: _Layout, report: RowReport) -> bool:
    """Report a cell that holds rows; return whether its own row is left out: what is wrong with it has this cause."""
    found = count_swallowed_rows(cells, columns, layout.delimiter)
    if found is None:
        return False
    at, rows = found
    opens = line + sum(cell.count("\n") for cell in cells[:at])
    looks = "what looks like a row" if rows == 1 else f"what look like {rows} rows"
    what = f"the quoted cell that opens here holds {looks}"
    hint = (
        f"a quote inside a cell is written twice, and {_NO_QUOTES}; if the cell is right, allow this rule for the line"
    )
    severity = Severity.WARNING if rows == 1 else Severity.ERROR
    problem = layout.source.problem("table.swallowed-rows", what, hint, line=opens, severity=severity)
    if severity is not Severity.ERROR or any(each.covers(problem) for each in layout.allow):
        report.add(problem)
        return False
    report.drop_row(problem)
    return True


def _decode_lines(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[str]:
    odd = OddLines(source)
    for number, ended in split_lines(odd.watch(blocks), source, report):
        line = ended.removesuffix(b"\r")
        try:
            yield line.decode() + "\n"
        except UnicodeDecodeError as found:
            odd.add_undecoded(encoding_error(line, found.start), number, line, report)
            # The cells still show where rows end, so that other problems are reported in the same run.
            yield line.decode(errors="backslashreplace") + "\n"
    odd.report_to(report)


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
