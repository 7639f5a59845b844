"""Which side of the split a row is on: decided by the row itself, so that a new row never moves an old one."""

from reconciler.domain.desired import Part

HASH_BITS = 64


def part_of(key: int, validation_share: float) -> Part:
    """Give the side of a row by the xxh3_64 of its canonical line: validation, when it is in the first share of all."""
    return Part.VALIDATION if key < validation_share * 2**HASH_BITS else Part.TRAINING
