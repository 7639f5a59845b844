"""What a rule finds in a file and the remedy for it, as data; and what rules need of rows."""

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from reconciler.dataset import (
    IN_CONVERSION,
    LeftOut,
    Row,
    RowReport,
    describe_left_out,
    estimate_tokens,
    value_to_text,
)
from reconciler.dataset.recognise import write_step
from reconciler.dataset.steps import ConversionError, EditingStep, TestingStep, make_edit, make_test, pair_rows
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.prepare import PairLabels
from reconciler.prepare_data.compat import TaskKind, guess_task

PROMPT, COMPLETION = FIELDS = ("prompt", "completion")
SHOWN_LINES = 10

RemedyStep = EditingStep | TestingStep | PairLabels
"""The steps that remedies are made of."""


class FileFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth knowing about the rows.

    Shape:  `lines` are the lines of the rows in the file, from 1; empty when the finding is about all rows; `hint` says
            what the remedy does; empty when there is none
    """

    name: str
    what: str
    lines: tuple[int, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        if not self.lines:
            return self.what
        first = ", ".join(map(str, self.lines[:SHOWN_LINES]))
        more = len(self.lines) - SHOWN_LINES
        return f"{self.what}: line{'s' if len(self.lines) > 1 else ''} {first}{f' and {more} more' if more > 0 else ''}"

    def to_problem(self, file: str) -> Problem:
        """Return the finding as those of the checks are: a warning where there is a remedy."""
        return Problem(
            where=Place(file=file, line=self.lines[0] if self.lines else 0),
            what=str(self),
            hint=self.hint,
            rule=f"prepare.{self.name.replace('_', '-')}",
            severity=Severity.WARNING if self.hint else Severity.INFO,
        )


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that correct something; without the `necessary` ones the rows are no prompts and completions."""

    name: str
    what: str
    necessary: bool
    steps: tuple[RemedyStep, ...]


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule finds; a problem ends the examination, and a question is left to a person."""

    findings: tuple[FileFinding, ...] = ()
    remedy: Remedy | None = None
    problem: Problem | None = None
    questions: tuple[Problem, ...] = ()


NO_RESULT = RuleResult()


def suggest_remedy(
    name: str, what: str, remedy: str, *steps: RemedyStep, necessary: bool = False, lines: tuple[int, ...] = ()
) -> RuleResult:
    """Return the result of a rule with one finding and its remedy."""
    return RuleResult(
        findings=(FileFinding(name=name, what=what, lines=lines, hint=remedy),),
        remedy=Remedy(name=name, what=remedy, necessary=necessary, steps=steps),
    )


class RowsAfterStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one step makes of rows.

    Shape:  `questions` are the problems of rows that cannot be converted, which are not in `rows`, and of keys that
            would be lost; `notes` name keys that are left out, and say little about training
    """

    rows: list[Row]
    questions: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def run_step(step: RemedyStep, rows: Sequence[Row], carried: Collection[str] = ()) -> RowsAfterStep:
    """Return the rows after one step, which does what the same step does in a spec, and what it asks.

    Shape:  `carried` are the columns that it leaves alone, because of what other steps do with them
    """
    if isinstance(step, TestingStep):
        keeps = make_test(step, estimate_tokens)
        return RowsAfterStep(rows=[row for row in rows if keeps(cells_of(row))])
    if isinstance(step, PairLabels):
        pairs = list(pair_rows(step)(iter(rows)))
        note = f"{len(pairs)} pairs from {len(rows)} rows by `{write_step(step)}`"
        return RowsAfterStep(rows=pairs, notes=(note,))
    left_out, report, changed = LeftOut(), RowReport(), list[Row]()
    edit = make_edit(step, left_out.note, carried)
    for row in rows:
        try:
            changed.append(row._replace(value=edit(cells_of(row))))
            left_out.end_row()
        except ConversionError as error:
            report.drop_row(row.problem("prepare.convert", error.path, error.what, _name_step(error.hint, step)))
            left_out.skip_row()
    found = tuple(describe_left_out(left_out, IN_CONVERSION)) if rows else ()
    for problem in found:
        if problem.severity is Severity.ERROR:
            hint = _name_step(problem.hint, step)
            report.add(replace(problem, where=Place(file=rows[0].file), hint=hint))
    notes = tuple(problem.what for problem in found if problem.severity is not Severity.ERROR)
    return RowsAfterStep(rows=changed, questions=report.problems, notes=notes)


def _name_step(hint: str, step: RemedyStep) -> str:
    for where in ("before", "after"):
        hint = hint.replace(f"{where} this step", f"{where} `{write_step(step)}`, in a spec")
    return hint


def cells_of(row: Row) -> dict[str, object]:
    """Return a row's cells; `read_file` accepts objects only."""
    return row.value if isinstance(row.value, dict) else {}


def column_texts(rows: Sequence[Row], column: str) -> list[str]:
    """Return one column as text: a missing or null value is empty, a value other than text is JSON."""
    return [value_to_text(cells_of(row).get(column)) for row in rows]


def list_columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return every column that some row has, in the order of the rows."""
    return tuple(dict.fromkeys(column for row in rows for column in cells_of(row)))


def guess_rows_task(rows: Sequence[Row]) -> TaskKind:
    """Return what the rows most likely teach."""
    return guess_task(column_texts(rows, PROMPT), column_texts(rows, COMPLETION))
