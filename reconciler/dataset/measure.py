"""A dataset's two doors: measure it, and open it again to send what was measured.

Rows are read by libraries that a command which reads none should not wait for, so the stages are loaded on the way in.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.domain.desired import Dataset, Measured, Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import DatasetSpec

if TYPE_CHECKING:
    from reconciler.dataset.fold import Fold
    from reconciler.dataset.report import Report


def measure(
    spec: DatasetSpec,
    workspace: Path,
    *,
    minimum: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Measured:
    """Fold a dataset into the digest and the counts of its sides, in one pass.

    Shape:  `minimum` is how many training rows there must be, the service's 10 when None; a dataset that only
            validates needs 1. `progress` is told the bytes of the sources read so far, at most once per MiB
    Raises: InputError, carrying every problem found, of one file the first fifty
    Cost:   one row, two blocks of 1 MiB and 16 bytes a row in memory; JSON lists and workbooks are read whole
    """
    from reconciler.dataset.checks import MINIMUM_EXAMPLES
    from reconciler.dataset.duplicates import Duplicates
    from reconciler.dataset.flow import checked, lines, read_rows
    from reconciler.dataset.fold import Fold
    from reconciler.dataset.report import Report
    from reconciler.dataset.split import part_of

    report, duplicates = Report(), Duplicates()
    sides = {Part.TRAINING: Fold(), Part.VALIDATION: Fold()}
    format, rows = read_rows(spec, workspace, report, progress)  # noqa: A001 (the word of the field)
    for line in lines(checked(rows, format, report), format):
        duplicates.note(line.key, line.file, line.line)
        sides[part_of(line.key, spec.validation_share)].add(line.text)
    repeated = duplicates.warning()
    if repeated:
        report.tell(repeated)
    _check_sides(sides, spec, MINIMUM_EXAMPLES if minimum is None else minimum, report)
    report.raise_errors()
    return Measured(
        format=format,
        training=sides[Part.TRAINING].measure(),
        validation=sides[Part.VALIDATION].measure() if spec.validation_share else None,
        warnings=report.warnings,
    )


def open_lines(dataset: Dataset, workspace: Path) -> Iterator[bytes]:
    """Give the canonical lines of a dataset's part, in blocks of about 1 MiB of whole lines: what `measure` digested.

    Raises: InputError, before the last block, when the rows are no longer those that were measured
    Cost:   as `measure`
    """
    from reconciler.dataset.flow import lines, read_rows
    from reconciler.dataset.fold import Fold
    from reconciler.dataset.report import Report
    from reconciler.dataset.split import part_of

    spec, report, fold, held = dataset.spec, Report(), Fold(), b""
    _, rows = read_rows(replace(spec, format=dataset.format), workspace, report)
    for line in lines(rows, dataset.format):
        if part_of(line.key, spec.validation_share) is dataset.part and (block := fold.add(line.text)):
            report.raise_errors()
            if held:
                yield held
            held = block
    last = fold.flush()
    report.raise_errors()
    if fold.measure() != dataset.measure:
        raise InputError((_changed(dataset),))
    yield from (block for block in (held, last) if block)


def source_names(spec: DatasetSpec, workspace: Path) -> tuple[str, ...]:
    """Give the files that a dataset is read from, by their names within the repository; those behind links too."""
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
