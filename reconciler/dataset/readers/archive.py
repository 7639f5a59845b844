"""Weighs a workbook before anything opens it: what it unpacks to, and how far apart its cells lie.

The library behind reads sheets whole and lays out every cell between the first and the last, so a small file can
ask for more memory than there is. What the archive says of itself may be a lie: it is unpacked here once, and counted.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from reconciler.dataset.readers.text import recognise_file
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem

MAX_UNPACKED_BYTES = 256 << 20
MAX_CELLS = 8 << 20
MAX_ENTRIES = 10_000

_CHUNK = 1 << 20
_OVERLAP = 64
_END = b"PK\x05\x06"
_REFERENCE = re.compile(rb"""r\s*=\s*["']([A-Za-z]{0,7})([0-9]{1,10})["']""")
_CELL = tuple(b"<c" + after for after in (b" ", b">", b"/", b"\t", b"\n", b"\r"))
_PREFIXED_ROW = re.compile(rb"<[\w.-]+:row[\s/>]")


def check_workbook_size(file: BinaryIO, source: Source) -> Problem | None:
    """Say why an open file is no workbook that can be read safely; None when it is one.

    Cost:   the archive unpacked once, a chunk at a time
    """
    head = file.read(4096)
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 65_557))
    tail = file.read()
    if not head.startswith(b"PK"):
        return _no_workbook(head, source)
    # The list of entries is read whole by any library, so its length is read first; 0xFFFF means "more than that".
    end = tail.rfind(_END)
    if end >= 0 and int.from_bytes(tail[end + 10 : end + 12], "little") > MAX_ENTRIES:
        return _problem(
            source, f"the workbook has more than {MAX_ENTRIES} parts", "keep the sheet you need and save it anew"
        )
    try:
        with zipfile.ZipFile(file) as archive:
            return _check_entries(archive, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        # zipfile says NotImplementedError of a compression it does not know, and RuntimeError of a locked archive.
        return _problem(
            source, f"the workbook cannot be unpacked: {error}"[:300], "save it anew as .xlsx", "xlsx.syntax"
        )


def _check_entries(archive: zipfile.ZipFile, source: Source) -> Problem | None:
    entries = archive.infolist()
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        return _problem(source, "the archive is no Excel workbook", "save the sheet as .xlsx or .csv", "xlsx.syntax")
    too_large = _problem(
        source,
        f"the workbook unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB",
        "split it, or save the sheet as .csv: any size",
    )
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return too_large
    left = MAX_UNPACKED_BYTES
    for entry in entries:
        extent = _Extent()
        for chunk in _unpack(archive, entry, left):
            left -= len(chunk)
            if left < 0:
                return too_large
            extent.add(chunk)
        if extent.cells > MAX_CELLS:
            what = f"a sheet spreads over {extent.rows} rows and {extent.columns} columns, more than {MAX_CELLS} cells"
            return _problem(source, what, "delete what lies far outside the table, or save the sheet as .csv")
    return None


class _Extent:
    """How far apart the cells of one part lie, as far as its text says; parts without cells stay at nothing."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns = 0
        self._seen = b""
        self._unplaced = 0

    def add(self, chunk: bytes) -> None:
        references = _REFERENCE.findall(self._seen + chunk)
        if references:
            letters, digits = map(set, zip(*references, strict=True))
            self.columns = max(self.columns, *map(_column, letters))
            self.rows = max(self.rows, *map(int, digits))
        # A cell may leave its place out, and then stands to the right of the one before.
        cells = _cells(chunk)
        if b":row" in chunk and _PREFIXED_ROW.search(chunk):
            cells += chunk.count(b":c")
        self._unplaced += max(0, cells - len(references))
        self.columns = max(self.columns, self._unplaced)
        self._seen = chunk[-_OVERLAP:]

    @property
    def cells(self) -> int:
        return self.rows * self.columns


def _cells(chunk: bytes) -> int:
    # Nearly all cells are written in the first of the ways: when those are all there can be, nobody counts the others.
    most, cells = chunk.count(b"<c"), 0
    for start in _CELL:
        if cells == most:
            break
        cells += chunk.count(start)
    return cells


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    # The size that the entry states bounds what `zipfile` gives of it, and other libraries ignore it.
    entry.file_size = most + 2 * _CHUNK
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _no_workbook(head: bytes, source: Source) -> Problem:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return _problem(
            source, "the file is an old or a protected workbook", "save it as .xlsx without a password", "file.kind"
        )
    known = recognise_file(head, source)
    if known:
        return known
    return _problem(source, "the file is not an Excel workbook", "if it is text, name it .csv or .tsv", "file.kind")


def _problem(source: Source, what: str, hint: str, rule: str = "file.size") -> Problem:
    return Problem(where=Place(file=source.name), what=what, hint=hint, rule=rule)
