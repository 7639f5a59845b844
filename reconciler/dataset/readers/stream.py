"""The bytes of a file, block by block: how many are read, and whether the file stays unchanged meanwhile."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO

from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Problem

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20
"""The longest line, and the largest cell, that is read; what services train on is a hundredth of it."""


class ProgressMeter:
    """Counts bytes read, and reports the count at most once per MiB."""

    def __init__(self, on_progress: Callable[[int], None] | None = None) -> None:
        self._on_progress = on_progress
        self._read = 0
        self._reported = 0

    def add(self, count: int) -> None:
        self._read += count
        if self._on_progress and self._read - self._reported >= BLOCK_BYTES:
            self._reported = self._read
            self._on_progress(self._read)


@contextmanager
def watch_for_changes(source: Source, report: RowReport) -> Iterator[None]:
    """Report a file that is replaced or changed before the context ends."""
    before = _read_state(source)
    yield
    if _read_state(source) != before:
        hint = "run again when no program writes to it"
        report.add(source.problem("source.changed", "the file changed while it was read", hint))


def read_blocks(
    source: Source, report: RowReport, meter: ProgressMeter, size_bytes: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """Yield the bytes of a file in blocks of one size, 1 MiB when none is named.

    Cost:   one block in memory
    """
    try:
        with watch_for_changes(source, report), open_source(source) as file:
            while block := file.read(size_bytes):
                meter.add(len(block))
                yield block
    except OSError as error:
        report.stop_reading(unreadable_file(source, error))


def open_source(source: Source) -> FileIO:
    """Open a file once for everything that is read of it. It must be the file that was checked.

    Raises: OSError when it is another file
    """
    # A pipe that replaced the file after the check must not make the program wait for a writer.
    handle = os.open(source.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = FileIO(handle, "rb")
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and source.seen in {None, (found.st_dev, found.st_ino)}:
        return file
    file.close()
    raise OSError("another file is in its place")


def unreadable_file(source: Source, error: OSError) -> Problem:
    """Return the problem of a file that the system refused to read."""
    return source.problem("source.unreadable", f"cannot be read: {error.strerror or error}")


def whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Yield the blocks cut at line ends, each without its last line feed; None stands for a line over the limit.

    Cost:   one block and one line in memory
    """
    rest, skipping = b"", False
    for block in blocks:
        if skipping:
            _, found, block = block.partition(b"\n")
            if not found:
                continue
            skipping = False
        whole, found, rest = (rest + block).rpartition(b"\n")
        if len(whole) > MAX_LINE_BYTES:
            yield from (line if len(line) <= MAX_LINE_BYTES else None for line in whole.split(b"\n"))
        elif found:
            yield whole
        if len(rest) > MAX_LINE_BYTES:
            yield None
            rest, skipping = b"", True
    if rest:
        yield rest


def split_lines(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, without its line feed; a line over the limit is reported and skipped.

    Cost:   one block and one line in memory
    """
    number = 0
    for block in whole_lines(blocks):
        if block is None:
            number += 1
            report.drop_row(overlong_line(source, number))
        else:
            for line in block.split(b"\n"):
                number += 1
                yield number, line


def overlong_line(source: Source, line: int) -> Problem:
    """Return the problem of a line over the limit."""
    what = f"the line is longer than {MAX_LINE_BYTES >> 20} MiB"
    hint = "every service truncates a row this long: split it, or check that the file has line ends"
    return source.problem("text.line-length", what, hint, line=line)


def _read_state(source: Source) -> tuple[int, int, int]:
    found = os.stat(source.path)
    return found.st_size, found.st_mtime_ns, found.st_ino
