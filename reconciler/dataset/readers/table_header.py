"""The columns of a table, and the rows below: for CSV and TSV, and for the sheets of workbooks.

The first row names the columns. Where it looks like one more row of data, the header is missing, and its row would be
lost: an error, unless the spec names one of these columns; then a warning.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from reconciler.dataset.readers.text import OddLines
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source, spec_problem
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

Record = tuple[int, Sequence[str]]
"""The cells of one row, with the line that it begins on."""

MOST_COLUMNS = 20_000
"""Columns of a table; a spreadsheet has at most 16,384."""

MOST_MISSING_CELLS = 10_000_000
"""Cells that short rows of one table may lack, beside those that are in proportion to what the rows hold."""

_MISSING_FOR_ONE = 20
"""Cells that a row may lack for each of its cells and characters."""

_MOST_TITLES = 10
_SHOWN_NAMES = 8
_NAME = re.compile(r"\S(?:.{0,38}\S)?")
_SAMPLE_ROWS = 100
_SAMPLE_CHARACTERS = 1 << 20
_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)*")
_SENTENCE = re.compile(r"(?:\S+\s+){3,}\S*[.?!]")
_PAIR = {"prompt", "completion"}


class TableHeader(msgspec.Struct, frozen=True):
    """The columns of one table.

    Shape:  a column without a name is None: no mapping can name its cells, and they are left out. `empty_row` has an
            empty cell for each column
    """

    source: Source
    columns: tuple[str | None, ...]
    empty_row: dict[str | None, str]

    @classmethod
    def of(cls, source: Source, columns: Iterable[str | None]) -> "TableHeader":
        """Return the header with these columns."""
        names = tuple(columns)
        return cls(source, names, dict.fromkeys(names, ""))

    def row(self, cells: Sequence[str], line: int, report: RowReport) -> Row | None:
        """Return one row by column, with missing cells at its end as empty; None, and a problem, for too many cells."""
        surplus = len(cells) - len(self.columns)
        if surplus > 0 and any(cells[len(self.columns) :]):
            who = "`columns`" if self.source.terms.columns else "the header"
            what = f"the row has {len(cells)} cells, and {who} names {len(self.columns)} columns"
            hint = "put a cell that holds a delimiter into quotes"
            report.drop_row(self.source.problem("table.cells", what, hint, line=line))
            return None
        if surplus < 0:
            # Copied at once, and not cell by cell: a short row may lack thousands.
            by_column = self.empty_row.copy()
            by_column.update(zip(self.columns, cells, strict=False))
        else:
            by_column = dict(zip(self.columns, cells, strict=False))
        by_column.pop(None, None)
        return Row(self.source.name, line, by_column)


class _MissingCells:
    """Counts the cells that rows lack at their end. Each is made, and a row of four bytes may lack thousands.

    Shape:  rows may lack ten million cells, and more in proportion to what they hold
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._left = MOST_MISSING_CELLS

    def may_go_on(self, cells: Sequence[str]) -> bool:
        """Count the cells that a row lacks; return whether it may be read."""
        lacking = self._columns - len(cells)
        if lacking > 0:
            self._left += min(0, _MISSING_FOR_ONE * (len(cells) + sum(map(len, cells))) - lacking)
        return self._left >= 0

    def problem(self, source: Source, line: int) -> Problem:
        """Return the problem of the row at which reading stops."""
        what = (
            f"the header names {self._columns:,} columns, and the rows to this one lack more than"
            f" {MOST_MISSING_CELLS:,} cells at their end; reading stopped here"
        )
        hint = "remove the columns that no row fills from the header, or check the delimiter"
        return source.problem("table.cells", what, hint, line=line)


