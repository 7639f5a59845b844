"""The report of one dataset: every problem of a pass, bounded, so that a user sees all of them in one run."""

import re
from bisect import insort
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from reconciler.dataset.sensitive import mask_problem
from reconciler.domain.errors import InputError, Place, Problem, Severity
from reconciler.domain.expectations import Allowance

SHOWN_PER_FILE = 50
"""Problems of one file that are kept; the rest are counted."""


SHOWN_OF_A_CAUSE = 3
"""Findings of one cause that are shown one by one; more become one, with the number of rows."""

Cause = tuple[str, str, str, str]
"""What findings of one cause have in common: the rule, the path without positions, what is wrong, the hint."""

_POSITION = re.compile(r"\[\d+\]")


class SameCause:
    """The findings of one cause in one file."""

    def __init__(self, problem: Problem, most: int) -> None:
        self.count = 1
        self._most = most
        self._first = [problem]
        self._rows = 1
        self._line = problem.where.line
        self._differ = False

    @property
    def first(self) -> Problem:
        return self._first[0]

    def add(self, problem: Problem) -> None:
        """Add a finding."""
        self.count += 1
        self._differ = self._differ or problem.what != self.first.what
        self._rows += problem.where.line != self._line
        self._line = problem.where.line
        insort(self._first, problem)
        del self._first[self._most :]

    def problems(self) -> list[Problem]:
        """Return the findings, or one for all of them, masked."""
        if self.count <= self._most:
            return [mask_problem(problem) for problem in self._first]
        lines = list(dict.fromkeys(problem.where.line for problem in self._first))[:SHOWN_OF_A_CAUSE]
        more = self._rows - len(lines)
        if not lines[0] or self._rows < SHOWN_OF_A_CAUSE:
            also = f"{self.count} times"
        else:
            shown = ", ".join(map(str, lines))
            also = f"in {self._rows} rows: lines {shown}{f' and {more} more' if more > 0 else ''}"
        first = mask_problem(self._first[0])
        others = ", and others like it" if self._differ else ""
        return [replace(first, what=f"{first.what}{others} ({also})")]


