"""The worker processes that read blocks for the fast path, and the order in which their answers are used.

Every block is kept until it is answered: a worker that dies costs time, and changes no result.

Not `ProcessPoolExecutor`, which was tried: the process that it spawns runs a `pickle.py` of the working directory, and
a repository is not trusted code. It also costs a third more time of this process for 200 MB (1.1 s in place of 0.84 s),
and when one worker dies, the answers of all are lost.
"""

import os
import select
import subprocess
import sys
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from reconciler.dataset.fast_path.decode import plain_block
from reconciler.dataset.fast_path.worker import ANSWER, REQUEST, SourceState, arguments, source_state
from reconciler.dataset.sources import Source
from reconciler.domain.spec import Format

if sys.platform == "linux":
    import fcntl

LEAST_BYTES = 48 << 20
"""Smaller files are read before a second process has started."""

_MOST_WORKERS = 3
_ASKED_AHEAD = 2
_WAITING = 8
_PIPE_BYTES = 1 << 20

PlainBlock = tuple[bytes, Sequence[int]]
"""The result of `plain_block`."""


class WorkerProcess:
    """One process that reads blocks.

    Raises: OSError or EOFError, from `ask` and `answer`, when the process has ended
    """

    def __init__(self, source: Source, row_format: Format, state: SourceState | None = None) -> None:
        state = state or source_state(source.path.stat())
        self.asked = 0
        # With -P the module is looked for where this program found its own, and never in the working directory.
        command = [sys.executable, "-P", "-m", "reconciler.dataset.fast_path.worker"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(  # noqa: S603 (our own module; the path is absolute, so it is no option)
            [*command, *arguments(os.path.abspath(source.path), row_format, state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environ,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._requests, self._answers = self._process.stdin, self._process.stdout
        _widen(self._answers.fileno())

    def ask(self, at: int, length: int) -> None:
        """Ask for the block that begins at a byte."""
        self._requests.write(REQUEST.pack(at, length))
        self.asked += 1

    @property
    def has_answered(self) -> bool:
        return bool(select.select([self._answers], [], [], 0)[0])

    def answer(self) -> PlainBlock | None:
        """Return the answer to the oldest question."""
        text_bytes, keys = ANSWER.unpack(self._read(ANSWER.size))
        text, packed = self._read(text_bytes), self._read(8 * keys)
        self.asked -= 1
        return (text, array("Q", packed)) if keys else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process; None while it runs."""
        return self._process.poll()

    def send(self, number: int) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process, and close its pipes."""
        self.kill()
        with suppress(OSError):
            self._requests.close()
        self._answers.close()

    def _read(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self._answers.read(left)
            if not part:
                raise EOFError("the worker has ended")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


@dataclass(slots=True)
class _BlockTask:
    block: bytes | None
    found: PlainBlock | None = None
    worker: WorkerProcess | None = None


@dataclass(slots=True)
class BlockPool:
    """The calling process and its workers, for one file from a byte on."""

    row_format: Format
    at: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)

    def work(self, blocks: Iterator[bytes | None]) -> Iterator[tuple[bytes | None, PlainBlock | None]]:
        """Yield every block with its result of `plain_block`, in order.

        Shape:  blocks as `whole_lines` cuts them, of a text that begins at `at`
        Cost:   at most 8 blocks, as they are and as they are written, in memory
        """
        waiting: deque[_BlockTask] = deque()
        for block in blocks:
            waiting.append(self._begin(block))
            while waiting and (len(waiting) > _WAITING or self._is_done(waiting[0])):
                yield self._end(waiting.popleft())
        while waiting:
            yield self._end(waiting.popleft())

    def _begin(self, block: bytes | None) -> _BlockTask:
        if block is None:
            # The length of a line that was passed over is unknown, and so is the position of the next block.
            self.at = -1
            return _BlockTask(None)
        worker = (
            next((worker for worker in self.workers if worker.asked < _ASKED_AHEAD), None) if self.at >= 0 else None
        )
        if worker:
            try:
                worker.ask(self.at, len(block))
            except OSError:
                self._dismiss(worker)
            else:
                self.at += len(block) + 1
                return _BlockTask(block, worker=worker)
        self.at += len(block) + 1 if self.at >= 0 else 0
        return _BlockTask(block, plain_block(block, self.row_format))

    def _is_done(self, task: _BlockTask) -> bool:
        return task.worker is None or task.worker not in self.workers or task.worker.has_answered

    def _end(self, task: _BlockTask) -> tuple[bytes | None, PlainBlock | None]:
        if task.worker is None or task.block is None:
            return task.block, task.found
        if task.worker in self.workers:
            try:
                return task.block, task.worker.answer()
            except (OSError, EOFError):
                self._dismiss(task.worker)
        return task.block, plain_block(task.block, self.row_format)

    def _dismiss(self, worker: WorkerProcess) -> None:
        self.workers.remove(worker)
        worker.close()


@contextmanager
def open_pool(source: Source, row_format: Format, at: int, workers: int | None = None) -> Iterator[BlockPool]:
    """Open a pool for a file: with workers where the file is large and the machine has processors to spare."""
    pool = BlockPool(row_format, at)
    try:
        for _ in range(_count_workers(source) if workers is None else workers):
            with suppress(OSError):
                pool.workers.append(WorkerProcess(source, row_format))
        yield pool
    finally:
        for worker in pool.workers:
            worker.close()


def _count_workers(source: Source) -> int:
    if os.name != "posix" or not sys.executable:
        return 0
    try:
        large = source.path.stat().st_size >= LEAST_BYTES
    except OSError:
        large = False
    return min(_MOST_WORKERS, _processors() - 1) if large else 0


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _widen(pipe: int) -> None:
    # A worker does not wait for its reader when the answer fits into the pipe.
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