def read_records(records: Iterator[Record], source: Source, spec: DatasetSpec, report: RowReport) -> Iterator[Row]:
    """Yield the rows of a table; rows without any text are passed over, and counted.

    Cost:   one row in memory, and the first hundred before the first is yielded
    """
    odd = OddLines(source)
    filled = _pass_blank_rows(records, odd)
    first = next(filled, None)
    if first is None:
        return
    sample = _take_sample(filled)
    header = _choose_header(first, sample, source, spec, report)
    if header is None:
        return
    missing = _MissingCells(len(header.columns))
    below = chain(sample, filled) if source.terms.header else chain((first,), sample, filled)
    for line, cells in below:
        if cells == first[1] and line != first[0] and len(cells) > 1:
            hint = "remove it: files were most likely put together with their headers"
            what = "the row repeats the header"
            report.add(source.problem("table.header", what, hint, line=line, severity=Severity.WARNING))
        if not missing.may_go_on(cells):
            report.stop_reading(missing.problem(source, line))
            return
        row = header.row(cells, line, report)
        if row:
            yield row
    odd.report_to(report)


def _pass_blank_rows(records: Iterator[Record], odd: OddLines) -> Iterator[Record]:
    for line, cells in records:
        if any(cells):
            yield line, cells
        else:
            odd.add_blank(line)


def _take_sample(records: Iterator[Record]) -> list[Record]:
    sample: list[Record] = []
    size = 0
    for record in records:
        sample.append(record)
        size += len(record[1]) + sum(map(len, record[1]))
        if len(sample) == _SAMPLE_ROWS or size > _SAMPLE_CHARACTERS:
            break
    return sample


def _choose_header(
    first: Record, sample: Sequence[Record], source: Source, spec: DatasetSpec, report: RowReport
) -> TableHeader | None:
    line, cells = first
    if len(cells) > MOST_COLUMNS:
        what = f"the first row has {len(cells):,} cells, and a table has at most {MOST_COLUMNS:,} columns"
        hint = "keep the columns that you need, or check the delimiter"
        report.stop_reading(source.problem("table.header", what, hint, line=line))
        return None
    if source.terms.columns:
        return _name_columns(cells, source, spec, report)
    below = _find_header_below(cells, sample, spec)
    if below:
        report.stop_reading(_title_problem(first, below, source))
        return None
    sign = find_sign_of_data(cells, sample)
    if sign is None:
        return _read_header(cells, line, source, report)
    names = ", ".join(f"column_{at}" for at in range(1, len(cells) + 1))
    hint = f"name the columns in the first row, or give its source `header: false` and `columns: [{names}]`"
    what = f"the header seems to be missing: {sign}"
    if not _names_a_column(spec, cells):
        report.stop_reading(source.problem("table.header-missing", what, hint, line=line))
        return None
    report.add(source.problem("table.header-missing", what, hint, line=line, severity=Severity.WARNING))
    return _read_header(cells, line, source, report)


def _find_header_below(first: Sequence[str], sample: Sequence[Record], spec: DatasetSpec) -> Record | None:
    """Return the row that names the columns where only titles, of one cell each, stand above it; None without titles.

    Shape:  the spec names one of its columns and none of the first row; or all rows have as many cells as it has, and
            none of them could be a row below a header of one cell
    """
    if sum(map(bool, first)) != 1 or _names_a_column(spec, first):
        return None
    at = next((at for at, (_, cells) in enumerate(sample[:_MOST_TITLES]) if sum(map(bool, cells)) > 1), None)
    if at is None:
        return None
    cells, rest = sample[at][1], sample[at + 1 :]
    if _names_a_column(spec, cells):
        return sample[at]
    is_even = len(first) == 1 and bool(rest) and all(len(below) == len(cells) for _, below in rest)
    is_named = all(_NAME.fullmatch(cell) for cell in cells) and len({*cells}) == len(cells)
    return sample[at] if is_even and is_named and find_sign_of_data(cells, rest) is None else None


