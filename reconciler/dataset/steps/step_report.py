"""What one step took in, gave on and found wrong, told when the pass is over."""

from collections.abc import Callable, Collection, Iterator

from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.steps.cells import Cells
from reconciler.dataset.steps.conversion import ConversionError
from reconciler.dataset.steps.edits import StepError
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.prepare import Preparation
from reconciler.foundation.suggest import did_you_mean, list_words

_MOST_COLUMNS = 100
"""Columns that are remembered, to say which there are when one is not."""


class StepReport:
    """The account of one step.

    Shape:  `columns` are those that the step names, and that some row should have
    """

    def __init__(self, preparation: Preparation, columns: Collection[str], report: Report) -> None:
        self._preparation = preparation
        self._report = report
        self._unseen = set(columns)
        self._there: dict[str, None] = {}
        self._entered = 0
        self._left = 0
        self._broken = 0
        self._fault: StepError | None = None

    def count_entering(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows on, looking at their columns."""
        for row in rows:
            self._entered += 1
            if self._unseen and isinstance(row.value, dict):
                self._unseen.difference_update(row.value)
                if len(self._there) < _MOST_COLUMNS:
                    self._there.update(dict.fromkeys(row.value))
            yield row

    def edit_rows(self, rows: Iterator[Row], edit: Callable[[Cells], Cells]) -> Iterator[Row]:
        """Yield the rows changed; what cannot be is told and left out."""
        for row in rows:
            try:
                yield Row(row.file, row.line, edit(row.value)) if isinstance(row.value, dict) else row
            except ConversionError as error:
                self._broken += 1
                where = Place(file=row.file, line=row.line)
                self._report.drop(
                    Problem(where=where, path=error.path, what=error.what, hint=error.hint, rule="prepare.convert")
                )
            except StepError as error:
                self._broken += 1
                self._fault = self._fault or error

    def count_leaving(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows on, counting them."""
        for row in rows:
            self._left += 1
            yield row

    def report_step(self, stopped_at: int | None = None) -> None:
        """Report what is to be said of the step; `stopped_at` is the number of rows after which it reads no more."""
        there = tuple(self._there)
        for column in sorted(self._unseen) if there else ():
            what = f"no row has the column `{column[:100]}`; the columns there are: {list_words(there)}"
            self._report.stop(self._problem(what, "prepare.unknown-column", did_you_mean(column, there)))
        if self._fault:
            self._report.stop(self._problem(self._fault.what, "prepare.taken-column", self._fault.hint))
        if not self._fault and not (self._unseen and there):
            self._report_counts(stopped_at)

    def _report_counts(self, stopped_at: int | None) -> None:
        dropped = self._entered - self._left - self._broken
        if dropped:
            rows = f"{dropped} of {self._entered} rows dropped"
            self._report.tell(self._problem(rows, "prepare.dropped", severity=Severity.INFO))
        if self._left == stopped_at:
            rest = f"{'1 row is' if stopped_at == 1 else f'{stopped_at} rows are'} used; what follows is not read"
            self._report.tell(self._problem(rest, "prepare.stopped", severity=Severity.INFO))

    def _problem(self, what: str, rule: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        step = self._preparation
        return Problem(where=step.place, path=step.path, what=what, hint=hint, rule=rule, severity=severity)
