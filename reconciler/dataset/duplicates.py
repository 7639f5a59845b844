"""Rows that say the same as an earlier one, found by the hash of their canonical lines.

Cost:   9 bytes a row, and up to 16 more where rows do not stand line after line. Two rows of one 64-bit hash count
        as equal: among a million rows that are not, one pair is taken for equal once in forty million datasets, and
        then a warning is wrong.
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable

from reconciler.dataset.run import Run
from reconciler.domain.errors import Place, Problem, Severity

_GROUPS = 256
_LINE_BITS = 40
_FIRST_BYTE = 7 if sys.byteorder == "little" else 0


class Duplicates:
    """Notes every row of a pass; tells at its end which were said before."""

    def __init__(self) -> None:
        # In groups by the hash's first byte, so that the set which finds repeats is never larger than one of them; the
        # bytes in reading order tell how the groups' rows came after each other.
        self._order = bytearray()
        self._groups = [array("Q") for _ in range(_GROUPS)]
        self._files: list[str] = []
        # Where rows stand: the first of each stretch of rows that stand line after line, and its packed place.
        self._starts = array("Q")
        self._places = array("Q")
        self._next = -1

    def note(self, run: Run) -> None:
        """Remember the rows of a run, in reading order."""
        if not self._files or self._files[-1] != run.file:
            self._files.append(run.file)
        place = len(self._files) - 1 << _LINE_BITS | run.line
        if place != self._next:
            self._starts.append(len(self._order))
            self._places.append(place)
        self._next = place + len(run.keys)
        first_bytes = array("Q", run.keys).tobytes()[_FIRST_BYTE::8]
        self._order += first_bytes
        groups = self._groups
        for first, key in zip(first_bytes, run.keys, strict=True):
            groups[first].append(key)

    def warning(self) -> Problem | None:
        """Count the repeats and show the first; None when there are none."""
        repeats, candidates = 0, set()
        for group in self._groups:
            more = len(group) - len(set(group))
            repeats += more
            if more:
                candidates.add(_first_repeated(group))
        if not repeats:
            return None
        later, earlier = self._first_pair(candidates)
        rows = "1 row repeats an earlier one" if repeats == 1 else f"{repeats} rows repeat earlier ones"
        return Problem(
            where=self._place(later),
            what=f"{rows}; this one is the same as {self._place(earlier)}",
            hint="drop repeats, unless they are meant to weigh more",
            rule="rows.duplicate",
            severity=Severity.WARNING,
        )

    def _first_pair(self, candidates: set[int]) -> tuple[int, int]:
        # Of each group the key that repeats first: one of them repeats before all others.
        seen: dict[int, int] = {}
        following = [iter(group) for group in self._groups]
        for at, first in enumerate(self._order):
            key = next(following[first])
            if key in candidates:
                if key in seen:
                    return at, seen[key]
                seen[key] = at
        raise AssertionError("rows without repeats were searched for one")

    def _place(self, row: int) -> Place:
        at = bisect_right(self._starts, row) - 1
        packed = self._places[at] + row - self._starts[at]
        return Place(file=self._files[packed >> _LINE_BITS], line=packed & (1 << _LINE_BITS) - 1)


def _first_repeated(keys: Iterable[int]) -> int:
    seen: set[int] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("a group without repeats was searched for one")
