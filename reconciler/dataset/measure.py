"""A dataset's two doors: measure it, and open it again to send what was measured.

Rows are read by libraries that a command which reads none should not wait for, so the stages are loaded on the way in.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, DatasetMeasure, Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import DatasetSpec

if TYPE_CHECKING:
    from reconciler.dataset.cache import Cache
    from reconciler.dataset.digest import Fold
    from reconciler.dataset.report import Report
    from reconciler.dataset.tokens import Tokens, Vocabulary


def measure(
    spec: DatasetSpec,
    workspace: Path,
    *,
    minimum: int | None = None,
    progress: Callable[[int], None] | None = None,
    cache: "Cache | None" = None,
    vocabulary: "Vocabulary | None" = None,
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
    vocabulary: "Vocabulary | None",
    against: Sequence[DatasetSpec],
    shown: int | None,
) -> DatasetMeasure:
    from reconciler.dataset.checks import MINIMUM_EXAMPLES
    from reconciler.dataset.dataset_checks.setup import watch_of
    from reconciler.dataset.digest import Fold
    from reconciler.dataset.duplicates import Duplicates
    from reconciler.dataset.pipeline import read_runs
    from reconciler.dataset.report import SHOWN_PER_FILE, Report
    from reconciler.dataset.split import sides_of
    from reconciler.dataset.token_count import Tally

    report, duplicates = Report(spec.allow, spec.place, SHOWN_PER_FILE if shown is None else shown), Duplicates()
    sides = {Part.TRAINING: Fold(), Part.VALIDATION: Fold()}
    format, runs = read_runs(spec, workspace, report, progress=progress)  # noqa: A001 (the word of the field)
    watch = watch_of(spec, format, workspace, report, against=against, tokens=_counter(vocabulary))
    with Tally(vocabulary.count) if vocabulary else nullcontext() as tally:
        for run in runs:
            duplicates.note(run)
            watch.see(run, report)
            for part, text, rows in sides_of(run, spec.validation_share):
                sides[part].add(text, rows)
                if tally:
                    tally.add(part, text)
        tokens = {part: tally.tokens(part) if tally else None for part in Part}
    # A weight above 1 repeats rows, and is meant to.
    repeated = None if any(terms.weight > 1 for _, terms in spec.terms) else duplicates.warning()
    if repeated:
        report.tell(repeated)
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
    from reconciler.dataset.digest import Fold
    from reconciler.dataset.pipeline import read_runs
    from reconciler.dataset.report import Report
    from reconciler.dataset.split import sides_of

    spec, report, fold, held = dataset.spec, Report(), Fold(), b""
    _, runs = read_runs(replace(spec, format=dataset.format), workspace, report, check_rows=False)
    for run in runs:
        for part, text, rows in sides_of(run, spec.validation_share):
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


def _counter(vocabulary: "Vocabulary | None") -> "Tokens":
    from reconciler.dataset.tokens import estimated_tokens

    count = vocabulary.count if vocabulary else None
    return (lambda text: count((text,))[0]) if count else estimated_tokens


def source_names(spec: DatasetSpec, workspace: Path) -> tuple[str, ...]:
    """Return the files that a dataset is read from, by their names within the repository; those behind links too."""
    from reconciler.dataset.report import Report
    from reconciler.dataset.sources import find_sources

    home = workspace.resolve()
    found = find_sources(spec, workspace, Report())
    real = (source.path.resolve() for source in found)
    behind = (path.relative_to(home).as_posix() for path in real if path.is_relative_to(home))
    return tuple(dict.fromkeys((*(source.name for source in found), *behind)))


def _check_sides(sides: "dict[Part, Fold]", spec: DatasetSpec, minimum: int, report: "Report") -> None:
    training, validation = sides[Part.TRAINING].rows, sides[Part.VALIDATION].rows
    # Rows that were dropped have their own problems, and a file that was not read to its end may hold any number.
    if not report.is_whole or (training + report.dropped >= minimum and (validation or not spec.validation_share)):
        return
    if not training + validation + report.dropped:
        report.tell(_of_spec(spec, "rows.none", "source", "there are no rows", "name files that have rows"))
        return
    if training + report.dropped < minimum:
        side = f" on the training side of the split, and {validation} on the other" if spec.validation_share else ""
        what = f"{_examples(training + report.dropped)}{side}; the least to train on is {minimum}"
        report.tell(_of_spec(spec, "rows.too-few", "source", what, "add rows; 50 to 100 are a good start"))
    if spec.validation_share and not validation and not report.dropped:
        what = f"no row of {training} falls on the validation side of the split"
        hint = "make the share larger, or add rows: each row's own hash decides its side"
        report.tell(_of_spec(spec, "split.empty-side", "split", what, hint))


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
