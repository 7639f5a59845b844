"""Runs the steps of a spec one after the other on the rows of all sources, counts rows, and repeats rows by weight."""

from collections.abc import Callable, Collection, Iterator
from itertools import groupby

from msgspec.structs import replace

from reconciler.dataset.left_out import IN_CONVERSION, LeftOut, describe_left_out
from reconciler.dataset.mapping import Template, value_to_text
from reconciler.dataset.readers import is_table
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source, advise_column
from reconciler.dataset.steps.cells import HASH_RANGE, Cells, hash_value
from reconciler.dataset.steps.conversion import ConversionError
from reconciler.dataset.steps.edits import StepError, find_carried, make_edit
from reconciler.dataset.steps.filters import Test, limit_rows, make_test, pair_rows, sample_rows
from reconciler.dataset.steps.numbers import OtherNotationError, OtherNotations
from reconciler.dataset.tokens import CountTextTokens, estimate_tokens
from reconciler.domain import prepare as domain
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import DatasetSpec, Terms
from reconciler.foundation.expressions import MatchingTime
from reconciler.foundation.text import list_words

_MOST_REPORTED = 20
"""Columns that no row has, of one step, that are reported."""

_MOST_SAMPLES, _SAMPLE_CHARACTERS = 5, 50
"""Different cells of a filter's column that are remembered, and how much of each."""

_MOST_COLUMNS = 100
"""Columns that are remembered, to name them when a step names another."""


