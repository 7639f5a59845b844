"""Rows that say the same as an earlier one, found by the hash of their canonical lines.

Cost:   9 bytes a row, and up to 16 more where rows do not stand line after line. Two rows of one 64-bit hash count
        as equal: among a million rows that are not, one pair is taken for equal once in forty million datasets, and
        then a warning is wrong.
"""

import sys
from array import array
from collections.abc import Iterable

from reconciler.dataset.batch import Run
from reconciler.dataset.places import Places
from reconciler.domain.errors import Problem, Severity

_GROUPS = 256
_FIRST_BYTE = 7 if sys.byteorder == "little" else 0


class Duplicates:
    """Notes every row of a pass; tells at its end which were said before."""

    def __init__(self) -> None:
        # In groups by the hash's first byte, so that the set which finds repeats is never larger than one of them; the
        # bytes in reading order tell how the groups' rows came after each other.
        self._order = bytearray()
        self._groups = [array("Q") for _ in range(_GROUPS)]
        self._places = Places()

    def note(self, run: Run) -> None:
        """Remember the rows of a run, in reading order."""
        self._places.note(run)
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
            where=self._places[later],
            what=f"{rows}; this one is the same as {self._places[earlier]}",
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


def _first_repeated(keys: Iterable[int]) -> int:
    seen: set[int] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("a group without repeats was searched for one")
