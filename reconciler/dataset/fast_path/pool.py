"""The processes beside this one that read blocks for the fast lane, and the order in which their answers are taken.

Every block stays here until it is answered: a helper that is gone costs its time, and changes nothing.
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

LEAST_BYTES = 48 << 20
"""Smaller files are read before a second process has begun to help."""

_MOST_HELPERS = 3
_ASKED_AHEAD = 2
_WAITING = 8
_PIPE_BYTES = 1 << 20

PlainBlock = tuple[bytes, Sequence[int]]
"""What `plain_block` gives."""


class WorkerProcess:
    """One process that reads blocks.

    Raises: OSError, from asking and answering, when it is gone
    """

    def __init__(self, source: Source, format: Format, state: SourceState | None = None) -> None:  # noqa: A002 (as elsewhere)
        state = state or source_state(source.path.stat())
        self.asked = 0
        # The module is looked for where this program found its own, and never in the directory we happen to be in.
        command = [sys.executable, "-P", "-m", "reconciler.dataset.fast_path.worker"]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(  # noqa: S603 (our own module, with a path that is no option)
            [*command, *arguments(os.path.abspath(source.path), format, state)],
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
        """What the process ended with; None while it runs."""
        return self._process.poll()

    def send(self, number: int) -> None:
        """Send the process a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process, and let go of it."""
        self.kill()
        with suppress(OSError):
            self._requests.close()
        self._answers.close()

    def _read(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self._answers.read(left)
            if not part:
                raise EOFError("the helper is gone")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


@dataclass(slots=True)
class _BlockTask:
    block: bytes | None
    found: PlainBlock | None = None
    helper: WorkerProcess | None = None


@dataclass(slots=True)
class BlockPool:
    """This process and its helpers, at work on one file from a byte on."""

    format: Format
    at: int = 0
    helpers: list[WorkerProcess] = field(default_factory=list)

    def work(self, blocks: Iterator[bytes | None]) -> Iterator[tuple[bytes | None, PlainBlock | None]]:
        """Yield every block with what `plain_block` gives of it, in their order.

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
            # Nobody knows how long the line was that was passed over, nor where the next one begins.
            self.at = -1
            return _BlockTask(None)
        helper = next((each for each in self.helpers if each.asked < _ASKED_AHEAD), None) if self.at >= 0 else None
        if helper:
            try:
                helper.ask(self.at, len(block))
            except OSError:
                self._dismiss(helper)
            else:
                self.at += len(block) + 1
                return _BlockTask(block, helper=helper)
        self.at += len(block) + 1 if self.at >= 0 else 0
        return _BlockTask(block, plain_block(block, self.format))

    def _is_done(self, task: _BlockTask) -> bool:
        return task.helper is None or task.helper not in self.helpers or task.helper.has_answered

    def _end(self, task: _BlockTask) -> tuple[bytes | None, PlainBlock | None]:
        if task.helper is None or task.block is None:
            return task.block, task.found
        if task.helper in self.helpers:
            try:
                return task.block, task.helper.answer()
            except (OSError, EOFError):
                self._dismiss(task.helper)
        return task.block, plain_block(task.block, self.format)

    def _dismiss(self, helper: WorkerProcess) -> None:
        self.helpers.remove(helper)
        helper.close()


@contextmanager
def open_pool(source: Source, format: Format, at: int, helpers: int | None = None) -> Iterator[BlockPool]:  # noqa: A002
    """Gather a crew for a file: as many helpers as the file is worth and the machine has processors to spare."""
    crew = BlockPool(format, at)
    try:
        for _ in range(_worth(source) if helpers is None else helpers):
            with suppress(OSError):
                crew.helpers.append(WorkerProcess(source, format))
        yield crew
    finally:
        for helper in crew.helpers:
            helper.close()


def _worth(source: Source) -> int:
    if os.name != "posix" or not sys.executable:
        return 0
    try:
        large = source.path.stat().st_size >= LEAST_BYTES
    except OSError:
        large = False
    return min(_MOST_HELPERS, _processors() - 1) if large else 0


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _widen(pipe: int) -> None:
    # An answer that fits into the pipe does not wait until it is taken.
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
