"""Which rows moved: those outside the longest stretch of rows that kept their order.

Order means something within a file only: where a dataset was sent as two files, each is looked at for itself.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from reconciler.dataset.row_diff.matching import NONE


def find_moved(of_after: "array[int]", firsts: Sequence[int]) -> list[int]:
    """Return the rows of the side after that stand elsewhere than before, among those that are on both sides.

    Shape:  `of_after` names the row before of each row, `firsts` the rows with which the files before begin
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
    # Patience sorting: on each pile lies the smallest end of a rising stretch of its length, and under each row the
    # one it follows.
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
