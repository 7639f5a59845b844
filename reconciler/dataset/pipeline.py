"""The way of a row: find the sources, read, recognise the format, prepare, map, check, write the canonical line.

Each stage takes an iterator of rows and returns one. Files of plain rows take the fast path beside the stages, with the
same result.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset.canonical import LineBatch, make_batch, write_canonical_line
from reconciler.dataset.fast_path import can_be_plain, plain_values, read_plain_file
from reconciler.dataset.format_detection import detect_format, find_other_form, peek_format
from reconciler.dataset.left_out import IN_MAPPING, LeftOut, describe_left_out
from reconciler.dataset.mapping import has_placeholder, map_rows
from reconciler.dataset.readers import ProgressMeter, read_source
from reconciler.dataset.report import RowReport
from reconciler.dataset.row_checks import check_row
from reconciler.dataset.row_ids import IdColumn
from reconciler.dataset.sources import Row, SourceIndex, spec_problem
from reconciler.dataset.steps import prepare_rows
from reconciler.domain.errors import Severity
from reconciler.domain.spec import DatasetSpec, Format

FIELDS_THAT_CHANGE_ROWS = ("terms", "prepare", "mapping", "sheet")
"""The fields of a spec for which rows take the general path; none of the others changes what a row becomes."""

MOST_BYTES = 8 << 30
"""Bytes of all rows of a dataset. No service takes a larger file, and a small one may ask for any size by templates."""

_BATCH_BYTES = 64 << 10
_BATCH_ROWS = 32
_PAIR = ("prompt", "completion")


def read_rows(
    spec: DatasetSpec,
    workspace: Path,
    report: RowReport,
    progress: Callable[[int], None] | None = None,
    sources: SourceIndex | None = None,
    *,
    check_rows: bool = True,
) -> tuple[Format, Iterator[Row]]:
    """Return the format of a dataset and its rows in the API's form, source after source."""
    rows = _read_and_map(spec, sources or SourceIndex(workspace), report, ProgressMeter(progress))
    return detect_format(rows, spec, report, check_rows=check_rows)


def read_batches(
    spec: DatasetSpec,
    workspace: Path,
    report: RowReport,
    *,
    check_rows: bool = True,
    progress: Callable[[int], None] | None = None,
    sources: SourceIndex | None = None,
) -> tuple[Format, Iterator[LineBatch]]:
    """Return the format of a dataset and its canonical lines, source after source, by the faster of the two paths.

    Shape:  without `check_rows` the lines are written as they are, and the checks of rows do not run
    """
    sources, checked_by = sources or SourceIndex(workspace), report if check_rows else None
    plain = _find_plain_format(spec, sources)
    if plain:
        meter, general = ProgressMeter(progress), partial(write_batches, row_format=plain, report=checked_by)
        files = (read_plain_file(file, plain, general, report, meter) for file in sources.open(spec, report))
        return plain, chain.from_iterable(files)
    row_format, rows = read_rows(spec, workspace, report, progress, sources, check_rows=check_rows)
    return row_format, bound_batches(write_batches(rows, row_format, checked_by), spec, report)


def bound_batches(
    batches: Iterator[LineBatch], spec: DatasetSpec, report: RowReport, most: int = MOST_BYTES
) -> Iterator[LineBatch]:
    """Yield the lines of a dataset up to a size; report more, and read no further."""
    for batch in batches:
        most -= len(batch.text)
        if most < 0:
            what = f"the rows are more than {MOST_BYTES >> 30} GiB when they are written"
            hint = "use fewer rows, shorter templates, or a smaller weight"
            report.stop_reading(spec_problem(spec, "rows.too-large", "source", what, hint))
            return
        yield batch


def write_batches(rows: Iterator[Row], row_format: Format, report: RowReport | None = None) -> Iterator[LineBatch]:
    """Yield the canonical lines of rows; those of rows that follow each other come together.

    Shape:  with a `report`, each row is checked, and its problems are added
    Cost:   at most 64 KiB of lines, and at most 32 rows that were read ahead, in memory
    """
    file, first, size_bytes, texts = "", 0, 0, list[bytes]()
    for row, text in _write_lines(rows, row_format, report):
        if texts and (size_bytes >= _BATCH_BYTES or row.file != file or row.line != first + len(texts)):
            yield make_batch(file, first, texts)
            texts, size_bytes = [], 0
        if not texts:
            file, first = row.file, row.line
        texts.append(text)
        size_bytes += len(text)
    if texts:
        yield make_batch(file, first, texts)


