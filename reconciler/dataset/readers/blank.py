"""Lines and rows with nothing in them: passed over, and said once for a file."""

from reconciler.dataset.report import Report
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem, Severity


class Blanks:
    """Counts the blank lines of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first = 0
        self._count = 0

    def add(self, line: int) -> None:
        self._first = self._first or line
        self._count += 1

    def tell(self, report: Report) -> None:
        """Report them, when there were any, at the first."""
        if self._count:
            noun = "line is" if self._count == 1 else "lines are"
            report.tell(
                Problem(
                    where=Place(file=self._source.name, line=self._first),
                    what=f"{self._count} {noun} blank and passed over",
                    rule="text.blank-line",
                    severity=Severity.WARNING,
                )
            )