def _title_problem(first: Record, header: Record, source: Source) -> Problem:
    line, cells = first
    title, last = next(filter(None, cells)), header[0] - 1
    names = list_words([cell for cell in header[1] if cell][:_SHOWN_NAMES])
    what = f"`{title[:100]}` is the only cell of the row, and the header seems to be on line {header[0]}: {names}"
    rows = f"line {line}" if last == line else f"lines {line} to {last}"
    return source.problem("table.header", what, f"remove {rows} from the file, so that the header is first", line=line)


def _name_columns(cells: Sequence[str], source: Source, spec: DatasetSpec, report: RowReport) -> TableHeader | None:
    names = source.terms.columns
    if len(cells) == len(names):
        return TableHeader.of(source, names)
    row = "the header" if source.terms.header else "the first row"
    what = f"{row} of `{source.name}` has {len(cells)} cells, and `columns` names {len(names)}"
    hint = "name every column, in the order of the file"
    report.stop_reading(spec_problem(spec, "table.header", f"{source.field}.columns", what, hint))
    return None


def _read_header(cells: Sequence[str], line: int, source: Source, report: RowReport) -> TableHeader | None:
    rule = "table.header"
    twice = [name for name, count in Counter(cell for cell in cells if cell).items() if count > 1]
    if not any(cell.strip() for cell in cells) or twice:
        what = f"the header names {list_words(twice)} more than once" if twice else "the header is empty"
        hint = "give each column its own name, in the file or with `columns` of its source"
        report.stop_reading(source.problem(rule, what, hint, line=line))
        return None
    nameless = sum(not cell for cell in cells)
    if nameless:
        columns = f"{nameless} columns have no name and are" if nameless > 1 else "a column has no name and is"
        report.add(source.problem(rule, f"{columns} left out", line=line, severity=Severity.WARNING))
    return TableHeader.of(source, (cell or None for cell in cells))


def find_sign_of_data(names: Sequence[str], sample: Sequence[Record]) -> str | None:
    """Return why the first row looks like data: one strong sign, or two weak ones; None when it looks like a header."""
    if set(names) >= _PAIR:
        return None
    weak: list[str] = []
    is_counted = _is_counted(names) and not _has_only_numbers(sample)
    for at, name in enumerate(names):
        column = [(line, cells[at]) for line, cells in sample if len(cells) > at and cells[at] and cells != names]
        again = [line for line, cell in column if cell == name]
        if name.strip() and len(again) > 1:
            return f"`{name[:100]}` is also a cell of its column, first on line {again[0]}"
        if name.strip() and again:
            weak.append(f"`{name[:100]}` is also a cell of its column, on line {again[0]}")
        elif column and _is_of_kind(_NUMBER, name, column) and not is_counted:
            weak.append(f"`{name[:100]}` is a number, as the cells below it")
        elif column and _is_of_kind(_SENTENCE, name, column):
            weak.append(f"`{name[:100]}` is a sentence, as the cells below it")
    return "; ".join(weak[:2]) if len(weak) > 1 else None


def _is_of_kind(kind: re.Pattern[str], name: str, column: Sequence[tuple[int, str]]) -> bool:
    return bool(kind.fullmatch(name)) and 2 * sum(bool(kind.fullmatch(cell)) for _, cell in column) > len(column)


def _is_counted(names: Sequence[str]) -> bool:
    # A library that writes tables without names numbers the columns from 0 or 1.
    return any(list(names) == [str(at) for at in range(start, start + len(names))] for start in (0, 1))


def _has_only_numbers(sample: Sequence[Record]) -> bool:
    return all(_NUMBER.fullmatch(cell) for _, cells in sample for cell in cells if cell)


def _names_a_column(spec: DatasetSpec, names: Sequence[str]) -> bool:
    stated = set(_texts_in(msgspec.to_builtins((spec.mapping, [each.operation for each in spec.prepare], spec.id))))
    return any(name in stated or any(f"{{{name}}}" in text for text in stated) for name in names if name)


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in (*value, *value.values()):
            yield from _texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)