def _write_lines(rows: Iterator[Row], row_format: Format, report: RowReport | None) -> Iterator[tuple[Row, bytes]]:
    # Plain rows need no checks, and are recognised some at a time. A row may be as long as the longest line: long rows
    # are read one by one.
    most = 1
    while group := list(islice(rows, most)):
        longest = 1
        texts = plain_values([row.value for row in group], row_format)
        for row, text in zip(group, texts, strict=True) if texts else _check_and_write(group, row_format, report):
            longest = max(longest, len(text))
            yield row, text
        most = max(1, min(_BATCH_ROWS, _BATCH_BYTES // longest))


def _check_and_write(rows: list[Row], row_format: Format, report: RowReport | None) -> Iterator[tuple[Row, bytes]]:
    for row in rows:
        if report and (other := find_other_form(row, row_format)):
            report.add(other)
        elif report:
            for found in check_row(row.value, row_format):
                report.add(row.problem(found.rule, found.path, found.what, found.hint, found.severity))
        yield row, write_canonical_line(row.value, row_format)


def _read_and_map(spec: DatasetSpec, sources: SourceIndex, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    ids, left_out = IdColumn(spec), LeftOut()
    files = ((each, ids.watch(read_source(each, spec, report, meter))) for each in sources.open(spec, report))
    for rows, in_table in prepare_rows(files, spec, report):
        are_pairs = in_table and not (spec.prepare or spec.mapping or spec.id or spec.format is Format.CHAT)
        read = _read_pairs if are_pairs else partial(map_rows, is_table=in_table)
        yield from ids.watch(read(rows, spec, report=report, left_out=left_out), are_written=True)
    ids.report(report)
    for problem in describe_left_out(left_out, IN_MAPPING, fields=_list_fields(spec)):
        if problem.severity is Severity.ERROR or (spec.mapping and not report.has_errors):
            report.add(replace(problem, where=spec.place))


def _list_fields(spec: DatasetSpec) -> dict[str, str]:
    # The templates by the fields that the author wrote: a prompt and a completion may be turns by now.
    mapping = spec.mapping
    if mapping is None:
        return {}
    found = {"prompt": mapping.prompt or "", "completion": mapping.completion or ""}
    for at, turn in enumerate(mapping.turns):
        found[spec.find_field(f"messages[{at}].content").path] = turn.content
    return {name: text for name, text in found.items() if text and name in ("system", "prompt", "completion")}


def _read_pairs(rows: Iterator[Row], spec: DatasetSpec, report: RowReport, left_out: LeftOut) -> Iterator[Row]:
    # A table of just these two columns is mapped to itself, except the rows with an empty cell.
    first = next(rows, None)
    every = chain((first,), rows) if first else rows
    if first is None or not isinstance(first.value, dict) or tuple(first.value) != _PAIR:
        yield from map_rows(every, spec, True, report, left_out)
        return
    for row in every:
        if isinstance(row.value, dict) and all(row.value.values()) and not has_placeholder(row.value.values()):
            yield row
        else:
            yield from map_rows(iter((row,)), spec, True, report, left_out)


def _find_plain_format(spec: DatasetSpec, sources: SourceIndex) -> Format | None:
    # The first rows show the format, and are read before the pass: a start with problems takes the general path.
    found = sources.find(spec)
    # Whether a row has the id is seen on the general path only.
    if found.problems or spec.id or any(getattr(spec, field) for field in FIELDS_THAT_CHANGE_ROWS):
        return None
    if not all(source.extension == ".jsonl" for source in found.files):
        return None
    report = RowReport()
    shown = peek_format(_read_and_map(spec, sources, report, ProgressMeter()), spec)
    return shown if shown and can_be_plain(shown) and not report.has_problems else None
