"""Counts the rows that one step takes in and passes on, and reports what is wrong when the pass is over."""

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
"""Columns that are remembered, to name them when a step names another."""


class StepReport:
    """The counts and faults of one step.

    Shape:  `columns` are those that the step names, and that some row should have
    """

    def __init__(self, preparation: Preparation, columns: Collection[str], report: Report) -> None:
        self._preparation = preparation
        self._report = report
        self._missing = set(columns)
        self._columns: dict[str, None] = {}
        self._entered = self._left = self._broken = 0
        self._fault: StepError | None = None

    def count_entering(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows unchanged; count them and note their columns."""
        for row in rows:
            self._entered += 1
            if self._missing and isinstance(row.value, dict):
                self._missing.difference_update(row.value)
                if len(self._columns) < _MOST_COLUMNS:
                    self._columns.update(dict.fromkeys(row.value))
            yield row

    def edit_rows(self, rows: Iterator[Row], edit: Callable[[Cells], Cells]) -> Iterator[Row]:
        """Yield the rows with an edit applied; report and leave out those that cannot be edited."""
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
        """Yield the rows unchanged; count them."""
        for row in rows:
            self._left += 1
            yield row

    def finish(self, limit: int | None = None) -> None:
        """Report faults and counts; `limit` is the number of rows after which the step reads no further."""
        columns = tuple(self._columns)
        for column in sorted(self._missing) if columns else ():
            what = f"no row has the column `{column[:100]}`; the columns are {list_words(columns)}"
            self._report.stop(self._problem(what, "prepare.unknown-column", did_you_mean(column, columns)))
        if self._fault:
            self._report.stop(self._problem(self._fault.what, "prepare.taken-column", self._fault.hint))
        elif not (self._missing and columns):
            self._report_counts(limit)

    def _report_counts(self, limit: int | None) -> None:
        dropped = self._entered - self._left - self._broken
        if dropped:
            what = f"{dropped} of {self._entered} rows dropped"
            self._report.tell(self._problem(what, "prepare.dropped", severity=Severity.INFO))
        if self._left == limit:
            what = f"{'1 row is' if limit == 1 else f'{limit} rows are'} used; the rows after are not read"
            self._report.tell(self._problem(what, "prepare.stopped", severity=Severity.INFO))

    def _problem(self, what: str, rule: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        step = self._preparation
        return Problem(where=step.place, path=step.path, what=what, hint=hint, rule=rule, severity=severity)
