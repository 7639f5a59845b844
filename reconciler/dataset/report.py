"""Collects what is wrong with one dataset, bounded, so that all of it can be said at once."""

from reconciler.domain.errors import InputError, Place, Problem, Severity

SHOWN_PER_FILE = 50
"""Problems of one file that are kept; the rest are counted."""


class Report:
    """Everything found so far. The stages tell it and go on; the end of the pass asks it.

    Shape:  `dropped` counts rows that were seen and could not be passed on, so that nobody calls them missing;
            `is_whole` is false when some file was not read to its end, and so nobody knows how many rows it has
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.is_whole = True
        self._kept: dict[tuple[str, Severity], list[Problem]] = {}
        self._unshown: dict[tuple[str, Severity], int] = {}

    def tell(self, problem: Problem) -> None:
        """Keep a problem, or count it when its file has had its share."""
        key = problem.where.file, problem.severity
        kept = self._kept.setdefault(key, [])
        if len(kept) < SHOWN_PER_FILE:
            kept.append(problem)
        else:
            self._unshown[key] = self._unshown.get(key, 0) + 1

    def drop(self, problem: Problem) -> None:
        """Keep a problem that costs a row."""
        self.dropped += 1
        self.tell(problem)

    def stop(self, problem: Problem) -> None:
        """Keep a problem that ends the reading of a file."""
        self.is_whole = False
        self.tell(problem)

    @property
    def has_errors(self) -> bool:
        return any(severity is Severity.ERROR for _, severity in self._kept)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What does not stop a run, sorted; each file's surplus is one last warning that counts it."""
        kept = sorted(self._of(Severity.WARNING))
        more = [
            Problem(
                where=Place(file=file),
                what=f"{count} more warnings, not shown",
                rule="rows.more",
                severity=Severity.WARNING,
            )
            for (file, severity), count in sorted(self._unshown.items())
            if severity is Severity.WARNING
        ]
        return (*kept, *more)

    def raise_errors(self) -> None:
        """Return when a run may go on.

        Raises: InputError, when there is an error: with every problem kept, warnings too, and the count of the others
        """
        if self.has_errors:
            unshown = sum(count for (_, severity), count in self._unshown.items() if severity is Severity.ERROR)
            raise InputError(tuple(sorted((*self._of(Severity.ERROR), *self.warnings))), unshown)

    def _of(self, wanted: Severity) -> list[Problem]:
        return [each for (_, severity), kept in self._kept.items() if severity is wanted for each in kept]
