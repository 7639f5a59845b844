"""Reads CSV, TSV and XLSX as the old tool did: words for empty cells, padded lines, labels, cells as text."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from pathlib import Path

from python_calamine import CalamineError, load_workbook

from reconciler.dataset import Source
from reconciler.dataset.readers import Cell, UnreadableSheetError, check_workbook_size, translate_panics
from reconciler.prepare_data.compat.table import Label, LegacyTable

EMPTY_WORDS = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "n/a", "null"),
        *("-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "NaN", "nan"),
    }
)
"""Words that the old parser read as an empty cell."""
_LONGEST_CELL = 1 << 30
_END = "\0end of file"


def read_csv(file: str, separator: str) -> LegacyTable:
    """Return the rows below the header.

    Raises: ValueError when the file is empty or not UTF-8, or when a row has more cells than the first one
    """
    with open(file, encoding="utf-8-sig", newline="") as opened:
        text = opened.read()
    if "\0" in text:
        raise ValueError("the file holds NUL characters")
    records = _read_records(text, separator)
    header = next(records, None)
    if header is None:
        raise ValueError("the file is empty")
    rows = list(records)
    width = max(len(header), len(rows[0]) if rows else 0)
    if any(len(row) > width for row in rows):
        raise ValueError("a row has more cells than the first one")
    return _build_table(header, [row + [""] * (width - len(row)) for row in rows], width - len(header))


def _read_records(text: str, separator: str) -> Iterator[list[str]]:
    # The limit holds for the whole csv module, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    lines = io.StringIO(text if text.endswith(("\n", "\r")) else text + "\n", newline="")
    for record in csv.reader(_skip_blank_lines(lines, separator), delimiter=separator):
        if record == [_END]:
            return
        if record:
            yield record
    raise ValueError("a quoted cell has no end")


def _skip_blank_lines(lines: Iterable[str], separator: str) -> Iterator[str]:
    # Lines of nothing but spaces and tabs are blank, except inside a quoted cell, where they keep their breaks.
    blank = " \t".replace(separator, "")
    quotes = 0
    for line in chain(lines, (_END,)):
        if quotes % 2 or line.strip(blank + "\r\n"):
            yield line
        quotes += line.count('"')


def _build_table(header: list[str], rows: list[list[str]], surplus: int) -> LegacyTable:
    labels = _read_labels(rows, surplus) if surplus else None if rows else ()
    cells = tuple(tuple("" if cell in EMPTY_WORDS else cell for cell in row[surplus:]) for row in rows)
    return LegacyTable(name_columns(header), cells, labels)


def _read_labels(rows: list[list[str]], surplus: int) -> tuple[Label, ...]:
    if surplus > 1:
        return tuple(tuple(row[:surplus]) for row in rows)
    words = [row[0] for row in rows]
    return tuple(map(int, words)) if all(word.removeprefix("-").isdecimal() for word in words) else tuple(words)


def name_columns(header: Sequence[str]) -> tuple[str, ...]:
    """Return a different name for every column: an empty one by its position, a repeated one with a number."""
    named = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    seen: dict[str, int] = {}
    names: list[str] = []
    for name in named:
        count = seen.get(name, 0)
        new = name
        while count > 0:
            seen[name] = count + 1
            new = f"{name}.{count}"
            if new in named:
                count += 1
            else:
                count = seen.get(new, 0)
                name = new if count else name
        names.append(new)
        seen[new] = seen.get(new, 0) + 1
    return tuple(names)


def read_xlsx(file: str) -> tuple[LegacyTable, int]:
    """Return the rows of the first sheet, and the number of sheets.

    Raises: ValueError when the file is not a workbook, or cannot be opened safely
    """
    with open(file, "rb") as opened:
        problem = check_workbook_size(opened, Source(file, Path(file)))
        if problem:
            raise ValueError(problem.what)
        opened.seek(0)
        try:
            book = load_workbook(opened)
            names = [each.name for each in book.sheets_metadata if str(each.typ).endswith("WorkSheet")]
            with translate_panics("the sheet"):
                rows = book.get_sheet_by_name(names[0]).to_python(skip_empty_area=False) if names else []
        except (CalamineError, UnreadableSheetError) as error:
            raise ValueError(str(error)) from error
    return _build_sheet_table(rows), len(names)


def _build_sheet_table(rows: list[list[Cell]]) -> LegacyTable:
    if not rows:
        return LegacyTable((), ())
    header, *body = rows
    names = name_columns([_write_sheet_cell(cell) for cell in header])
    texts = tuple(zip(*(_write_column(column) for column in zip(*body, strict=True)), strict=True))
    return LegacyTable(names, texts, None if body else ())


def _write_column(column: Iterable[Cell]) -> list[str]:
    # Equal cells are written like the first of them: true after a 1 becomes 1.
    first: dict[Cell, str] = {}
    texts = (first.setdefault(cell, _write_sheet_cell(cell)) for cell in column)
    return ["" if text in EMPTY_WORDS else text for text in texts]


def _write_sheet_cell(cell: Cell) -> str:
    match cell:
        case bool():
            return str(cell)
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return str(cell)
        case date():
            return str(datetime(cell.year, cell.month, cell.day))  # noqa: DTZ001 - a sheet's dates have no zone
        case _:
            return str(cell)