class StepReport:
    """The counts and faults of one step, reported when the pass is over.

    Shape:  `columns` are those that the step names, and that some row should have
    """

    def __init__(
        self, preparation: domain.Preparation, columns: Collection[str], report: RowReport, spec: DatasetSpec
    ) -> None:
        self._preparation = preparation
        self._spec = spec
        self._report = report
        self._missing = set(columns)
        self._columns: dict[str, None] = {}
        self._entered = self._left = self._broken = 0
        self._fault: StepError | None = None
        self._fault_place: Place | None = None
        self.left_out = LeftOut()
        self._other_notations = OtherNotations()
        self._samples: dict[str, None] = {}

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
                edited = Row(row.file, row.line, edit(row.value)) if isinstance(row.value, dict) else row
                self.left_out.end_row()
                yield edited
            except ConversionError as error:
                self.left_out.skip_row()
                self._broken += 1
                where = Place(file=row.file, line=row.line)
                self._report.drop_row(
                    Problem(where=where, path=error.path, what=error.what, hint=error.hint, rule="prepare.convert")
                )
            except StepError as error:
                self._broken += 1
                self._fault = self._fault or error
                if error.rule == "row.too-large":
                    # Every further row may be as large: no more of them are read.
                    self._fault_place = Place(file=row.file, line=row.line)
                    return

    def run_stage(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows of a stage that holds rows, until it holds too many."""
        try:
            yield from rows
        except StepError as error:
            self._fault = self._fault or error

    def keep_rows(self, rows: Iterator[Row], keeps: Test) -> Iterator[Row]:
        """Yield the rows that a test keeps; count those with numbers that it cannot read."""
        for row in rows:
            try:
                if not isinstance(row.value, dict) or keeps(row.value):
                    yield row
                elif len(self._samples) < _MOST_SAMPLES:
                    self._sample(row.value)
            except OtherNotationError as error:
                self._broken += 1
                self._other_notations.add(error)
            except StepError as error:
                self._broken += 1
                self._fault, self._fault_place = self._fault or error, Place(file=row.file, line=row.line)
                return

    def count_leaving(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows unchanged; count them."""
        for row in rows:
            self._left += 1
            yield row

    def finish(self, limit: int | None = None) -> None:
        """Report faults and counts; `limit` is the number of rows after which the step reads no further."""
        columns = tuple(self._columns)
        for column in sorted(self._missing)[:_MOST_REPORTED] if columns else ():
            if not self._report.is_misread(column):
                what = f"no row has the column `{column[:100]}`; the columns are {list_words(columns)}"
                hint = advise_column(self._spec, column, columns)
                self._report.stop_reading(self._problem(what, "prepare.unknown-column", hint))
        if self._fault:
            row = f": {self._fault_place}" if self._fault_place else ""
            self._report.stop_reading(self._problem(self._fault.what + row, self._fault.rule, self._fault.hint))
        elif self._other_notations.count and isinstance(self._preparation.operation, domain.Filter):
            what, hint = self._other_notations.describe(self._preparation.operation.column)
            self._report.stop_reading(self._problem(what, "prepare.number", hint))
        elif not (self._missing and columns):
            self._report_counts(limit)
        # The author of `keep_columns` decides to leave the others out, whatever they say: they are only named.
        is_decided = isinstance(self._preparation.operation, domain.KeepColumns)
        for problem in describe_left_out(self.left_out, IN_CONVERSION, is_decided=is_decided):
            self._report.add(replace(problem, where=self._preparation.place, path=self._preparation.path))

    def _sample(self, cells: Cells) -> None:
        operation = self._preparation.operation
        if isinstance(operation, domain.Filter) and operation.column in cells:
            self._samples.setdefault(value_to_text(cells[operation.column])[:_SAMPLE_CHARACTERS])

    def _report_none_left(self) -> None:
        rows = "its only row" if self._entered == 1 else f"all {self._entered} rows"
        what = f"this step drops {rows}, and nothing is left"
        operation = self._preparation.operation
        if isinstance(operation, domain.PairLabels):
            what = f"this step makes no pair of {rows}: no question has a desired and an undesired answer"
        hint = "change the step, or remove it"
        if self._samples and isinstance(operation, domain.Filter):
            hint += f"; cells of `{operation.column}` are {list_words(list(self._samples))}"
        self._report.stop_reading(self._problem(what, "prepare.none-left", hint))

    def _report_counts(self, limit: int | None) -> None:
        dropped = self._entered - self._left - self._broken
        if dropped == self._entered > 0:
            self._report_none_left()
            return
        if isinstance(self._preparation.operation, domain.PairLabels):
            rest = f"; {dropped - self._left} rows have no partner" if dropped > self._left else ""
            what = f"{self._left} pairs from {self._entered} rows{rest}"
            self._report.add(self._problem(what, "prepare.dropped", severity=Severity.INFO))
        elif dropped:
            what = f"{dropped} of {self._entered} rows dropped"
            self._report.add(self._problem(what, "prepare.dropped", severity=Severity.INFO))
        if self._left == limit:
            what = f"{'1 row is' if limit == 1 else f'{limit} rows are'} used; the rows after are not read"
            self._report.add(self._problem(what, "prepare.stopped", severity=Severity.INFO))

    def _problem(self, what: str, rule: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        step = self._preparation
        return Problem(where=step.place, path=step.path, what=what, hint=hint, rule=rule, severity=severity)


def prepare_rows(
    files: Iterator[tuple[Source, Iterator[Row]]],
    spec: DatasetSpec,
    report: RowReport,
    tokens: CountTextTokens = estimate_tokens,
) -> Iterator[tuple[Iterator[Row], bool]]:
    """Yield the rows of each file as the mapping takes them, and whether they are a table's, which needs a mapping.

    Shape:  steps see the rows of all files as one stream; weights come last, so that no step undoes them
    Cost:   one row in memory; `deduplicate` 16 bytes a row; `sample` by a number the rows that it keeps
    """
    if not spec.prepare and not spec.terms:
        for source, rows in files:
            yield rows, is_table(source)
        return
    sources: dict[str, Source] = {}
    is_converted = any(isinstance(each.operation, domain.Convert) for each in spec.prepare)
    for name, rows in groupby(_run_steps(_join_files(files, sources), spec, report, tokens), key=lambda row: row.file):
        yield _repeat_rows(rows, sources[name].terms), is_table(sources[name]) and not is_converted


def _join_files(files: Iterator[tuple[Source, Iterator[Row]]], sources: dict[str, Source]) -> Iterator[Row]:
    for source, rows in files:
        sources[source.name] = source
        yield from rows


def _run_steps(rows: Iterator[Row], spec: DatasetSpec, report: RowReport, tokens: CountTextTokens) -> Iterator[Row]:
    step_reports = []
    operations = [each.operation for each in spec.prepare]
    matching = MatchingTime()
    for at, each in enumerate(spec.prepare):
        carried = find_carried(operations, at)
        step_report = StepReport(each, _columns_read(each.operation), report, spec)
        rows = step_report.count_leaving(
            _run_step(each.operation, step_report.count_entering(rows), step_report, tokens, matching, carried)
        )
        step_reports.append(step_report)
    yield from rows
    for step_report, each in zip(step_reports, spec.prepare, strict=True):
        step_report.finish(each.operation.rows if isinstance(each.operation, domain.Limit) else None)


def _columns_read(step: domain.Operation) -> tuple[str, ...]:
    # The columns that a step names, and that some row should have.
    match step:
        case domain.Rename():
            return tuple(old for old, _ in step.names)
        case domain.FillTemplate():
            return tuple(name for _, source in step.templates for name in Template.parse(source).columns)
        case domain.AddPrefix() | domain.AddSuffix() | domain.RemovePrefix() | domain.RemoveSuffix() | domain.Filter():
            return (step.column,)
        case domain.PlaceImages() | domain.PairLabels():
            return (step.column,)
        case domain.ChoosePair():
            return (step.column, step.first, step.second)
        case domain.JoinMessages():
            return ("messages",)
        case domain.SetColumns() | domain.Sample() | domain.Limit() | domain.Convert():
            return ()
        case (
            domain.DropEmptyTurns()
            | domain.DropTurnKeys()
            | domain.TurnWeight()
            | domain.MendCalls()
            | domain.MendImages()
        ):
            return ()
        case _:
            return step.columns


def _run_step(
    step: domain.Operation,
    rows: Iterator[Row],
    step_report: StepReport,
    tokens: CountTextTokens,
    matching: MatchingTime,
    carried: Collection[str],
) -> Iterator[Row]:
    match step:
        case domain.Sample(share=None):
            return step_report.run_stage(sample_rows(step)(rows))
        case domain.Limit():
            return limit_rows(step)(rows)
        case domain.PairLabels():
            return step_report.run_stage(pair_rows(step)(rows))
        case domain.DropEmpty() | domain.Deduplicate() | domain.DropLong() | domain.Filter() | domain.Sample():
            return step_report.keep_rows(rows, make_test(step, tokens, matching))
        case _:
            return step_report.edit_rows(rows, make_edit(step, step_report.left_out.note, carried))


def _repeat_rows(rows: Iterator[Row], terms: Terms) -> Iterator[Row]:
    # The whole part of a weight repeats every row, copies side by side; the fraction repeats some, chosen by content.
    whole = int(terms.weight)
    bound = (terms.weight - whole) * HASH_RANGE
    for row in rows:
        again = bound > 0 and hash_value(row.value, "weight", terms.seed) < bound
        for _ in range(whole + again):
            yield row
