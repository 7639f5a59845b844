"""Repeated rows: exact duplicates, by the hash of their lines, and near duplicates, by a sketch of their words.

Duplicates cost 9 bytes a row, and up to 16 more where rows do not follow line after line; a copy that a weight makes
costs 8. Two rows with one 64-bit hash count as equal: among a million rows that differ, that happens once in forty
million datasets, and the warning is wrong.

Near duplicates share most of their shingles, and are found without a comparison of each row with each other row.

Each row has a sketch: of the hashes of its shingles (three words that follow each other) the least in each of 16 bins.
Rows that agree in two neighbouring bins are compared by their shingles: exactly up to 512 of them, by the 512 least
hashes of longer texts. Of rows with four fifths of their shingles in common, that finds more than 99 in 100. System
turns are left out: they are the same in every row.

Bounds: the first 50,000 rows, of texts of 12 words and more; of many rows that agree in two bins, only the first is
        compared.
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowPlaces, normalise_text
from reconciler.domain.errors import Place, Problem, Severity

MOST_ROWS = 50_000
LEAST_WORDS = 12
LIKENESS = 0.8
_BINS = 16
_WORDS = 3
_NONE = (1 << 64) - 1

_MOST_SHINGLES = 512
_SPREAD = 0.045
"""How far an estimate by 512 hashes may lie below the true share: two and a half deviations."""


class Sketch(NamedTuple):
    """The least hash of each bin, and the least hashes of all, in order."""

    bins: tuple[int, ...]
    shingles: "array[int]"


_GROUPS = 256
_FIRST_BYTE = 7 if sys.byteorder == "little" else 0


class Duplicates:
    """Notes every row of a pass, and reports at its end which rows repeat an earlier one."""

    def __init__(self, places: RowPlaces) -> None:
        # Keys are grouped by their first byte, so that a set that finds repeats holds one group only; the first bytes
        # in reading order keep the order of the rows.
        self._order = bytearray()
        self._groups = [array("Q") for _ in range(_GROUPS)]
        self._places = places
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._copies = array("Q")

    def note(self, batch: LineBatch) -> None:
        """Note the rows of a batch, in reading order. The places note the batch before.

        Shape:  a row that follows its like from the same line is a copy that a weight makes, and repeats nothing
        """
        keys = batch.keys
        if self._last == (batch.file, batch.line, keys[0]):
            self._copies.append(len(self._order))
            keys = keys[1:]
        self._last = batch.file, batch.line + len(batch.keys) - 1, batch.keys[-1]
        first_bytes = array("Q", keys).tobytes()[_FIRST_BYTE::8]
        self._order += first_bytes
        groups = self._groups
        for first, key in zip(first_bytes, keys, strict=True):
            groups[first].append(key)

    def warning(self) -> Problem | None:
        """Return a warning with the count of the repeats, at the first; None when there are none."""
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
        what = f"{rows}; this one is the same as {self._places[earlier]}"
        hint = "drop repeats, unless they should weigh more on purpose"
        where = self._places[later]
        return Problem(where=where, what=what, hint=hint, rule="rows.duplicate", severity=Severity.WARNING)

    def _first_pair(self, candidates: set[int]) -> tuple[int, int]:
        # Candidates are the keys that repeat first in each group: one of them repeats before all others.
        seen: dict[int, int] = {}
        following = [iter(group) for group in self._groups]
        for at, first in enumerate(self._order):
            key = next(following[first])
            if key in candidates:
                row = at + bisect_right(self._copies, at)
                if key in seen:
                    return row, seen[key]
                seen[key] = row
        raise AssertionError("no row repeats")


def _first_repeated(keys: Iterable[int]) -> int:
    seen: set[int] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("no key of the group repeats")


class NearDuplicates:
    """Compares rows by their sketches.

    Cost:   about 2 KB a row, at most 5 KB, of at most 50,000
    """

    def __init__(self) -> None:
        self._shingles: dict[int, array[int]] = {}
        self._keys: dict[int, int] = {}
        self._buckets: dict[int, int] = {}
        self._pairs: list[tuple[int, int]] = []
        self._left_out = 0

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        if len(self._shingles) >= MOST_ROWS:
            self._left_out += 1
            return iter(())
        sketch = make_sketch(
            f"{example.question if example.system is None else example.prompt or ''} {example.completion or ''}"
        )
        if sketch:
            self._compare(example, sketch)
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        if self._pairs:
            later, earlier = self._pairs[0]
            rows = "1 row is" if len(self._pairs) == 1 else f"{len(self._pairs)} rows are"
            what = f"{rows} nearly the same as an earlier one; this one as {places[earlier]}"
            yield _near_problem(places[later], what, "keep one of them, or allow it in the spec", Severity.WARNING)
        if self._left_out:
            what = f"{self._left_out} rows after the first {MOST_ROWS} were not searched for near duplicates"
            yield _near_problem(Place(file=places[0].file), what, "", Severity.INFO)

    def _compare(self, example: ExampleRow, sketch: Sketch) -> None:
        number, earlier, bins = example.number, set[int](), sketch.bins
        for at in range(0, _BINS, 2):
            if bins[at] == _NONE and bins[at + 1] == _NONE:
                continue
            bucket = hash((at, bins[at], bins[at + 1]))
            earlier.add(self._buckets.setdefault(bucket, number))
        for before in sorted(earlier - {number}):
            if self._keys[before] != example.key and are_alike(sketch.shingles, self._shingles[before]):
                self._pairs.append((number, before))
                break
        self._shingles[number], self._keys[number] = sketch.shingles, example.key


def make_sketch(text: str) -> Sketch | None:
    """Return the sketch of a text; None when it has too few words to compare it by them."""
    words = normalise_text(text).split()
    if len(words) < LEAST_WORDS:
        return None
    least, shingles = [_NONE] * _BINS, set[int]()
    for at in range(len(words) - _WORDS + 1):
        found = xxh3_64_intdigest(" ".join(words[at : at + _WORDS]).encode(errors="surrogatepass"))
        shingles.add(found)
        bin_ = found & (_BINS - 1)
        if found < least[bin_]:
            least[bin_] = found
    return Sketch(tuple(least), array("Q", nsmallest(_MOST_SHINGLES, shingles)))


def are_alike(one: "array[int]", other: "array[int]") -> bool:
    """Return whether two texts have four fifths of their shingles in common, by the least hashes of each."""
    every, both = set(one) | set(other), set(one) & set(other)
    if len(one) < _MOST_SHINGLES and len(other) < _MOST_SHINGLES:
        return len(both) >= LIKENESS * len(every)
    compared = nsmallest(_MOST_SHINGLES, every)
    return sum(each in both for each in compared) >= (LIKENESS - _SPREAD) * len(compared)


def _near_problem(where: Place, what: str, hint: str, severity: Severity) -> Problem:
    return Problem(where=where, what=what, hint=hint, rule="rows.near-duplicate", severity=severity)
