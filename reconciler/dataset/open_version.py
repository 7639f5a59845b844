"""What a dataset is by content, whatever the rules say of its rows: for versions that nobody is going to send."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.dataset.batch import Run
from reconciler.dataset.digest import Fold
from reconciler.dataset.pipeline import read_runs
from reconciler.dataset.report import Report
from reconciler.dataset.row_diff import DatasetVersion, spool_version
from reconciler.dataset.split import sides_of
from reconciler.domain.desired import DatasetMeasure, Part
from reconciler.domain.spec import DatasetSpec


@contextmanager
def open_unchecked(spec: DatasetSpec, workspace: Path) -> Iterator[tuple[DatasetMeasure, DatasetVersion]]:
    """Yield the digests of a dataset's sides, which are those of `measure`, and its rows, ready to be compared.

    Raises: InputError when they cannot be read
    Cost:   one reading, a third of the time of `measure`; the lines are kept as `side_of_runs` keeps them
    """
    report = Report(spec.allow, spec.place)
    format, runs = read_runs(spec, workspace, report, check_rows=False)  # noqa: A001 (the word of the field)
    sides = {Part.TRAINING: Fold(), Part.VALIDATION: Fold()}
    with spool_version(_folded(runs, sides, spec.validation_share)) as side:
        report.raise_errors()
        measured = DatasetMeasure(
            format=format,
            training=sides[Part.TRAINING].measure(),
            validation=sides[Part.VALIDATION].measure() if spec.validation_share else None,
        )
        yield measured, side


def _folded(runs: Iterable[Run], sides: dict[Part, Fold], share: float) -> Iterator[Run]:
    for run in runs:
        for part, text, rows in sides_of(run, share):
            sides[part].add(text, rows)
        yield run
