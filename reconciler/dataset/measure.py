"""Measure a dataset, and open it again to send exactly what was measured."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset.billable_tokens import TokenCounter
from reconciler.dataset.cache import MeasureCache
from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.repeated_rows import Duplicates
from reconciler.dataset.dataset_checks.runner import prepare_checks
from reconciler.dataset.digest import StreamDigest, split_batch
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.report import SHOWN_PER_FILE, RowReport
from reconciler.dataset.row_checks import MINIMUM_EXAMPLES
from reconciler.dataset.row_diff import DatasetVersion, spool_version
from reconciler.dataset.sources import find_sources
from reconciler.dataset.tokens import CountTextTokens, Vocabulary, estimate_tokens
from reconciler.domain.desired import Dataset, DatasetMeasure, Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import DatasetSpec


def measure(
    spec: DatasetSpec,
    workspace: Path,
    *,
    minimum: int | None = None,
    progress: Callable[[int], None] | None = None,
    cache: MeasureCache | None = None,
    vocabulary: Vocabulary | None = None,
    against: Sequence[DatasetSpec] = (),
    shown: int | None = None,
) -> DatasetMeasure:
    """Fold a dataset into the digest and the counts of its sides, in one pass.

    Shape:  `minimum` is how many training rows there must be, the service's 10 when None; a dataset that only
            validates needs 1. `progress` is told the bytes of the sources read so far, at most once per MiB. With a
            `cache`, what measured sound before and was not touched since is not read again. With a `vocabulary` the
            tokens of each side are counted by it. `against` are the datasets that its models are validated with,
            and `shown` is how many problems of one severity and file are kept, fifty when None
    Raises: InputError, carrying every problem found, of one file the first fifty
    Cost:   a few blocks of 1 MiB and 16 bytes a row in memory; JSON lists and workbooks are read whole
    """
    before = (
        cache.slot(spec, workspace, minimum, counted=vocabulary is not None, against=against, shown=shown)
        if cache
        else None
    )
    found = before.read() if before else None
    if found and (vocabulary is None or found.vocabulary == vocabulary.name):
        return found
    measured = _measure(spec, workspace, minimum, progress, vocabulary, against, shown)
    # What was looked at before the reading has to be what is there after it.
    if (
        cache
        and before
        and cache.slot(spec, workspace, minimum, counted=vocabulary is not None, against=against, shown=shown) == before
    ):
        cache.keep(before, measured)
    return measured


def _measure(
    spec: DatasetSpec,
    workspace: Path,
    minimum: int | None,
    progress: Callable[[int], None] | None,
    vocabulary: Vocabulary | None,
    against: Sequence[DatasetSpec],
    shown: int | None,
) -> DatasetMeasure:

    report, duplicates = RowReport(spec.allow, spec.place, SHOWN_PER_FILE if shown is None else shown), Duplicates()
    sides = {Part.TRAINING: StreamDigest(), Part.VALIDATION: StreamDigest()}
    format, runs = read_batches(spec, workspace, report, progress=progress)  # noqa: A001 (the word of the field)
    watch = prepare_checks(spec, format, workspace, report, against=against, tokens=_counter(vocabulary))
    with TokenCounter(vocabulary.count) if vocabulary else nullcontext() as tally:
        for run in runs:
            duplicates.note(run)
            watch.see(run, report)
            for part, text, rows in split_batch(run, spec.validation_share):
                sides[part].add(text, rows)
                if tally:
                    tally.add(part, text)
        tokens = {part: tally.tokens(part) if tally else None for part in Part}
    # A weight above 1 repeats rows, and is meant to.
    repeated = None if any(terms.weight > 1 for _, terms in spec.terms) else duplicates.warning()
    if repeated:
        report.add(repeated)
    watch.end(report)
    _check_sides(sides, spec, MINIMUM_EXAMPLES if minimum is None else minimum, report)
    report.raise_errors()
    return DatasetMeasure(
        format=format,
        training=sides[Part.TRAINING].measure(tokens[Part.TRAINING]),
        validation=sides[Part.VALIDATION].measure(tokens[Part.VALIDATION]) if spec.validation_share else None,
        warnings=report.warnings,
        keys=tuple(sorted(watch.keys.items())),
        vocabulary=vocabulary.name if vocabulary else None,
    )


def open_lines(dataset: Dataset, workspace: Path) -> Iterator[bytes]:
    """Yield the canonical lines of a dataset's part, in blocks of about 1 MiB of whole lines: what `measure` digested.

    Raises: InputError, before the last block, when the rows are no longer those that were measured
    Cost:   as `measure`
    """

    spec, report, fold, held = dataset.spec, RowReport(), StreamDigest(), b""
    _, runs = read_batches(replace(spec, format=dataset.format), workspace, report, check_rows=False)
    for run in runs:
        for part, text, rows in split_batch(run, spec.validation_share):
            for block in fold.add(text, rows) if part is dataset.part else ():
                report.raise_errors()
                if held:
                    yield held
                held = block
    last = fold.flush()
    report.raise_errors()
    if fold.measure() != dataset.measure:
        raise InputError((_changed(dataset),))
    yield from (block for block in (held, last) if block)


def _counter(vocabulary: Vocabulary | None) -> CountTextTokens:

    count = vocabulary.count if vocabulary else None
    return (lambda text: count((text,))[0]) if count else estimate_tokens


def find_source_names(spec: DatasetSpec, workspace: Path) -> tuple[str, ...]:
    """Return the files that a dataset is read from, by their names within the repository; those behind links too."""

    home = workspace.resolve()
    found = find_sources(spec, workspace, RowReport())
    real = (source.path.resolve() for source in found)
    behind = (path.relative_to(home).as_posix() for path in real if path.is_relative_to(home))
    return tuple(dict.fromkeys((*(source.name for source in found), *behind)))


def _check_sides(sides: dict[Part, StreamDigest], spec: DatasetSpec, minimum: int, report: RowReport) -> None:
    training, validation = sides[Part.TRAINING].rows, sides[Part.VALIDATION].rows
    # Rows that were dropped have their own problems, and a file that was not read to its end may hold any number.
    if not report.is_whole or (training + report.dropped >= minimum and (validation or not spec.validation_share)):
        return
    if not training + validation + report.dropped:
        report.add(_of_spec(spec, "rows.none", "source", "there are no rows", "name files that have rows"))
        return
    if training + report.dropped < minimum:
        side = f" on the training side of the split, and {validation} on the other" if spec.validation_share else ""
        what = f"{_examples(training + report.dropped)}{side}; the least to train on is {minimum}"
        report.add(_of_spec(spec, "rows.too-few", "source", what, "add rows; 50 to 100 are a good start"))
    if spec.validation_share and not validation and not report.dropped:
        what = f"no row of {training} falls on the validation side of the split"
        hint = "make the share larger, or add rows: each row's own hash decides its side"
        report.add(_of_spec(spec, "split.empty-side", "split", what, hint))


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count} examples"


def _changed(dataset: Dataset) -> Problem:
    return Problem(
        where=Place(file=", ".join(dataset.spec.sources)),
        what=f"the rows of {dataset.name} changed after they were measured",
        hint="plan again",
        rule="source.changed",
    )


def _of_spec(spec: DatasetSpec, rule: str, path: str, what: str, hint: str) -> Problem:
    return Problem(where=spec.place, path=path, what=what, hint=hint, rule=rule)


@contextmanager
def open_without_checks(spec: DatasetSpec, workspace: Path) -> Iterator[tuple[DatasetMeasure, DatasetVersion]]:
    """Yield the digests of a dataset's sides, which are those of `measure`, and its rows, ready to be compared.

    Raises: InputError when they cannot be read
    Cost:   one reading, a third of the time of `measure`; the lines are kept as `side_of_runs` keeps them
    """
    report = RowReport(spec.allow, spec.place)
    format, runs = read_batches(spec, workspace, report, check_rows=False)  # noqa: A001 (the word of the field)
    sides = {Part.TRAINING: StreamDigest(), Part.VALIDATION: StreamDigest()}
    with spool_version(_digest_batches(runs, sides, spec.validation_share)) as side:
        report.raise_errors()
        measured = DatasetMeasure(
            format=format,
            training=sides[Part.TRAINING].measure(),
            validation=sides[Part.VALIDATION].measure() if spec.validation_share else None,
        )
        yield measured, side


def _digest_batches(runs: Iterable[LineBatch], sides: dict[Part, StreamDigest], share: float) -> Iterator[LineBatch]:
    for run in runs:
        for part, text, rows in split_batch(run, share):
            sides[part].add(text, rows)
        yield run
