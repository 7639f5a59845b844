"""Rows that say the same as an earlier one, found by the hash of their canonical lines.

Cost:   16 bytes a row. Two rows of one 64-bit hash count as equal: among a million rows that are not, one pair is
        taken for equal once in forty million datasets, and then a warning is wrong.
"""

from array import array

from reconciler.domain.errors import Place, Problem, Severity

_GROUPS = 16
_LINE_BITS = 40


class Duplicates:
    """Notes every row of a pass; tells at its end which were said before."""

    def __init__(self) -> None:
        self._files: list[str] = []
        # In groups by the hash's first digit, so that the set which finds repeats is never larger than one group.
        self._keys = [array("Q") for _ in range(_GROUPS)]
        self._places = [array("Q") for _ in range(_GROUPS)]

    def note(self, key: int, file: str, line: int) -> None:
        """Remember a row, in reading order."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        group = key >> 60
        self._keys[group].append(key)
        self._places[group].append(len(self._files) - 1 << _LINE_BITS | line)

    def warning(self) -> Problem | None:
        """Count the repeats and show the first; None when there are none."""
        repeats, first = 0, None
        for keys, places in zip(self._keys, self._places, strict=True):
            more = len(keys) - len(set(keys))
            repeats += more
            if more:
                pair = _first_pair(keys, places)
                first = pair if first is None else min(first, pair)
        if first is None:
            return None
        place, earlier = self._place(first[0]), self._place(first[1])
        rows = "1 row repeats an earlier one" if repeats == 1 else f"{repeats} rows repeat earlier ones"
        return Problem(
            where=place,
            what=f"{rows}; this one is the same as {earlier}",
            hint="drop repeats, unless they are meant to weigh more",
            rule="rows.duplicate",
            severity=Severity.WARNING,
        )

    def _place(self, packed: int) -> Place:
        return Place(file=self._files[packed >> _LINE_BITS], line=packed & (1 << _LINE_BITS) - 1)


def _first_pair(keys: "array[int]", places: "array[int]") -> tuple[int, int]:
    # The earliest row that repeats another, and the one that it repeats.
    seen: dict[int, int] = {}
    for key, place in zip(keys, places, strict=True):
        if key in seen:
            return place, seen[key]
        seen[key] = place
    raise AssertionError("a group without repeats was searched for one")
