"""A set of 64-bit hashes in an array: membership for many millions of rows in little memory."""

from array import array

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
