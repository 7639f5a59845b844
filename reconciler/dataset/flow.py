"""The stages in their order: read, prepare, map, check, canonical line. Each takes an iterator and gives one.

Files of plain rows take the fast lane beside them, which gives the same.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from reconciler.dataset.checks import check
from reconciler.dataset.formats import settle_format
from reconciler.dataset.lane.file import read_plain
from reconciler.dataset.lane.plain import has_lane
from reconciler.dataset.lines import canonical
from reconciler.dataset.mapping import mapped
from reconciler.dataset.prepare import prepared
from reconciler.dataset.readers import read
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.run import Run, run_of
from reconciler.dataset.sources import find_sources
from reconciler.dataset.stream import Meter
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec, Format

_RUN_BYTES = 64 << 10


def read_rows(
    spec: DatasetSpec, workspace: Path, report: Report, progress: Callable[[int], None] | None = None
) -> tuple[Format, Iterator[Row]]:
    """Give the format of a dataset and its rows in the API's form, source after source."""
    return settle_format(_rows(spec, workspace, report, Meter(progress)), spec, report)


def read_runs(
    spec: DatasetSpec,
    workspace: Path,
    report: Report,
    *,
    check_rows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> tuple[Format, Iterator[Run]]:
    """Give the format of a dataset and its canonical lines, source after source, by whichever way is the faster.

    Shape:  without `check_rows` the lines are written as they are, whatever the rules would say of them
    """

    def general(rows: Iterator[Row], format: Format) -> Iterator[Run]:  # noqa: A002 (the word of the field)
        return runs(checked(rows, format, report) if check_rows else rows, format)

    plain = _format_of_plain(spec, workspace)
    if plain:
        sources = find_sources(spec, workspace, report)
        meter, rules = Meter(progress), partial(general, format=plain)
        each = (read_plain(source, plain, rules, report, meter) for source in sources)
        return plain, chain.from_iterable(each)
    format, rows = read_rows(spec, workspace, report, progress)  # noqa: A001 (as above)
    return format, general(rows, format)


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


def runs(rows: Iterator[Row], format: Format) -> Iterator[Run]:  # noqa: A002 (the word of the field)
    """Write every row as its canonical line, and give those that follow each other together.

    Cost:   at most 64 KiB of lines and one more in memory
    """
    file, first, size_bytes, texts = "", 0, 0, list[bytes]()
    for row in rows:
        if texts and (size_bytes >= _RUN_BYTES or row.file != file or row.line != first + len(texts)):
            yield run_of(file, first, texts)
            texts, size_bytes = [], 0
        if not texts:
            file, first = row.file, row.line
        texts.append(canonical(row.value, format))
        size_bytes += len(texts[-1])
    if texts:
        yield run_of(file, first, texts)


def _rows(spec: DatasetSpec, workspace: Path, report: Report, meter: Meter) -> Iterator[Row]:
    files = ((source, read(source, spec, report, meter)) for source in find_sources(spec, workspace, report))
    for rows, in_table in prepared(files, spec, report):
        yield from mapped(rows, spec, in_table, report)


def _format_of_plain(spec: DatasetSpec, workspace: Path) -> Format | None:
    # What else a spec asks for is the general rules' affair: whatever it is, it is no field of the bare spec here.
    bare = DatasetSpec(
        name=spec.name,
        place=spec.place,
        sources=spec.sources,
        format=spec.format,
        validation_share=spec.validation_share,
        heldout=spec.heldout,
        expect=spec.expect,
        checks=spec.checks,
        allow=spec.allow,
        labels=spec.labels,
        description=spec.description,
    )
    # The first row names the format, and is looked at before the pass: an unsound start goes the general way.
    look = Report()
    sources = find_sources(spec, workspace, look)
    if spec != bare or look.has_problems or not all(source.extension == ".jsonl" for source in sources):
        return None
    found = spec.format or settle_format(_rows(spec, workspace, look, Meter()), spec, look)[0]
    return found if has_lane(found) and not look.has_problems else None
