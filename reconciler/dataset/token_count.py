"""Counts tokens beside the fold: in a thread of its own, block by block, while the next rows are read."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from reconciler.dataset.billable_tokens import weigh_all
from reconciler.dataset.stream import BLOCK_BYTES
from reconciler.dataset.tokens import Count
from reconciler.domain.desired import Part


class Tally:
    """The tokens of the lines so far, by side.

    Cost:   two blocks of lines in memory, one that fills and one that is counted
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self._sums = dict.fromkeys(Part, 0)
        self._unknown: set[Part] = set()
        self._waiting: dict[Part, list[bytes]] = {part: [] for part in Part}
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tokens")
        self._pending: Future[None] | None = None

    def add(self, part: Part, lines: bytes) -> None:
        """Take whole canonical lines of one side in."""
        self._waiting[part].append(lines)
        self._waiting_bytes += len(lines)
        if self._waiting_bytes >= BLOCK_BYTES:
            self._hand_over()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def tokens(self, part: Part) -> int | None:
        """Return the tokens of one side; None when a row of it has something that nobody can count."""
        self._hand_over()
        self._wait()
        return None if part in self._unknown else self._sums[part]

    def _hand_over(self) -> None:
        self._wait()
        blocks = {part: b"".join(lines) for part, lines in self._waiting.items() if lines}
        self._waiting, self._waiting_bytes = {part: [] for part in Part}, 0
        if blocks:
            self._pending = self._thread.submit(self._weigh, blocks)

    def _weigh(self, blocks: dict[Part, bytes]) -> None:
        for part, lines in blocks.items():
            tokens, are_all = weigh_all(lines, self._count)
            self._sums[part] += tokens
            if not are_all:
                self._unknown.add(part)

    def _wait(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, None
            pending.result()
