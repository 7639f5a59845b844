"""Collects what is wrong with one dataset, bounded, so that all of it can be said at once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.domain.errors import InputError, Place, Problem, Severity
from reconciler.domain.expectations import Allowance

SHOWN_PER_FILE = 50
"""Problems of one file that are kept; the rest are counted."""


class RowReport:
    """Everything found so far. The stages tell it and go on; the end of the pass asks it.

    Shape:  `allow` are findings that are meant, said at `place`; `shown` are the problems kept of a severity and file;
            `dropped` counts rows that were seen and could not be passed on, so that nobody calls them missing;
            `is_whole` is false when some file was not read to its end, and so nobody knows how many rows it has
    """

    def __init__(
        self, allow: Sequence[Allowance] = (), place: Place | None = None, shown: int = SHOWN_PER_FILE
    ) -> None:
        self.dropped = 0
        self.is_whole = True
        self._shown = shown
        self._place = place or Place(file="")
        self._allowed = dict.fromkeys(allow, 0)
        self._kept: dict[tuple[str, Severity], list[Problem]] = {}
        self._unshown: dict[tuple[str, Severity], Counter[str]] = {}

    def add(self, problem: Problem) -> None:
        """Keep a problem, or count it when it is allowed, or when its file has had its share."""
        for allowance in self._allowed:
            if allowance.rule == problem.rule and (not allowance.lines or problem.where.line in allowance.lines):
                self._allowed[allowance] += 1
                return
        key = problem.where.file, problem.severity
        kept = self._kept.setdefault(key, [])
        if len(kept) < self._shown:
            kept.append(problem)
        else:
            self._unshown.setdefault(key, Counter())[problem.rule] += 1

    def drop_row(self, problem: Problem) -> None:
        """Keep a problem that costs a row."""
        self.dropped += 1
        self.add(problem)

    def stop_reading(self, problem: Problem) -> None:
        """Keep a problem that ends the reading of a file."""
        self.is_whole = False
        self.add(problem)

    @property
    def has_problems(self) -> bool:
        return bool(self._kept)

    @property
    def has_errors(self) -> bool:
        return any(severity is Severity.ERROR for _, severity in self._kept)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem kept, of whatever severity."""
        return tuple(sorted(problem for kept in self._kept.values() for problem in kept))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not stop a run, and what is only good to know, sorted; then what was left out, counted."""
        kept = sorted((*self._of(Severity.WARNING), *self._of(Severity.INFO)))
        more = [
            _note(Place(file=file), "rows.more", f"{count.total()} more warnings, not shown", Severity.WARNING)
            for (file, severity), count in sorted(self._unshown.items())
            if severity is Severity.WARNING
        ]
        return (*kept, *more, *self._counts(), *self._allowances())

    def _counts(self) -> Iterator[Problem]:
        # Where not all is shown, and it is of several rules, a reader wants to know how much there is of what.
        for file in sorted({file for file, _ in self._unshown}):
            counts = Counter[str]()
            for (name, _), unshown in self._unshown.items():
                counts += unshown if name == file else Counter()
            counts.update(problem.rule for (name, _), kept in self._kept.items() if name == file for problem in kept)
            if len(counts) < 2:
                continue
            listed = ", ".join(f"{count} of {rule}" for rule, count in sorted(counts.items()))
            yield _note(Place(file=file), "rows.counts", f"found in all: {listed}")

    def _allowances(self) -> Iterator[Problem]:
        for allowance, count in self._allowed.items():
            if count:
                findings = "1 finding" if count == 1 else f"{count} findings"
                what = f"{findings} of {allowance.rule} allowed: {allowance.reason}"
                yield _note(self._place, "rows.allowed", what)
            else:
                what = f"nothing of {allowance.rule} is there to be allowed"
                yield _note(self._place, "rows.unused-allowance", what, hint="remove it from `allow`")

    def raise_errors(self) -> None:
        """Return when a run may go on.

        Raises: InputError, when there is an error: with every problem kept, warnings too, and the count of the others
        """
        if self.has_errors:
            unshown = sum(count.total() for (_, severity), count in self._unshown.items() if severity is Severity.ERROR)
            raise InputError(tuple(sorted((*self._of(Severity.ERROR), *self.warnings))), unshown)

    def _of(self, wanted: Severity) -> list[Problem]:
        return [each for (_, severity), kept in self._kept.items() if severity is wanted for each in kept]


def _note(where: Place, rule: str, what: str, severity: Severity = Severity.INFO, hint: str = "") -> Problem:
    return Problem(
        where=where, path="allow" if "allow" in rule else "", what=what, hint=hint, rule=rule, severity=severity
    )
