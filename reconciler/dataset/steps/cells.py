"""What steps need of a row: whether a cell is empty, the texts of a row, the hash of a value, a set of hashes."""

from array import array
from collections.abc import Iterator
from decimal import Decimal

from xxhash import xxh3_64_intdigest

from reconciler.dataset.canonical import write_canonical_text

Cells = dict[str, object]
"""A row that is an object. All other rows pass through the steps; the checks report them later."""

HASH_RANGE = 2**64
_SMALLEST = 1 << 10


def is_empty(value: object) -> bool:
    """Return whether a cell is missing, null, white space, or a list or object without items."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | dict) and not value)


def is_text(value: object) -> bool:
    """Return whether a cell can be written as text without loss of form: a text, a number, true or false."""
    return isinstance(value, str | int | float | Decimal)


def texts_of(value: object) -> Iterator[str]:
    """Yield every text and number in a value, however deep."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif is_text(item):
            yield write_canonical_text(item)


def hash_value(value: object, purpose: str, seed: int = 0) -> int:
    """Return the hash by which a value is chosen, from 0 up to 2^64.

    Shape:  `purpose` keeps choices independent: a row that a sample keeps is no likelier on one side of a split
    """
    return xxh3_64_intdigest(f"{purpose}\n{write_canonical_text(value)}".encode(), seed=seed)


class HashSet:
    """A set of 64-bit hashes in an array, for many millions of rows in little memory.

    Cost:   8 to 16 bytes a hash, and as much again while the array grows
    """

    def __init__(self) -> None:
        self._slots = _new_slots(_SMALLEST)
        self._used = 0

    def is_new(self, key: int) -> bool:
        """Add a hash; return whether the set did not hold it."""
        key = key or 1  # a slot that holds zero is free
        if not _insert(self._slots, key):
            return False
        self._used += 1
        # Linear probing stays short up to three quarters; growing by a half keeps a hash below 16 bytes.
        if self._used * 4 > len(self._slots) * 3:
            larger = _new_slots(len(self._slots) * 3 // 2)
            for slot in self._slots:
                if slot:
                    _insert(larger, slot)
            self._slots = larger
        return True


def _new_slots(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _insert(slots: "array[int]", key: int) -> bool:
    size = len(slots)
    at = key % size
    while slot := slots[at]:
        if slot == key:
            return False
        at = at + 1 if at + 1 < size else 0
    slots[at] = key
    return True
