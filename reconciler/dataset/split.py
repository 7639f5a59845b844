"""Which side of the split a row is on: decided by the row itself, so that a new row never moves an old one."""

from collections.abc import Iterator
from itertools import compress

from reconciler.dataset.batch import Run
from reconciler.domain.desired import Part

HASH_BITS = 64


def part_of(key: int, validation_share: float) -> Part:
    """Return the side of a row by the xxh3_64 of its canonical line: validation when it is in the first share."""
    return Part.VALIDATION if key < validation_share * 2**HASH_BITS else Part.TRAINING


def sides_of(run: Run, validation_share: float) -> Iterator[tuple[Part, bytes, int]]:
    """Yield the lines of a run by side, each side with how many they are; a side without lines is left out."""
    if len(run.keys) == 1 or not validation_share:
        yield part_of(run.keys[0], validation_share), run.text, len(run.keys)
        return
    # A canonical line holds no line end but its own: within text they are written as escapes.
    lines = run.text.splitlines(keepends=True)
    parts = [part_of(key, validation_share) for key in run.keys]
    for part in Part:
        texts = list(compress(lines, (each is part for each in parts)))
        if texts:
            yield part, b"".join(texts), len(texts)
