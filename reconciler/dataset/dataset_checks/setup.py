"""Gets a watch ready: how large the files are, and which rows are held out from them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from reconciler.dataset.dataset_checks.leaks import HeldOut
from reconciler.dataset.dataset_checks.runner import Watch, held_out, not_looked_for, watch_for
from reconciler.dataset.pipeline import read_runs
from reconciler.dataset.report import Report
from reconciler.dataset.sources import find_sources
from reconciler.dataset.tokens import Tokens, estimated_tokens
from reconciler.domain.errors import Severity
from reconciler.domain.spec import DatasetSpec, Format

_UNPACKED = 4
"""How much larger the rows of a workbook are than its file, about."""


def watch_of(
    spec: DatasetSpec,
    format: Format,  # noqa: A002 (the word of the field)
    workspace: Path,
    report: Report,
    *,
    against: Sequence[DatasetSpec] = (),
    tokens: Tokens = estimated_tokens,
) -> Watch:
    """Return the watch over a dataset; `against` are the datasets that its models are validated with.

    Cost:   reads the files that are held out, and the datasets, once more
    """
    size_bytes = _size_bytes(spec, workspace)
    note = not_looked_for(spec, size_bytes)
    if note:
        report.tell(note)
    held = [*_held_files(spec, format, workspace, report), *_held_datasets(against, workspace)]
    return watch_for(spec, format, size_bytes, held, tokens)


def heldout_of(spec: DatasetSpec) -> tuple[DatasetSpec, ...]:
    """Return the datasets that the held-out files of a spec are, read as its sources are."""
    return tuple(
        replace(
            spec,
            sources=(name,),
            terms=(),
            prepare=(),
            validation_share=0.0,
            heldout=(),
            expect=(),
            checks=(),
            allow=(),
        )
        for name in spec.heldout
    )


def _held_files(
    spec: DatasetSpec,
    format: Format,  # noqa: A002 (the word of the field)
    workspace: Path,
    report: Report,
) -> Iterator[tuple[HeldOut, Severity]]:
    for held in heldout_of(spec):
        look = Report()
        # Its rows may be in the API's form already where the sources are not, and then no mapping fits them.
        found, runs = read_runs(replace(held, format=None), workspace, look, check_rows=False)
        yield held_out(held.sources[0], found, runs), Severity.ERROR
        for problem in look.problems:
            moved = problem.where == spec.place and problem.path == "source"
            report.tell(replace(problem, path="heldout") if moved else problem)


def _held_datasets(against: Sequence[DatasetSpec], workspace: Path) -> Iterator[tuple[HeldOut, Severity]]:
    # What is wrong with them is said when they are measured themselves.
    for spec in against:
        found, runs = read_runs(spec, workspace, Report(), check_rows=False)
        yield held_out(f"the dataset {spec.name}", found, runs), Severity.WARNING


def _size_bytes(spec: DatasetSpec, workspace: Path) -> int:
    total = 0
    for source in find_sources(spec, workspace, Report()):
        with suppress(OSError):
            total += source.path.stat().st_size * (_UNPACKED if source.extension == ".xlsx" else 1)
    return total
