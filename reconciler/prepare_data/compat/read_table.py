"""CSV and TSV with the habits of the old tool's parser: empty words, lines padded, a first column become the label."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from reconciler.prepare_data.compat.table import Label, LegacyTable

EMPTY_WORDS = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "n/a", "null"),
        *("-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "NaN", "nan"),
    }
)
"""Words that the parser took for an empty cell."""

_LONGEST_CELL = 1 << 30
_END = "\0end of file"


def read_csv(file: str, separator: str) -> LegacyTable:
    """Return the rows below the header.

    Raises: ValueError when the file is empty, not UTF-8, or has a row that is longer than the first
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
    # The limit is the module's own, and only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    lines = io.StringIO(text if text.endswith(("\n", "\r")) else text + "\n", newline="")
    for record in csv.reader(_skip_blank_lines(lines, separator), delimiter=separator):
        if record == [_END]:
            return
        if record:
            yield record
    raise ValueError("a quoted cell has no end")


def _skip_blank_lines(lines: Iterable[str], separator: str) -> Iterator[str]:
    # Lines of nothing but spaces and tabs count as blank; inside a quoted cell they do not, and keep their breaks.
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
    """Return every column a name of its own: empty ones by position, repeated ones with a number."""
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
