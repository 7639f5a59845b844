"""JSON Lines: one row a line. A byte order mark, CRLF and a missing last line feed make no difference."""

from collections.abc import Iterator

from reconciler.dataset.canonical import LineError, parse
from reconciler.dataset.readers.blank import Blanks
from reconciler.dataset.readers.sniff import text_blocks
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.stream import Meter, read_blocks, split_lines
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec


def read(source: Source, spec: DatasetSpec, report: Report, meter: Meter) -> Iterator[Row]:
    """Yield the row of every line that is strict JSON.

    Cost:   one block and one line in memory
    """
    blanks = Blanks(source)
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    yield from rows_of(split_lines(blocks, source, report), source, report, blanks)
    blanks.tell(report)


def rows_of(lines: Iterator[tuple[int, bytes]], source: Source, report: Report, blanks: Blanks) -> Iterator[Row]:
    """Yield the row of every numbered line that is strict JSON; report the others, and note those that are blank."""
    for number, line in lines:
        try:
            yield Row(source.name, number, parse(line))
        except LineError as error:
            if line.strip():
                report.drop(problem_of(error, Place(file=source.name, line=number, column=error.column)))
            else:
                blanks.add(number)


def problem_of(error: LineError, where: Place) -> Problem:
    """Place what is wrong with a line."""
    return Problem(where=where, what=error.what, hint=error.hint, rule=error.rule)
