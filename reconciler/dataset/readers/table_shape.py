"""The shape of a table of text, judged by its lines: the delimiter, and cells that hold what look like rows.

A delimiter is judged over the first lines, not over the header alone, because a header may hold commas of its own. A
quote that is only a character opens a cell which ends at the next such quote, and the rows between are lost in it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from reconciler.domain.spec import Quoting

NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "pipes"}
HEAD_LINES = 30
HEAD_CHARACTERS = 256 << 10

_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_LEAST_SHARE = 0.8


class OtherDelimiter(msgspec.Struct, frozen=True):
    """A delimiter that the lines follow better than the one in use, and why."""

    mark: str
    why: str


def take_head(lines: Iterator[str]) -> list[str]:
    """Take the first lines of a file, to be judged before they are read."""
    head: list[str] = []
    size = 0
    for line in lines:
        head.append(line)
        size += len(line)
        if len(head) == HEAD_LINES or size > HEAD_CHARACTERS:
            break
    return head


def stated_delimiter(line: str) -> str | None:
    """Return the delimiter that a line such as `sep=;` states, as spreadsheets write it above the header."""
    found = _SEPARATOR.fullmatch(line)
    return found[1] if found else None


def quoting_of(quote: Quoting) -> Literal[0, 3]:
    """Return the constant of the csv module for a way of quoting."""
    return csv.QUOTE_NONE if quote is Quoting.NONE else csv.QUOTE_MINIMAL


def find_other_delimiter(head: Sequence[str], used: str, quote: Quoting) -> OtherDelimiter | None:
    """Return the delimiter of which the first lines make a better table; None when the one in use is right."""
    own = _split(head, used, quote)
    if not own:
        return None
    if len(own[0]) == 1:
        mark = next((mark for mark in NAMES if mark != used and mark in own[0][0]), None)
        return OtherDelimiter(mark, "the header has one column") if mark else None
    for mark in NAMES:
        other = _split(head, mark, quote) if mark != used else []
        if _is_even(other) and (not _is_even(own) or _has_better_names(other[0], own[0])):
            return OtherDelimiter(mark, f"the first {len(other)} rows have {len(other[0])} cells each by {NAMES[mark]}")
    return None


def count_swallowed_rows(cells: Sequence[str], columns: int, delimiter: str) -> tuple[int, int] | None:
    """Return the cell of a record that holds what look like rows, and how many; None when no cell does.

    Shape:  a row has a cell for each column, none of them empty, none with a space before it, as programs write them
    """
    for at, cell in enumerate(cells):
        lines = cell.split("\n")[1:]
        if not lines or columns < 2:
            continue
        *inner, last = (_looks_like_row(line, columns, delimiter) for line in lines)
        # The quote that closes the cell may stand anywhere in its last line.
        alike = sum(inner) + last
        if alike and alike >= _LEAST_SHARE * (len(inner) + last):
            return at, alike
    return None


def _looks_like_row(line: str, columns: int, delimiter: str) -> bool:
    if line.count(delimiter) != columns - 1:
        return False
    cells = line.split(delimiter)
    return all(cells) and not any(cell[0] == " " for cell in cells)


def _split(head: Sequence[str], mark: str, quote: Quoting) -> list[list[str]]:
    records = [cells for cells in _read(head, mark, quote) if any(cells)]
    # The head may end within the last record.
    return records[:-1] if len(head) >= HEAD_LINES or len(records) > len(head) else records


def _read(head: Iterable[str], mark: str, quote: Quoting) -> Iterator[list[str]]:
    try:
        yield from csv.reader(head, delimiter=mark, quoting=quoting_of(quote))
    except csv.Error:
        return


def _is_even(records: Sequence[Sequence[str]]) -> bool:
    return len(records) > 1 and len(records[0]) > 1 and all(len(cells) == len(records[0]) for cells in records)


def _has_better_names(names: Sequence[str], own: Sequence[str]) -> bool:
    return any(name.startswith(" ") for name in own) and not any(name.startswith(" ") for name in names)
