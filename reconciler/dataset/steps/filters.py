"""Steps that drop rows. Each gives a test of one row, true to keep it; two that need more give a stage."""

import heapq
import re
from array import array
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice

from reconciler.dataset.json_numbers import exact
from reconciler.dataset.row import Row
from reconciler.dataset.steps.cells import HASH_RANGE, Cells, hash_value, is_empty, texts_of
from reconciler.dataset.templates import text_of
from reconciler.dataset.tokens import Tokens
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong, Filter, Limit, Sample

Test = Callable[[Cells], bool]
Stage = Callable[[Iterator[Row]], Iterator[Row]]

MATCHED_CHARACTERS = 10_000
"""Characters of a cell that an expression is tried on, so that no row holds up a run."""


def drop_empty(step: DropEmpty) -> Test:
    """Keep what has something in every column named, or in every column it has."""
    if step.columns:
        return lambda cells: not any(is_empty(cells.get(column)) for column in step.columns)
    return lambda cells: bool(cells) and not any(map(is_empty, cells.values()))


def deduplicate(step: Deduplicate) -> Test:
    """Keep the first of equal rows.

    Cost:   16 bytes a row; of a million rows that differ, one is taken for a repeat once in forty million datasets
    """
    seen = HashSet()
    if step.columns:
        return lambda cells: seen.is_new(hash_value([cells.get(column) for column in step.columns], "repeat"))
    return lambda cells: seen.is_new(hash_value(cells, "repeat"))


def drop_long(step: DropLong, tokens: Tokens) -> Test:
    """Keep what has no more text than the bound."""
    count, most = (len, step.characters) if step.characters is not None else (tokens, step.tokens or 0)

    def test(cells: Cells) -> bool:
        said = [cells.get(column) for column in step.columns] if step.columns else cells
        left = most
        for text in texts_of(said):
            left -= count(text)
            if left < 0:
                return False
        return True

    return test


def keep_matching(step: Filter) -> Test:
    """Keep what passes every condition."""
    conditions = list(_conditions(step))

    def test(cells: Cells) -> bool:
        value = cells.get(step.column)
        return all(passes(value) for passes in conditions)

    return test


def sample_share(share: float, seed: int) -> Test:
    """Keep the rows whose hash falls into the first share of all: every row decides for itself."""
    bound = share * HASH_RANGE
    return lambda cells: hash_value(cells, "sample", seed) < bound


def sample_rows(step: Sample) -> Stage:
    """Keep the rows with the smallest hashes, in the order they came.

    Cost:   reads everything before it gives the first; holds the rows that it may keep
    """
    most = step.rows or 0

    def stage(rows: Iterator[Row]) -> Iterator[Row]:
        # The largest of the smallest lies on top of the heap. Of equal rows the earlier are kept.
        kept: list[tuple[int, int, Row]] = []
        for at, row in enumerate(rows):
            entry = (-hash_value(row.value, "sample", step.seed), -at, row)
            if len(kept) < most:
                heapq.heappush(kept, entry)
            else:
                heapq.heappushpop(kept, entry)
        yield from (row for _, _, row in sorted(kept, key=lambda entry: -entry[1]))

    return stage


def limit(step: Limit) -> Stage:
    """Keep the first rows; the one after them is not asked for."""
    return lambda rows: islice(rows, step.rows)


def _conditions(step: Filter) -> Iterator[Callable[[object], bool]]:
    if step.equals is not None:
        yield lambda value: text_of(value) == step.equals
    if step.not_equals is not None:
        yield lambda value: text_of(value) != step.not_equals
    if step.is_in is not None:
        allowed = frozenset(step.is_in)
        yield lambda value: text_of(value) in allowed
    if step.matches is not None:
        expression = re.compile(step.matches)
        yield lambda value: expression.search(text_of(value)[:MATCHED_CHARACTERS]) is not None
    if step.least is not None:
        least = exact(repr(step.least))
        yield lambda value: (number := _number(value)) is not None and number >= least
    if step.most is not None:
        most = exact(repr(step.most))
        yield lambda value: (number := _number(value)) is not None and number <= most
    if step.present is not None:
        yield lambda value: is_empty(value) is not step.present


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        return exact(text_of(value).strip())
    except ValueError:
        return None


_SMALLEST = 1 << 10


class HashSet:
    """Hashes that were met before.

    Cost:   8 to 16 bytes a hash, and as much again for the moment in which the array grows
    """

    def __init__(self) -> None:
        self._slots = _new_slots(_SMALLEST)
        self._used = 0

    def is_new(self, key: int) -> bool:
        """Remember a hash; tells whether it was not there."""
        key = key or 1  # a slot that holds zero is free
        if not _insert(self._slots, key):
            return False
        self._used += 1
        # Linear probing stays short up to three quarters; growing by a half keeps a hash below 16 bytes.
        if self._used * 4 > len(self._slots) * 3:
            larger = _new_slots(len(self._slots) * 3 // 2)
            for each in self._slots:
                if each:
                    _insert(larger, each)
            self._slots = larger
        return True


def _new_slots(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _insert(slots: "array[int]", key: int) -> bool:
    size = len(slots)
    at = key % size
    while there := slots[at]:
        if there == key:
            return False
        at = at + 1 if at + 1 < size else 0
    slots[at] = key
    return True
