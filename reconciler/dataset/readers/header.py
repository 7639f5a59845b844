"""The names of a table's columns, and rows read by them."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.foundation.suggest import list_words


class Header(msgspec.Struct, frozen=True):
    """The columns of one table.

    Shape:  a column without a name is None: its cells cannot be asked for, and are left out
    """

    file: str
    columns: tuple[str | None, ...]

    def row(self, cells: Sequence[str], line: int, report: Report) -> Row | None:
        """Name the cells of one row, missing ones at its end as empty. None, and a problem, when there are too many."""
        surplus = len(cells) - len(self.columns)
        if surplus > 0 and any(cells[len(self.columns) :]):
            what = f"the row has {len(cells)} cells, and the header names {len(self.columns)} columns"
            hint = "put a cell that holds a delimiter into quotes"
            report.drop(Problem(where=Place(file=self.file, line=line), what=what, hint=hint, rule="table.cells"))
            return None
        if not surplus and None not in self.columns:
            return Row(self.file, line, dict(zip(self.columns, cells, strict=True)))
        filled = [*cells, *[""] * -surplus] if surplus < 0 else cells
        named = zip(self.columns, filled, strict=False)
        return Row(self.file, line, {column: cell for column, cell in named if column is not None})


def header_of(cells: Sequence[str], line: int, file: str, report: Report) -> Header | None:
    """Read a table's header; None, and a problem, when rows cannot be read by it."""
    where = Place(file=file, line=line)
    if not any(cell.strip() for cell in cells):
        report.stop(
            Problem(
                where=where, what="the header is empty", hint="name the columns in the first row", rule="table.header"
            )
        )
        return None
    twice = [name for name, count in Counter(cell for cell in cells if cell).items() if count > 1]
    if twice:
        what = f"the header names {list_words(twice)} more than once"
        report.stop(Problem(where=where, what=what, hint="give each column its own name", rule="table.header"))
        return None
    nameless = sum(not cell for cell in cells)
    if nameless:
        what = (
            f"{nameless} columns have no name and are left out"
            if nameless > 1
            else "a column has no name and is left out"
        )
        report.tell(Problem(where=where, what=what, rule="table.header", severity=Severity.WARNING))
    return Header(file, tuple(cell or None for cell in cells))
