"""What the checks keep of every row: its place and its key, in a few bytes.

Two texts with one 64-bit hash count as equal: among a million texts that differ, that happens once in forty million
datasets, and then a finding is wrong.
"""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from reconciler.dataset.canonical import LineBatch
from reconciler.domain.errors import Place

_GROUPS = 16


_LINE_BITS = 40


class RowPlaces:
    """The place of each row, by its number.

    Cost:   16 bytes for each series of rows that follow line after line
    """

    def __init__(self) -> None:
        self.rows = 0
        self._files: list[str] = []
        self._starts = array("Q")
        self._packed = array("Q")
        self._next = -1

    def note(self, batch: LineBatch) -> None:
        """Note the rows of a batch."""
        if not self._files or self._files[-1] != batch.file:
            self._files.append(batch.file)
        place = len(self._files) - 1 << _LINE_BITS | batch.line
        if place != self._next:
            self._starts.append(self.rows)
            self._packed.append(place)
        self._next = place + len(batch.keys)
        self.rows += len(batch.keys)

    def __getitem__(self, number: int) -> Place:
        at = bisect_right(self._starts, number) - 1
        packed = self._packed[at] + number - self._starts[at]
        return Place(file=self._files[packed >> _LINE_BITS], line=packed & (1 << _LINE_BITS) - 1)


class MostCommonKey(NamedTuple):
    """The key that most rows have: how many they are, and the number of the first."""

    rows: int
    first: int


class RowKeys:
    """One key for each row, in order. Zero is no key: a row without one is like no other.

    Cost:   16 bytes a row, and about 100 for each key of the sixteenth that is searched at a time
    """

    def __init__(self) -> None:
        self._keys = array("Q")
        # The keys are also grouped by their first digit, so that a set or a count holds one group only.
        self._groups = [array("Q") for _ in range(_GROUPS)]

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, number: int) -> int:
        return self._keys[number]

    def add(self, key: int) -> None:
        """Add the key of the next row."""
        self._keys.append(key)
        if key:
            self._groups[key >> 60].append(key)

    def count_different(self) -> int:
        """Return the number of different keys."""
        return sum(len(set(group)) for group in self._groups)

    def find_most_common(self) -> MostCommonKey | None:
        """Return the key that most rows have, the earliest of several; None when no row has one."""
        best: dict[int, int] = {}
        for group in self._groups:
            counts = Counter(group)
            most = max(counts.values(), default=0)
            best |= {
                key: most for key, count in counts.items() if count == most and most >= max(best.values(), default=0)
            }
        rows = max(best.values(), default=0)
        first = next((at for at, key in enumerate(self._keys) if best.get(key) == rows), None) if rows else None
        return None if first is None else MostCommonKey(rows, first)

    def pairs(self, other: "RowKeys | None" = None) -> Iterator[tuple[int, int]]:
        """Yield each row whose key an earlier row has, with the first such row; only where the `other` keys differ."""
        first: dict[int, int] = {}
        repeated = self._find_repeated()
        for at, key in enumerate(self._keys):
            if key in repeated:
                before = first.setdefault(key, at)
                if before != at and (other is None or other[before] != other[at]):
                    yield at, before

    def _find_repeated(self) -> set[int]:
        return {key for group in self._groups for key, count in Counter(group).items() if count > 1}
