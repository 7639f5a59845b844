"""Choose the checks of a dataset, and run them over all its rows in one pass.

Duplicates and reserved tokens are looked for in every dataset: a search that finds nothing costs almost nothing.
Similar rows, contradictions and secrets are looked for where the files are small (8 MiB together), or when the spec
asks for it; near duplicates and personal data only when the spec asks for it. A note names the checks that did not run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.answer_set import AnswerSetCheck
from reconciler.dataset.dataset_checks.content_scan import (
    may_have_reserved_tokens,
    scan_for_personal_data,
    scan_for_reserved_tokens,
    scan_for_secrets,
    scan_for_turn_words,
)
from reconciler.dataset.dataset_checks.damaged_text import DamagedTexts, may_be_damaged
from reconciler.dataset.dataset_checks.example_row import DatasetCheck, ExampleRow, RowPlaces
from reconciler.dataset.dataset_checks.expectations import make_check
from reconciler.dataset.dataset_checks.long_rows import LongRows
from reconciler.dataset.dataset_checks.repeated_rows import Duplicates, NearDuplicates
from reconciler.dataset.dataset_checks.same_text import HeldOutRows, Leaks, SameText
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import SourceIndex, held_out_datasets, spec_problem
from reconciler.dataset.tokens import CountTextTokens, estimate_tokens
from reconciler.dataset.transcripts import may_mark_turns
from reconciler.domain.cost import LengthLimit
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.expectations import OptionalCheck
from reconciler.domain.prepare import DropColumns
from reconciler.domain.spec import AnswerSet, DatasetSpec, Format
from reconciler.foundation.expressions import MatchingTime

SMALL_BYTES = 8 << 20
"""Files of this size together are searched in about a second, without a request in the spec."""

_UNPACKED = 4
"""How much larger the rows of a workbook are than its file, about."""

_WHEN_SMALL = (OptionalCheck.ALIKE, OptionalCheck.SECRETS)
_decode = msgspec.json.Decoder().decode


class CheckRunner:
    """Runs the checks over the rows of a pass, in order.

    Shape:  `keys` counts by name how many rows have each key of their own, for graders
    """

    def __init__(
        self, row_format: Format, checks: Sequence[DatasetCheck], *, long_rows: LongRows | None = None
    ) -> None:
        self.keys: dict[str, int] = {}
        self._places = RowPlaces()
        self._format = row_format
        self._checks = tuple(checks)
        self._long_rows = long_rows
        self._reserved = scan_for_reserved_tokens()
        self._turn_words = scan_for_turn_words()
        self._damaged = DamagedTexts()
        self._duplicates = Duplicates(self._places)

    def see(self, batch: LineBatch, report: RowReport) -> None:
        """Check the rows of a batch."""
        first = self._places.rows
        self._places.note(batch)
        self._duplicates.note(batch)
        if self._long_rows:
            self._long_rows.see(batch, first)
        counts_keys = self._format is Format.REINFORCEMENT
        may_have_tokens = may_have_reserved_tokens(batch.text)
        may_have_damage = may_be_damaged(batch.text)
        # A model of plain text learns prompts with such words; of chat, it is given turns.
        may_have_turns = self._format is not Format.COMPLETION and may_mark_turns(batch.text)
        if not (self._checks or may_have_tokens or may_have_damage or may_have_turns or counts_keys):
            return
        for example in read_examples(batch, first, self._format):
            if may_have_tokens:
                _add_all(self._reserved.see(example, self._places), report)
            if may_have_turns:
                _add_all(self._turn_words.see(example, self._places), report)
            if may_have_damage:
                _add_all(self._damaged.see(example, self._places), report)
            for check in self._checks:
                _add_all(check.see(example, self._places), report)
            for key in example.row if counts_keys else ():
                self.keys[key] = self.keys.get(key, 0) + 1

    def end(self, report: RowReport) -> None:
        """Report what is wrong with all rows together."""
        repeated = self._duplicates.warning()
        if repeated:
            report.add(repeated)
        if self._long_rows:
            _add_all(self._long_rows.end(self._places), report)
        for check in (self._damaged, *self._checks):
            _add_all(check.end(self._places), report)


def prepare_checks(
    spec: DatasetSpec,
    row_format: Format,
    workspace: Path,
    report: RowReport,
    *,
    against: Sequence[DatasetSpec] = (),
    tokens: CountTextTokens = estimate_tokens,
    length: LengthLimit | None = None,
    answers: AnswerSet | None = None,
    sources: SourceIndex | None = None,
) -> CheckRunner:
    """Return the runner for a dataset; `against` are the datasets that validate its models, `length` limits its rows.

    Shape:  `answers` is what a base needs that trains on it and chooses one of its answers

    Cost:   reads the held-out files, and the datasets of `against`, once more
    """
    sources = sources or SourceIndex(workspace)
    size_bytes = _size_bytes(spec, sources)
    note = _note_on_skipped_checks(spec, size_bytes)
    if note:
        report.add(note)
    asked = set(spec.checks) | (set(_WHEN_SMALL) if size_bytes <= SMALL_BYTES else set())
    matching = MatchingTime()
    checks: list[DatasetCheck] = [make_check(expectation, tokens, matching) for expectation in spec.expect]
    checks += [Leaks(held, Severity.ERROR) for held in _read_held_out_files(spec, workspace, report, sources)]
    for other in against:
        # The problems of another dataset are reported when it is measured itself.
        found, batches = read_batches(other, workspace, RowReport(), check_rows=False, sources=sources)
        checks.append(Leaks(_gather_rows(f"the dataset {other.name}", found, batches), Severity.WARNING))
    checks += [_OPTIONAL[name](spec) for name in OptionalCheck if name in asked]
    if answers:
        checks.append(AnswerSetCheck(spec, answers))
    is_estimate = tokens is estimate_tokens
    long_rows = LongRows(length, tokens, spec.mapping, is_estimate=is_estimate) if length else None
    return CheckRunner(row_format, checks, long_rows=long_rows)


def read_examples(batch: LineBatch, first: int, row_format: Format) -> Iterator[ExampleRow]:
    """Yield the rows of a batch, read again; `first` is the number of its first row."""
    # The only line feed of a canonical line is at its end: line feeds of texts are written as escapes.
    lines = batch.text.split(b"\n")
    for at, key in enumerate(batch.keys):
        row = _decode(lines[at])
        yield ExampleRow(first + at, key, row if isinstance(row, dict) else {}, row_format)


def _add_all(problems: Iterable[Problem], report: RowReport) -> None:
    for problem in problems:
        report.add(problem)


def _read_held_out_files(
    spec: DatasetSpec, workspace: Path, report: RowReport, sources: SourceIndex
) -> Iterator[HeldOutRows]:
    for held in held_out_datasets(spec):
        # Held-out rows may be in the API's form where the sources are not, and then no mapping and no step fits them.
        bare = replace(held, format=None)
        rows, found = _read_held_out(bare, workspace, sources)
        if held.prepare and any(each.severity is Severity.ERROR for each in found):
            rows, found = _read_held_out(replace(bare, prepare=()), workspace, sources)
        yield rows
        _add_all(found, report)


def _read_held_out(spec: DatasetSpec, workspace: Path, sources: SourceIndex) -> tuple[HeldOutRows, tuple[Problem, ...]]:
    """Return held-out rows, and what is wrong with them."""
    report = RowReport()
    row_format, batches = read_batches(spec, workspace, report, check_rows=False, sources=sources)
    rows = _gather_rows(spec.sources[0], row_format, batches)
    if not spec.prepare:
        return rows, report.problems
    # What steps note was said of the sources already, and a column that they drop need not be here too.
    drops = {each.path for each in spec.prepare if isinstance(each.operation, DropColumns)}
    missing = "prepare.unknown-column"
    found = (each for each in report.problems if not (each.rule == missing and each.path in drops))
    return rows, tuple(each for each in found if each.severity is not Severity.INFO)


def _gather_rows(whose: str, row_format: Format, batches: Iterable[LineBatch]) -> HeldOutRows:
    held, places = HeldOutRows(whose, row_format), RowPlaces()
    for batch in batches:
        first = places.rows
        places.note(batch)
        held.take(read_examples(batch, first, row_format), places)
    return held


def _note_on_skipped_checks(spec: DatasetSpec, size_bytes: int) -> Problem | None:
    skipped = [name for name in _WHEN_SMALL if name not in spec.checks]
    if size_bytes <= SMALL_BYTES or not skipped:
        return None
    what = f"more than {SMALL_BYTES >> 20} MiB of rows: not searched for {' and '.join(skipped)}"
    hint = f"run `reconciler validate --deep`, or add `checks: [{', '.join(skipped)}]` here"
    return spec_problem(spec, "rows.unsearched", "source", what, hint, Severity.INFO)


def _size_bytes(spec: DatasetSpec, sources: SourceIndex) -> int:
    total = 0
    for source in sources.find(spec).files:
        with suppress(OSError):
            total += source.path.stat().st_size * (_UNPACKED if source.extension == ".xlsx" else 1)
    return total


_OPTIONAL: Mapping[OptionalCheck, Callable[[DatasetSpec], DatasetCheck]] = {
    OptionalCheck.ALIKE: lambda spec: SameText(spec.validation_share),
    OptionalCheck.SECRETS: lambda _spec: scan_for_secrets(),
    OptionalCheck.NEAR_DUPLICATES: lambda _spec: NearDuplicates(),
    OptionalCheck.PERSONAL_DATA: lambda _spec: scan_for_personal_data(),
}
