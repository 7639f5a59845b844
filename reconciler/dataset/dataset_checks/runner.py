"""Chooses what is looked for in a dataset, and shows it every row once.

Reserved tokens are looked for in any dataset: finding that there are none costs next to nothing. Alike rows,
contradictions and secrets are looked for where the files are small (8 MiB together), or when asked for; near
duplicates and personal data only when asked for. What was not looked for is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from reconciler.dataset.batch import Run
from reconciler.dataset.dataset_checks.content_scan import personal_data, reserved_tokens, secrets
from reconciler.dataset.dataset_checks.example import Example
from reconciler.dataset.dataset_checks.expect import look_for
from reconciler.dataset.dataset_checks.leaks import HeldOut, Leaks
from reconciler.dataset.dataset_checks.look import Look
from reconciler.dataset.dataset_checks.near_duplicates import NearDuplicates
from reconciler.dataset.dataset_checks.same_text import Alike
from reconciler.dataset.places import Places
from reconciler.dataset.report import Report
from reconciler.dataset.row_checks.reserved import may_have_tokens
from reconciler.dataset.tokens import Tokens
from reconciler.domain import expectations
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import DatasetSpec, Format

SMALL_BYTES = 8 << 20
"""Files of this size together are searched in about a second without being asked."""

_WHEN_SMALL = (expectations.OptionalCheck.ALIKE, expectations.OptionalCheck.SECRETS)
_decode = msgspec.json.Decoder().decode


class Watch:
    """Sees every row of a pass, in order.

    Shape:  `places` are the rows seen; `keys` counts by name how many rows have each key of their own, for graders
    """

    def __init__(self, format: Format, looks: Sequence[Look]) -> None:  # noqa: A002 (the word of the field)
        self.places = Places()
        self.keys: dict[str, int] = {}
        self._format = format
        self._looks = tuple(looks)
        self._reserved = reserved_tokens()

    def see(self, run: Run, report: Report) -> None:
        """Look at the rows of a run."""
        first = self.places.rows
        self.places.note(run)
        counts_keys = self._format is Format.REINFORCEMENT
        odd = may_have_tokens(run.text)
        if not (self._looks or odd or counts_keys):
            return
        for example in examples_of(run, first, self._format):
            if odd:
                self._tell(self._reserved.see(example, self.places), report)
            for look in self._looks:
                self._tell(look.see(example, self.places), report)
            for key in example.row if counts_keys else ():
                self.keys[key] = self.keys.get(key, 0) + 1

    def end(self, report: Report) -> None:
        """Say what there is to say of all rows together."""
        for look in self._looks:
            self._tell(look.end(self.places), report)

    def _tell(self, problems: Iterable[Problem], report: Report) -> None:
        for problem in problems:
            report.tell(problem)


def watch_for(
    spec: DatasetSpec,
    format: Format,  # noqa: A002 (the word of the field)
    size_bytes: int,
    held: Iterable[tuple[HeldOut, Severity]],
    tokens: Tokens,
) -> Watch:
    """Gather what a dataset of a size is watched with."""
    named = set(spec.checks) | (set(_WHEN_SMALL) if size_bytes <= SMALL_BYTES else set())
    looks: list[Look] = [look_for(each, tokens) for each in spec.expect]
    looks += [Leaks(each, severity) for each, severity in held]
    looks += [_MADE[name](spec) for name in expectations.OptionalCheck if name in named]
    return Watch(format, looks)


def not_looked_for(spec: DatasetSpec, size_bytes: int) -> Problem | None:
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


def held_out(whose: str, format: Format, runs: Iterable[Run]) -> HeldOut:  # noqa: A002 (the word of the field)
    """Take in the rows of a held-out file, or of another dataset."""
    held, places = HeldOut(whose), Places()
    for run in runs:
        first = places.rows
        places.note(run)
        held.take(examples_of(run, first, format), places)
    return held


def examples_of(run: Run, first: int, format: Format) -> Iterator[Example]:  # noqa: A002 (the word of the field)
    """Read the lines of a run again; `first` is the number of its first row."""
    # A canonical line holds no line end but its own: within text they are written as escapes.
    lines = run.text.split(b"\n")
    for at, key in enumerate(run.keys):
        row = _decode(lines[at])
        yield Example(first + at, key, row if isinstance(row, dict) else {}, format)


_MADE: Mapping[expectations.OptionalCheck, Callable[[DatasetSpec], Look]] = {
    expectations.OptionalCheck.ALIKE: lambda spec: Alike(spec.validation_share),
    expectations.OptionalCheck.SECRETS: lambda _spec: secrets(),
    expectations.OptionalCheck.NEAR_DUPLICATES: lambda _spec: NearDuplicates(),
    expectations.OptionalCheck.PERSONAL_DATA: lambda _spec: personal_data(),
}
