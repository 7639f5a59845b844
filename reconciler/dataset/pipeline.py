"""The stages in their order: read, prepare, map, check, canonical line. Each takes an iterator and gives one.

Files of plain rows take the fast lane beside them, which gives the same.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

from reconciler.dataset.canonical import LineBatch, make_batch, write_canonical_line
from reconciler.dataset.fast_path import can_be_plain, plain_values, read_plain_file
from reconciler.dataset.format_detection import detect_format
from reconciler.dataset.mapping import map_rows
from reconciler.dataset.readers import read_source
from reconciler.dataset.readers.stream import ProgressMeter
from reconciler.dataset.report import RowReport
from reconciler.dataset.row_checks import check_row
from reconciler.dataset.sources import Row, find_sources
from reconciler.dataset.steps import prepare_rows
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec, Format

_RUN_BYTES = 64 << 10
_BATCH_ROWS = 32
_PAIR = ("prompt", "completion")


def read_rows(
    spec: DatasetSpec, workspace: Path, report: RowReport, progress: Callable[[int], None] | None = None
) -> tuple[Format, Iterator[Row]]:
    """Return the format of a dataset and its rows in the API's form, source after source."""
    return detect_format(_rows(spec, workspace, report, ProgressMeter(progress)), spec, report)


def read_batches(
    spec: DatasetSpec,
    workspace: Path,
    report: RowReport,
    *,
    check_rows: bool = True,
    progress: Callable[[int], None] | None = None,
) -> tuple[Format, Iterator[LineBatch]]:
    """Return the format of a dataset and its canonical lines, source after source, by whichever way is the faster.

    Shape:  without `check_rows` the lines are written as they are, whatever the rules would say of them
    """

    def general(rows: Iterator[Row], format: Format) -> Iterator[LineBatch]:  # noqa: A002 (the word of the field)
        return write_batches(rows, format, report if check_rows else None)

    plain = _format_of_plain(spec, workspace)
    if plain:
        sources = find_sources(spec, workspace, report)
        meter, rules = ProgressMeter(progress), partial(general, format=plain)
        each = (read_plain_file(source, plain, rules, report, meter) for source in sources)
        return plain, chain.from_iterable(each)
    format, rows = read_rows(spec, workspace, report, progress)  # noqa: A001 (as above)
    return format, general(rows, format)


def write_batches(
    rows: Iterator[Row],
    format: Format,  # noqa: A002 (the word of the field)
    report: RowReport | None = None,
) -> Iterator[LineBatch]:
    """Write every row as its canonical line, and give those that follow each other together.

    Shape:  with a `report` it is told what is wrong with each row
    Cost:   at most 64 KiB of lines and as many rows that were read ahead, 32 of them at most, in memory
    """
    file, first, size_bytes, texts = "", 0, 0, list[bytes]()
    for row, text in _write_lines(rows, format, report):
        if texts and (size_bytes >= _RUN_BYTES or row.file != file or row.line != first + len(texts)):
            yield make_batch(file, first, texts)
            texts, size_bytes = [], 0
        if not texts:
            file, first = row.file, row.line
        texts.append(text)
        size_bytes += len(text)
    if texts:
        yield make_batch(file, first, texts)


def _write_lines(
    rows: Iterator[Row],
    format: Format,  # noqa: A002 (as above)
    report: RowReport | None,
) -> Iterator[tuple[Row, bytes]]:
    # Plain rows need no rules, and are told by the batch. A row may be as long as a line may be: long ones go alone.
    most = 1
    while batch := list(islice(rows, most)):
        longest = 1
        texts = plain_values([row.value for row in batch], format)
        for row, text in zip(batch, texts, strict=True) if texts else _check_and_write(batch, format, report):
            longest = max(longest, len(text))
            yield row, text
        most = max(1, min(_BATCH_ROWS, _RUN_BYTES // longest))


def _check_and_write(
    rows: list[Row],
    format: Format,  # noqa: A002 (as above)
    report: RowReport | None,
) -> Iterator[tuple[Row, bytes]]:
    for row in rows:
        for finding in check_row(row.value, format) if report else ():
            assert report
            report.add(
                Problem(
                    where=Place(file=row.file, line=row.line),
                    path=finding.path,
                    what=finding.what,
                    hint=finding.hint,
                    rule=finding.rule,
                    severity=finding.severity,
                )
            )
        yield row, write_canonical_line(row.value, format)


def _rows(spec: DatasetSpec, workspace: Path, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    files = ((source, read_source(source, spec, report, meter)) for source in find_sources(spec, workspace, report))
    for rows, in_table in prepare_rows(files, spec, report):
        are_pairs = in_table and not (spec.prepare or spec.mapping or spec.format is Format.CHAT)
        yield from _pairs(rows, spec, report) if are_pairs else map_rows(rows, spec, in_table, report)


def _pairs(rows: Iterator[Row], spec: DatasetSpec, report: RowReport) -> Iterator[Row]:
    # A table of just these two columns is mapped to itself, but for the rows with an empty cell.
    first = next(rows, None)
    every = chain((first,), rows) if first else rows
    if first is None or not isinstance(first.value, dict) or tuple(first.value) != _PAIR:
        yield from map_rows(every, spec, True, report)
        return
    for row in every:
        if isinstance(row.value, dict) and all(row.value.values()):
            yield row
        else:
            yield from map_rows(iter((row,)), spec, True, report)


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
    look = RowReport()
    sources = find_sources(spec, workspace, look)
    if spec != bare or look.has_problems or not all(source.extension == ".jsonl" for source in sources):
        return None
    found = spec.format or detect_format(_rows(spec, workspace, look, ProgressMeter()), spec, look)[0]
    return found if can_be_plain(found) and not look.has_problems else None
