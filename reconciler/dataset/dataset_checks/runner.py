"""Chooses what is looked for in a dataset, and shows it every row once.

Reserved tokens are looked for in any dataset: finding that there are none costs next to nothing. Alike rows,
contradictions and secrets are looked for where the files are small (8 MiB together), or when asked for; near
duplicates and personal data only when asked for. What was not looked for is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.content_scan import (
    may_have_reserved_tokens,
    scan_for_personal_data,
    scan_for_reserved_tokens,
    scan_for_secrets,
)
from reconciler.dataset.dataset_checks.example_row import DatasetCheck, ExampleRow
from reconciler.dataset.dataset_checks.expectations import make_check
from reconciler.dataset.dataset_checks.repeated_rows import NearDuplicates
from reconciler.dataset.dataset_checks.row_index import RowPlaces
from reconciler.dataset.dataset_checks.same_text import HeldOutRows, Leaks, SameText
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import find_sources
from reconciler.dataset.tokens import CountTextTokens, estimate_tokens
from reconciler.domain import expectations
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import DatasetSpec, Format

SMALL_BYTES = 8 << 20
"""Files of this size together are searched in about a second without being asked."""

_WHEN_SMALL = (expectations.OptionalCheck.ALIKE, expectations.OptionalCheck.SECRETS)
_decode = msgspec.json.Decoder().decode


class CheckRunner:
    """Sees every row of a pass, in order.

    Shape:  `places` are the rows seen; `keys` counts by name how many rows have each key of their own, for graders
    """

    def __init__(self, format: Format, looks: Sequence[DatasetCheck]) -> None:  # noqa: A002 (the word of the field)
        self.places = RowPlaces()
        self.keys: dict[str, int] = {}
        self._format = format
        self._looks = tuple(looks)
        self._reserved = scan_for_reserved_tokens()

    def see(self, run: LineBatch, report: RowReport) -> None:
        """Look at the rows of a run."""
        first = self.places.rows
        self.places.note(run)
        counts_keys = self._format is Format.REINFORCEMENT
        odd = may_have_reserved_tokens(run.text)
        if not (self._looks or odd or counts_keys):
            return
        for example in read_examples(run, first, self._format):
            if odd:
                self._tell(self._reserved.see(example, self.places), report)
            for look in self._looks:
                self._tell(look.see(example, self.places), report)
            for key in example.row if counts_keys else ():
                self.keys[key] = self.keys.get(key, 0) + 1

    def end(self, report: RowReport) -> None:
        """Say what there is to say of all rows together."""
        for look in self._looks:
            self._tell(look.end(self.places), report)

    def _tell(self, problems: Iterable[Problem], report: RowReport) -> None:
        for problem in problems:
            report.add(problem)


def make_runner(
    spec: DatasetSpec,
    format: Format,  # noqa: A002 (the word of the field)
    size_bytes: int,
    held: Iterable[tuple[HeldOutRows, Severity]],
    tokens: CountTextTokens,
) -> CheckRunner:
    """Gather what a dataset of a size is watched with."""
    named = set(spec.checks) | (set(_WHEN_SMALL) if size_bytes <= SMALL_BYTES else set())
    looks: list[DatasetCheck] = [make_check(each, tokens) for each in spec.expect]
    looks += [Leaks(each, severity) for each, severity in held]
    looks += [_MADE[name](spec) for name in expectations.OptionalCheck if name in named]
    return CheckRunner(format, looks)


def note_on_skipped_checks(spec: DatasetSpec, size_bytes: int) -> Problem | None:
    """Return what a dataset is too large to be searched for unasked; None when it is small, or all was asked for."""
    left_out = [name for name in _WHEN_SMALL if name not in spec.checks]
    if size_bytes <= SMALL_BYTES or not left_out:
        return None
    return Problem(
        where=spec.place,
        path="source",
        what=f"more than {SMALL_BYTES >> 20} MiB of rows: not searched for {' and '.join(left_out)}",
        hint=f"`reconciler validate --deep` does, and so does `checks: [{', '.join(left_out)}]` here",
        rule="rows.unsearched",
        severity=Severity.INFO,
    )


def read_held_out(whose: str, format: Format, runs: Iterable[LineBatch]) -> HeldOutRows:  # noqa: A002 (the word of the field)
    """Take in the rows of a held-out file, or of another dataset."""
    held, places = HeldOutRows(whose), RowPlaces()
    for run in runs:
        first = places.rows
        places.note(run)
        held.take(read_examples(run, first, format), places)
    return held


def read_examples(run: LineBatch, first: int, format: Format) -> Iterator[ExampleRow]:  # noqa: A002 (the word of the field)
    """Read the lines of a run again; `first` is the number of its first row."""
    # A canonical line holds no line end but its own: within text they are written as escapes.
    lines = run.text.split(b"\n")
    for at, key in enumerate(run.keys):
        row = _decode(lines[at])
        yield ExampleRow(first + at, key, row if isinstance(row, dict) else {}, format)


_MADE: Mapping[expectations.OptionalCheck, Callable[[DatasetSpec], DatasetCheck]] = {
    expectations.OptionalCheck.ALIKE: lambda spec: SameText(spec.validation_share),
    expectations.OptionalCheck.SECRETS: lambda _spec: scan_for_secrets(),
    expectations.OptionalCheck.NEAR_DUPLICATES: lambda _spec: NearDuplicates(),
    expectations.OptionalCheck.PERSONAL_DATA: lambda _spec: scan_for_personal_data(),
}


_UNPACKED = 4
"""How much larger the rows of a workbook are than its file, about."""


def prepare_checks(
    spec: DatasetSpec,
    format: Format,  # noqa: A002 (the word of the field)
    workspace: Path,
    report: RowReport,
    *,
    against: Sequence[DatasetSpec] = (),
    tokens: CountTextTokens = estimate_tokens,
) -> CheckRunner:
    """Return the watch over a dataset; `against` are the datasets that its models are validated with.

    Cost:   reads the files that are held out, and the datasets, once more
    """
    size_bytes = _size_bytes(spec, workspace)
    note = note_on_skipped_checks(spec, size_bytes)
    if note:
        report.add(note)
    held = [*_held_files(spec, format, workspace, report), *_held_datasets(against, workspace)]
    return make_runner(spec, format, size_bytes, held, tokens)


def held_out_datasets(spec: DatasetSpec) -> tuple[DatasetSpec, ...]:
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
    report: RowReport,
) -> Iterator[tuple[HeldOutRows, Severity]]:
    for held in held_out_datasets(spec):
        look = RowReport()
        # Its rows may be in the API's form already where the sources are not, and then no mapping fits them.
        found, runs = read_batches(replace(held, format=None), workspace, look, check_rows=False)
        yield read_held_out(held.sources[0], found, runs), Severity.ERROR
        for problem in look.problems:
            moved = problem.where == spec.place and problem.path == "source"
            report.add(replace(problem, path="heldout") if moved else problem)


def _held_datasets(against: Sequence[DatasetSpec], workspace: Path) -> Iterator[tuple[HeldOutRows, Severity]]:
    # What is wrong with them is said when they are measured themselves.
    for spec in against:
        found, runs = read_batches(spec, workspace, RowReport(), check_rows=False)
        yield read_held_out(f"the dataset {spec.name}", found, runs), Severity.WARNING


def _size_bytes(spec: DatasetSpec, workspace: Path) -> int:
    total = 0
    for source in find_sources(spec, workspace, RowReport()):
        with suppress(OSError):
            total += source.path.stat().st_size * (_UNPACKED if source.extension == ".xlsx" else 1)
    return total
