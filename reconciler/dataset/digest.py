"""The digest of a dataset's side, with its counts, and the side of each row.

The hash of a row decides its side, so a new row never moves an old one.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import compress

from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.readers.stream import BLOCK_BYTES
from reconciler.domain.desired import Images, Measure, Part
from reconciler.domain.identity import DIGEST_VERSION, Digest

HASH_BITS = 64


class StreamDigest:
    """The measure of the lines so far.

    Cost:   at most two blocks of lines in memory: one fills while a second thread digests the one before
    """

    def __init__(self) -> None:
        self.rows = 0
        self.size_bytes = 0
        self._hash = _Hash()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def add(self, lines: bytes, rows: int = 1) -> list[bytes]:
        """Add whole lines, and return the blocks that are full now: 1 MiB, and up to the end of a line."""
        self.rows += rows
        self.size_bytes += len(lines)
        full: list[bytes] = []
        while self._waiting_bytes + len(lines) >= BLOCK_BYTES:
            end = lines.index(b"\n", max(0, BLOCK_BYTES - self._waiting_bytes - 1)) + 1
            self._waiting.append(lines[:end])
            full.append(self.flush())
            lines = lines[end:]
        self._waiting.append(lines)
        self._waiting_bytes += len(lines)
        return full

    def flush(self) -> bytes:
        """Digest the lines that wait, and return them as one block."""
        block = b"".join(self._waiting)
        self._hash.update(block)
        self._waiting, self._waiting_bytes = [], 0
        return block

    def measure(self, tokens: int | None = None, images: Images | None = None) -> Measure:
        """Return the measure of all lines added; `tokens` and `images` are counted beside it."""
        self.flush()
        digest = Digest(DIGEST_VERSION, self._hash.hex())
        return Measure(digest=digest, rows=self.rows, size_bytes=self.size_bytes, tokens=tokens, images=images)


class _Hash:
    """SHA-256 in a thread: hashing a block does not need the interpreter lock."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    def update(self, block: bytes) -> None:
        """Add a block, after the one before is done."""
        self._wait()
        if len(block) < BLOCK_BYTES // 2:
            self._hash.update(block)
            return
        self._thread = self._thread or ThreadPoolExecutor(max_workers=1, thread_name_prefix="digest")
        self._pending = self._thread.submit(self._hash.update, block)

    def hex(self) -> str:
        """Return the digest of all blocks, and end the thread."""
        self._wait()
        if self._thread:
            self._thread.shutdown()
            self._thread = None
        return self._hash.hexdigest()

    def _wait(self) -> None:
        if self._pending:
            self._pending.result()
            self._pending = None


def choose_part(key: int, validation_share: float) -> Part:
    """Return the side of a row by the xxh3_64 of its canonical line: validation when it is in the first share."""
    return Part.VALIDATION if key < validation_share * 2**HASH_BITS else Part.TRAINING


def split_batch(batch: LineBatch, validation_share: float) -> Iterator[tuple[Part, bytes, int]]:
    """Yield the lines of a batch by side, with their number; a side without lines is left out."""
    if len(batch.keys) == 1 or not validation_share:
        yield choose_part(batch.keys[0], validation_share), batch.text, len(batch.keys)
        return
    # The only line feed of a canonical line is at its end: line feeds of texts are written as escapes.
    lines = batch.text.splitlines(keepends=True)
    parts = [choose_part(key, validation_share) for key in batch.keys]
    for part in Part:
        texts = list(compress(lines, (side is part for side in parts)))
        if texts:
            yield part, b"".join(texts), len(texts)
