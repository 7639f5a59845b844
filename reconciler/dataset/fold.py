"""Folds canonical lines into what a side of a dataset is: a digest and two counts."""

import hashlib

from reconciler.dataset.stream import BLOCK_BYTES
from reconciler.domain.desired import Measure
from reconciler.domain.identity import DIGEST_VERSION, Digest


class Fold:
    """The measure of the lines so far.

    Cost:   at most one block of lines in memory
    """

    def __init__(self) -> None:
        self.rows = 0
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def add(self, line: bytes) -> bytes:
        """Take one line in; gives a block of whole lines when one is full, and nothing otherwise."""
        self.rows += 1
        self.size_bytes += len(line)
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        return self.flush() if self._waiting_bytes >= BLOCK_BYTES else b""

    def flush(self) -> bytes:
        """Take in what waits, and give it as one block of whole lines."""
        block = b"".join(self._waiting)
        self._hash.update(block)
        self._waiting, self._waiting_bytes = [], 0
        return block

    def measure(self) -> Measure:
        """Give the measure of everything taken in."""
        self.flush()
        return Measure(
            digest=Digest(DIGEST_VERSION, self._hash.hexdigest()), rows=self.rows, size_bytes=self.size_bytes
        )
