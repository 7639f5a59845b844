"""Matches equal rows of two versions by the hashes of their lines, and finds the rows that moved.

Versions are multisets: two equal rows are two rows. Order has a meaning only within a file: where a dataset was sent
as two files, each file is compared for itself.

Cost:   8 bytes a row for the result, and as many while it is computed; one row in 256 at a time is looked up
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import msgspec

_GROUPS = 256
_GROUP_SHIFT = 56
_LOOK_BACK = 64
"""The rows before a row that are searched for a neighbour with a match."""

NONE = -1


class MatchedRows(msgspec.Struct, frozen=True):
    """For every row of each version the equal row of the other; NONE where there is none."""

    of_before: "array[int]"
    of_after: "array[int]"

    @property
    def removed(self) -> list[int]:
        """The rows that only the version before has."""
        return [row for row, other in enumerate(self.of_before) if other == NONE]

    @property
    def added(self) -> list[int]:
        """The rows that only the version after has."""
        return [row for row, other in enumerate(self.of_after) if other == NONE]


def match_rows(before: "array[int]", after: "array[int]") -> MatchedRows:
    """Return for every row of either version the equal row of the other."""
    head = _count_common(len(before), len(after), lambda first, last: before[first:last] == after[first:last])
    tail = _count_common(
        len(before) - head,
        len(after) - head,
        lambda first, last: (
            before[len(before) - last : len(before) - first] == after[len(after) - last : len(after) - first]
        ),
    )
    of_before, of_after = array("i", [NONE]) * len(before), array("i", [NONE]) * len(after)
    for row in range(head):
        of_before[row] = of_after[row] = row
    shift = len(after) - len(before)
    for row in range(len(before) - tail, len(before)):
        of_before[row], of_after[row + shift] = row + shift, row
    _match_middle(before, after, (head, tail), MatchedRows(of_before, of_after))
    return MatchedRows(of_before, of_after)


def _count_common(before: int, after: int, same: Callable[[int, int], bool]) -> int:
    # The length of the common start: in steps that double until one fails, and halve from there.
    most, reached, step, grows = min(before, after), 0, 1024, True
    while step:
        if reached + step <= most and same(reached, reached + step):
            reached += step
        else:
            grows = False
        step = step * 2 if grows else step // 2
    return reached


def _match_middle(before: "array[int]", after: "array[int]", ends: tuple[int, int], found: MatchedRows) -> None:
    head, tail = ends
    uneven: list[tuple[list[int], list[int]]] = []
    groups = zip(
        _group_rows(before, head, len(before) - tail), _group_rows(after, head, len(after) - tail), strict=True
    )
    for old_rows, new_rows in groups:
        old_at = dict(zip(map(before.__getitem__, old_rows), old_rows, strict=True))
        new_at = dict(zip(map(after.__getitem__, new_rows), new_rows, strict=True))
        if len(old_at) == len(old_rows) and len(new_at) == len(new_rows):
            for key in old_at.keys() & new_at.keys():
                old, new = old_at[key], new_at[key]
                found.of_before[old], found.of_after[new] = new, old
            continue
        wanted = _rows_by_key(after, new_rows)
        for key, olds in _rows_by_key(before, old_rows).items():
            news = wanted.get(key, ())
            if len(olds) == len(news):
                for old, new in zip(olds, news, strict=True):
                    found.of_before[old], found.of_after[new] = new, old
            elif news:
                uneven.append((olds, list(news)))
    # Where one version has a row more often, the rows that follow the same neighbour match.
    for olds, news in sorted(uneven):
        if len(olds) > len(news):
            pairs = [(old, new) for new, old in _choose_partners(news, olds, found.of_after)]
        else:
            pairs = list(_choose_partners(olds, news, found.of_before))
        for old, new in pairs:
            found.of_before[old], found.of_after[new] = new, old


def _group_rows(keys: "array[int]", first: int, last: int) -> "list[array[int]]":
    groups = [array("I") for _ in range(_GROUPS)]
    for row in range(first, last):
        groups[keys[row] >> _GROUP_SHIFT].append(row)
    return groups


def _rows_by_key(keys: "array[int]", rows: "array[int]") -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(keys[row], []).append(row)
    return found


def _choose_partners(fewer: Sequence[int], more: Sequence[int], matched: "array[int]") -> list[tuple[int, int]]:
    """Return a partner among `more` for each of `fewer`: the first one after its neighbour, while any is left."""
    pairs, at = [], 0
    for left, row in zip(range(len(fewer), 0, -1), fewer, strict=True):
        expected = _row_after_neighbour(row, matched)
        while more[at] < expected and len(more) - at > left:
            at += 1
        pairs.append((row, more[at]))
        at += 1
    return pairs


def _row_after_neighbour(row: int, matched: "array[int]") -> int:
    for earlier in range(row - 1, max(row - _LOOK_BACK, -1), -1):
        if matched[earlier] != NONE:
            return matched[earlier] + 1
    return 0


def find_moved(of_after: "array[int]", firsts: Sequence[int]) -> list[int]:
    """Return the rows that moved: those outside the longest sequence of matched rows that kept their order.

    Shape:  rows of the version after; `of_after` is the row before of each row, `firsts` are the first rows of the
            files before
    Cost:   12 bytes a row; n log n steps
    """
    if _is_sorted(row for row in of_after if row != NONE):
        return []
    rows: list[array[int]] = [array("I") for _ in firsts]
    for row, before in enumerate(of_after):
        if before != NONE:
            rows[bisect_right(firsts, before) - 1].append(row)
    return sorted(row for each in rows for row in _out_of_order(each, of_after))


def _is_sorted(rows: Iterator[int]) -> bool:
    last = NONE
    for row in rows:
        if row < last:
            return False
        last = row
    return True


def _out_of_order(rows: "array[int]", of_after: "array[int]") -> Iterator[int]:
    # Patience sorting: each pile shows the smallest end of a rising sequence of its length; `before` links each row to
    # the row that it follows.
    ends, end_at, before = array("I"), array("I"), array("i")
    for at, row in enumerate(rows):
        value = of_after[row]
        pile = len(ends) if not ends or value > ends[-1] else bisect_left(ends, value)
        if pile == len(ends):
            ends.append(value)
            end_at.append(at)
        else:
            ends[pile], end_at[pile] = value, at
        before.append(end_at[pile - 1] if pile else NONE)
    stays, at = bytearray(len(rows)), end_at[-1] if end_at else NONE
    while at != NONE:
        stays[at] = 1
        at = before[at]
    return (row for row, stayed in zip(rows, stays, strict=True) if not stayed)
