"""What passes from the rows to the fold: lines in their canonical form, one or many at a time."""

from collections.abc import Sequence
from typing import NamedTuple

from xxhash import xxh3_64_intdigest


class Run(NamedTuple):
    """Lines that follow each other in one file, as they are digested and uploaded.

    Shape:  `line` is the number of the first; `keys` are the xxh3_64 of each line of `text`, its line feed included
    """

    file: str
    line: int
    text: bytes
    keys: Sequence[int]


def run_of(file: str, line: int, texts: Sequence[bytes]) -> Run:
    """Make a run of canonical lines."""
    return Run(file, line, b"".join(texts), list(map(xxh3_64_intdigest, texts)))
