"""What steps ask of a row: the text of a cell, whether it is empty, the texts of a row, the hash of a value."""

from collections.abc import Iterator
from decimal import Decimal

from xxhash import xxh3_64_intdigest

from reconciler.dataset.canonical import canonical_text

Cells = dict[str, object]
"""A row that is an object; all others pass through the steps, and are told of later."""

HASH_RANGE = 2**64


def is_empty(value: object) -> bool:
    """Return whether a cell holds nothing: missing or null, white space, or a list or object without items."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or (isinstance(value, list | dict) and not value)


def is_text(value: object) -> bool:
    """Return whether a cell can be written as text without its form being lost: texts, numbers, true and false."""
    return isinstance(value, str | int | float | Decimal)


def texts_of(value: object) -> Iterator[str]:
    """Yield every text and number in a value, however deep."""
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            stack.extend(reversed(found.values()))
        elif isinstance(found, list):
            stack.extend(reversed(found))
        elif is_text(found):
            yield canonical_text(found)


def hash_value(value: object, purpose: str, seed: int = 0) -> int:
    """Return the hash by which a value is chosen, from 0 up to 2^64.

    Shape:  `purpose` keeps choices apart: a row that a sample takes is no likelier on one side of a split
    """
    return xxh3_64_intdigest(f"{purpose}\n{canonical_text(value)}".encode(), seed=seed)
