"""The stages in their order: read, map, check, canonical line. Each takes an iterator and gives one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from reconciler.dataset.checks import check
from reconciler.dataset.formats import settle_format
from reconciler.dataset.lines import canonical
from reconciler.dataset.mapping import mapped
from reconciler.dataset.readers import is_table, read
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import find_sources
from reconciler.dataset.stream import Meter
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec, Format


class Line(NamedTuple):
    """A row as it is digested and uploaded, with the place it was read from and the hash that decides its side."""

    file: str
    line: int
    text: bytes
    key: int


def read_rows(
    spec: DatasetSpec, workspace: Path, report: Report, progress: Callable[[int], None] | None = None
) -> tuple[Format, Iterator[Row]]:
    """Give the format of a dataset and its rows in the API's form, source after source."""
    return settle_format(_rows(spec, workspace, report, Meter(progress)), spec, report)


def checked(rows: Iterator[Row], format: Format, report: Report) -> Iterator[Row]:  # noqa: A002 (the word of the field)
    """Give every row, and report what is wrong with it."""
    for row in rows:
        for finding in check(row.value, format):
            report.tell(
                Problem(
                    where=Place(file=row.file, line=row.line),
                    path=finding.path,
                    what=finding.what,
                    hint=finding.hint,
                    rule=finding.rule,
                    severity=finding.severity,
                )
            )
        yield row


def lines(rows: Iterator[Row], format: Format) -> Iterator[Line]:  # noqa: A002 (the word of the field)
    """Write every row as its canonical line."""
    for row in rows:
        text = canonical(row.value, format)
        yield Line(row.file, row.line, text, xxh3_64_intdigest(text))


def _rows(spec: DatasetSpec, workspace: Path, report: Report, meter: Meter) -> Iterator[Row]:
    for source in find_sources(spec, workspace, report):
        yield from mapped(read(source, spec, report, meter), spec, is_table(source), report)