class RowReport:
    """Everything found so far. The stages add problems and continue; the end of the pass raises them.

    Shape:  `allow` are findings that the spec allows, at `place`; `shown` is how many problems of one severity and file
            are kept; `dropped` counts rows that were read and not passed on, so that they do not count as missing;
            `is_whole` is false when a file was not read to its end, and so the number of its rows is unknown
    """

    def __init__(
        self, allow: Sequence[Allowance] = (), place: Place | None = None, shown: int = SHOWN_PER_FILE
    ) -> None:
        self.dropped = 0
        self.is_whole = True
        self._shown = shown
        # Where a person asks for more findings, each has its line.
        self._shown_of_a_cause = SHOWN_OF_A_CAUSE if shown <= SHOWN_PER_FILE else shown
        self._place = place or Place(file="")
        self._allowed = dict.fromkeys(allow, 0)
        self._causes: dict[tuple[str, Severity], dict[Cause, SameCause]] = {}
        self._unshown: dict[tuple[str, Severity], Counter[str]] = {}
        self._superseded: set[Problem] = set()

    def add(self, problem: Problem) -> None:
        """Keep a problem. Count it only, when the spec allows it, or when enough problems of its file are kept."""
        for allowance in self._allowed:
            if allowance.covers(problem):
                self._allowed[allowance] += 1
                return
        key = problem.where.file, problem.severity
        kept = self._causes.setdefault(key, {})
        cause = _find_cause(problem)
        if cause in kept:
            kept[cause].add(problem)
            return
        kept[cause] = SameCause(problem, self._shown_of_a_cause)
        if len(kept) > self._shown:
            # The first by place are kept: the order in which the stages report differs between the two paths of a row.
            last = max(kept, key=lambda each: kept[each].first)
            self._unshown.setdefault(key, Counter())[last[0]] += kept.pop(last).count

    def drop_row(self, problem: Problem) -> None:
        """Keep a problem because of which a row is dropped."""
        self.dropped += 1
        self.add(problem)

    def supersede(self, warning: Problem) -> None:
        """Leave a warning out, because an error says of what it warns: one cause is one problem."""
        self._superseded.add(warning)

    def stop_reading(self, problem: Problem) -> None:
        """Keep a problem that ends the reading of a file."""
        self.is_whole = False
        self.add(problem)

    @property
    def has_problems(self) -> bool:
        return bool(self._causes)

    def is_misread(self, name: str) -> bool:
        """Return whether a name may be missing only because lines could not be decoded: that is the cause to mend."""
        return not name.isascii() and any(
            rule == "text.encoding"
            for (_, severity), kept in self._causes.items()
            for rule, *_ in kept
            if severity is Severity.ERROR
        )

    @property
    def has_errors(self) -> bool:
        return any(severity is Severity.ERROR for _, severity in self._causes)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem kept, of all severities, sorted."""
        return tuple(sorted(problem for severity in Severity for problem in self._of(severity)))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Warnings and notes, sorted; then what was left out, counted."""
        kept = sorted((*self._of(Severity.WARNING), *self._of(Severity.INFO)))
        more = [
            _note(Place(file=file), "rows.more", f"{count.total()} more warnings, not shown", Severity.WARNING)
            for (file, severity), count in sorted(self._unshown.items())
            if severity is Severity.WARNING
        ]
        return (*kept, *more, *self._counts(), *self._allowances())

    def _counts(self) -> Iterator[Problem]:
        # Where not all problems are shown, and they are of several rules, the counts say how many there are of each.
        for file in sorted({file for file, _ in self._unshown}):
            counts = Counter[str]()
            for (name, _), unshown in self._unshown.items():
                counts += unshown if name == file else Counter()
            for (name, _), kept in self._causes.items():
                for (rule, *_), same in kept.items() if name == file else ():
                    counts[rule] += same.count
            if len(counts) > 1:
                parts = ", ".join(f"{count} of {rule}" for rule, count in sorted(counts.items()))
                yield _note(Place(file=file), "rows.counts", f"found in all: {parts}")

    def _allowances(self) -> Iterator[Problem]:
        for allowance, count in self._allowed.items():
            if count:
                findings = "1 finding" if count == 1 else f"{count} findings"
                what = f"{findings} of {allowance.rule} allowed: {allowance.reason}"
                yield _note(self._place, "rows.allowed", what)
            else:
                what = f"`allow` names {allowance.rule}, and no row has such a finding"
                yield _note(self._place, "rows.unused-allowance", what, hint="remove it from `allow`")

    def raise_errors(self) -> None:
        """Return when the run may continue.

        Raises: InputError, when there is an error: with every problem kept, warnings too, and the count of the others
        """
        if self.has_errors:
            unshown = sum(count.total() for (_, severity), count in self._unshown.items() if severity is Severity.ERROR)
            raise InputError(tuple(sorted((*self._of(Severity.ERROR), *self.warnings))), unshown)

    def _of(self, wanted: Severity) -> list[Problem]:
        found = [kept for (_, severity), kept in self._causes.items() if severity is wanted]
        return [
            problem
            for kept in found
            for same in kept.values()
            if same.first not in self._superseded
            for problem in same.problems()
        ]


def _find_cause(problem: Problem) -> Cause:
    if problem.rule == "expect.rows":
        # One expectation is one cause, whatever the texts that are not as it wants; its place ends the hint.
        return problem.rule, problem.path, "", problem.hint.rpartition("; ")[2]
    return problem.rule, _POSITION.sub("[]", problem.path), problem.what, problem.hint


def _note(where: Place, rule: str, what: str, severity: Severity = Severity.INFO, hint: str = "") -> Problem:
    path = "allow" if "allow" in rule else ""
    return Problem(where=where, path=path, what=what, hint=hint, rule=rule, severity=severity)
