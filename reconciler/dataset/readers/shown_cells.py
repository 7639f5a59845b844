"""Cells as a person sees them, or as the workbook stores them, with a warning where the two differ and none was chosen.

    cells: shown     00123, 15%, €12.00, yes, 1.10, 1-Mar-24
    cells: stored    123, 0.15, 12, 1, 1.1, 2024-03-01

What a person would not expect is said too: hidden rows and columns that are read, merged cells of which one has the
text, cells with errors and formulas without a result, which are read as empty.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.readers.number_format import GENERAL, show_moment, show_number
from reconciler.dataset.readers.sheet_facts import ERROR, MERGED, UNSOLVED, Cell, SheetFacts, column_name
from reconciler.dataset.sources import Source, UnreadCell
from reconciler.dataset.strict_json import parse_number
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Cells
from reconciler.foundation.text import list_words

_MOST_EXACT = 10**15
"""A spreadsheet keeps fifteen digits of a number, and shows zeros in place of the others."""

_LEAST_LONG = 17
"""A number with fewer characters has no digit beyond the fifteenth."""


def cell_to_text(cell: Cell) -> str:
    """Return a cell as it is stored: whole numbers as integers, dates in ISO form, line breaks as line feeds."""
    match cell:
        case str():
            return cell.replace("\r\n", "\n")
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return write_canonical_text(parse_number(repr(cell)))
        case timedelta():
            minutes, seconds = divmod(int(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return cell.isoformat()


class CellReader:
    """Writes the cells of one sheet as text, and counts those that a person sees otherwise."""

    def __init__(self, source: Source, facts: SheetFacts, first_column: int) -> None:
        self._source, self._facts, self._first = source, facts, first_column
        self._different = self._unwritten = 0
        self._examples: list[str] = []
        self._first_row = 0
        self._inexact = 0
        self._inexact_examples: list[str] = []
        self._first_inexact = 0
        self._blanks = {each: UnreadCell.of(warning, held) for each, held, warning in self._warn_of_blanks()}

    def read_row(self, number: int, cells: list[Cell]) -> list[str]:
        """Return the texts of one row."""
        texts = self._read_cells(number, cells)
        if self._blanks:
            for at, text in enumerate(texts):
                why = 0 if text else self._facts.blank_at(number, self._first + at)
                texts[at] = self._blanks[why] if why else text
        return texts

    def _read_cells(self, number: int, cells: list[Cell]) -> list[str]:
        return [
            cell
            if type(cell) is str and "\r" not in cell
            else cell_to_text(cell)
            if isinstance(cell, str | bool)
            else self._read_value(number, column, cell)
            for column, cell in enumerate(cells, start=self._first)
        ]

    def findings(self) -> Iterator[Problem]:
        """Yield what is surprising about the cells that were read, and about the sheet."""
        if self._unwritten:
            yield self._warn(
                "xlsx.cells",
                f"{_cells(self._unwritten)} in a form that depends on the machine or the column, read as stored: "
                f"{list_words(self._examples)}",
                "give their column a form of digits and letters, or choose `cells: stored` for the source",
                self._first_row,
            )
        elif self._different:
            yield self._warn(
                "xlsx.cells",
                f"{_cells(self._different)} read otherwise than the sheet shows: {list_words(self._examples)}",
                "give the source `cells: shown` to read what the sheet shows, or `cells: stored` to keep these values",
                self._first_row,
            )
        if self._inexact:
            noun = "1 number has" if self._inexact == 1 else f"{self._inexact} numbers have"
            what = f"{noun} more than 15 digits, and a workbook keeps no more: {list_words(self._inexact_examples)}"
            hint = "where they are ids, give their column the format text, and enter them again"
            yield self._warn("xlsx.digits", what, hint, self._first_inexact)
        yield from (cell.cause for cell in self._blanks.values())
        yield from self._warn_of_hidden_cells()

    def _read_value(self, row: int, column: int, cell: Cell) -> str:
        stored, mode = cell_to_text(cell), self._source.terms.cells
        if isinstance(cell, int | float) and abs(cell) >= _MOST_EXACT and float(cell).is_integer():
            self._note_inexact(row, f"{column_name(column)}{row} {stored[:30]}")
        code = self._facts.format_at(row, column)
        if mode is Cells.STORED or (code == GENERAL and len(stored) < _LEAST_LONG):
            return stored
        shown = None if code is None else _show(cell, code)
        if shown == stored:
            return stored
        if mode is Cells.SHOWN and shown is not None:
            return shown
        example = f"{column_name(column)}{row} {stored}"
        if mode is Cells.SHOWN:
            self._unwritten += 1
        else:
            self._different += 1
            example += f", shown as {shown}" if shown is not None else ", shown by a format of its own"
        self._first_row = self._first_row or row
        if len(self._examples) < 3:
            self._examples.append(example)
        return stored

    def _note_inexact(self, row: int, example: str) -> None:
        self._inexact += 1
        self._first_inexact = self._first_inexact or row
        if self._inexact <= 3:
            self._inexact_examples.append(example)

    def _warn_of_blanks(self) -> Iterator[tuple[int, str, Problem]]:
        facts = self._facts
        if facts.error_count:
            is_one = facts.error_count == 1
            noun = "1 cell holds an error, and is" if is_one else f"{facts.error_count} cells hold an error, and are"
            what = f"{noun} read as empty: {list_words(facts.errors)}"
            yield ERROR, "an error", self._warn("xlsx.errors", what, "mend the formula, or write the value")
        if facts.unsolved_count:
            is_one = facts.unsolved_count == 1
            noun = (
                "1 formula has no result, and is"
                if is_one
                else f"{facts.unsolved_count} formulas have no result, and are"
            )
            what = f"{noun} read as empty: {list_words(facts.unsolved)}"
            hint = "open the workbook in a spreadsheet program, and save it: the program that wrote it computes nothing"
            yield UNSOLVED, "a formula without a result", self._warn("xlsx.errors", what, hint)
        if facts.merged_count:
            noun = "1 range of cells is" if facts.merged_count == 1 else f"{facts.merged_count} ranges of cells are"
            what = f"{noun} merged ({list_words(facts.merged)}); only the first cell of a range has its text"
            warning = self._warn("xlsx.merged", what, "unmerge them, and fill every cell")
            yield MERGED, "a cell that is merged with another, which has its text", warning

    def _warn_of_hidden_cells(self) -> Iterator[Problem]:
        facts = self._facts
        if facts.hidden_row_count:
            rows = "1 hidden row is" if facts.hidden_row_count == 1 else f"{facts.hidden_row_count} hidden rows are"
            why = ", by a filter" if facts.is_filtered else ""
            what = f"{rows} read too{why}: {', '.join(map(str, facts.hidden_rows))}"
            hint = "delete them from the sheet, or leave rows out with a step: `filter`"
            yield self._warn("xlsx.hidden", what, hint, facts.hidden_rows[0])
        elif facts.has_criteria:
            what = "the sheet has a filter, and all its rows are read: none is marked as hidden"
            yield self._warn(
                "xlsx.hidden", what, "to leave rows out, use a step: `filter`; else remove the filter from the sheet"
            )
        if facts.hidden_columns:
            what = f"hidden columns are read too: {', '.join(facts.hidden_columns)}"
            yield self._warn("xlsx.hidden", what, "a mapping uses only the columns that it names")

    def _warn(self, rule: str, what: str, hint: str, line: int = 0) -> Problem:
        return self._source.problem(rule, what, hint, line=line, severity=Severity.WARNING)


def _show(cell: Cell, code: str) -> str | None:
    if isinstance(cell, int | float):
        return show_number(Decimal(repr(cell)), code)
    return None if isinstance(cell, str) else show_moment(cell, code)


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"
