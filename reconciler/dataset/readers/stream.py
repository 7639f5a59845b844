"""The bytes of a file, block by block, watched: how many were read, and that the file stayed as it was."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO

from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20
"""The longest line, and the largest cell, that is read; what services train on is a hundredth of it."""


class ProgressMeter:
    """Counts bytes read, and tells the count at most once per MiB."""

    def __init__(self, tell: Callable[[int], None] | None = None) -> None:
        self._tell = tell
        self._read = 0
        self._told = 0

    def add(self, count: int) -> None:
        self._read += count
        if self._tell and self._read - self._told >= BLOCK_BYTES:
            self._told = self._read
            self._tell(self._read)


@contextmanager
def watch_for_changes(source: Source, report: RowReport) -> Iterator[None]:
    """Report a file that is another one, or has other content, when the block ends than when it began."""
    before = _look(source)
    yield
    if _look(source) != before:
        report.add(
            Problem(
                where=Place(file=source.name),
                what="the file changed while it was read",
                hint="run again when nothing writes to it",
                rule="source.changed",
            )
        )


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
    """Open a file once, for all that is read of it: the one that was looked at, and no other in its place.

    Raises: OSError when it is another one
    """
    # A pipe put in the file's place after it was looked at must not make the program wait for a writer.
    handle = os.open(source.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = FileIO(handle, "rb")
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and source.seen in {None, (found.st_dev, found.st_ino)}:
        return file
    file.close()
    raise OSError("another file was put in its place")


def unreadable_file(source: Source, error: OSError) -> Problem:
    """Say that the system refused to read a file."""
    return Problem(
        where=Place(file=source.name), what=f"cannot be read: {error.strerror or error}", rule="source.unreadable"
    )


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
    """Yield each line with its number, without its line feed; a line over the limit is reported and passed over.

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
    """Say that a line is over the limit."""
    return Problem(
        where=Place(file=source.name, line=line),
        what=f"the line is longer than {MAX_LINE_BYTES >> 20} MiB",
        hint="a row this long is cut off by every service: split it, or check that the file has line ends",
        rule="text.line-length",
    )


def _look(source: Source) -> tuple[int, int, int]:
    found = os.stat(source.path)
    return found.st_size, found.st_mtime_ns, found.st_ino
