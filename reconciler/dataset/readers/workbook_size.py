"""Whether a workbook can be read safely: how much its archive unpacks to, how far its sheets extend, what cells repeat.

A workbook is a zip archive of XML. The library that reads it reads sheets whole, lays out every cell between the first
and the last, and copies a shared text into each cell that refers to it. So a small file can ask for more memory than
there is. The sizes that an archive states may be false. So the archive is unpacked here once, and measured, before the
library opens it.

A first measure is quick and high. Where it exceeds the bound, the XML is parsed, and the texts of cells are added up.
"""

import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO
from xml.parsers import expat

from reconciler.dataset.readers.text import recognise_file
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Problem

MAX_UNPACKED_BYTES = 256 << 20
MAX_CELLS = 8 << 20
MAX_ENTRIES = 10_000
MAX_TEXTS = 2_000_000
"""Texts that cells share."""

MAX_TAGS = 1_000_000
"""Tags of a part that is neither a sheet nor the list of texts: names, formats, relations."""

MAX_TEXT_BYTES = 256 << 20
"""Bytes of the texts of all cells of a sheet."""

_CHUNK = 1 << 20
_DIGITS = 12
_OVERLAP = 64
_END = b"PK\x05\x06"
_REFERENCE = re.compile(rb"""r\s*=\s*["']([A-Za-z]{0,7})([0-9]{1,10})["']""")
_CELL = tuple(b"<c" + after for after in (b" ", b">", b"/", b"\t", b"\n", b"\r"))
_PREFIXED_ROW = re.compile(rb"<[\w.-]+:row[\s/>]")
_TEXT = re.compile(rb"<(?:[\w.-]{1,40}:)?si(?=[\s/>])")
_NOT_READ = re.compile(r"(?:^|/)(?:media|drawings|charts|pivot\w*|printerSettings|embeddings)/", re.IGNORECASE)


def check_workbook_size(file: BinaryIO, source: Source) -> Problem | None:
    """Return why an open file is not a workbook that can be read safely; None when it is one.

    Cost:   the archive unpacked once, a chunk at a time
    """
    head = file.read(4096)
    file.seek(0, 2)
    file.seek(max(0, file.tell() - 65_557))
    tail = file.read()
    if not head.startswith(b"PK"):
        return _not_a_workbook(head, source)
    # Every library reads the list of entries whole, so its length is checked first; 0xFFFF means "more than that".
    end = tail.rfind(_END)
    if end >= 0 and int.from_bytes(tail[end + 10 : end + 12], "little") > MAX_ENTRIES:
        what = f"the workbook has more than {MAX_ENTRIES} parts"
        return source.problem("file.size", what, "keep the sheet you need and save it again")
    try:
        with zipfile.ZipFile(file) as archive:
            return _check_entries(archive, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        # zipfile raises NotImplementedError for an unknown compression, and RuntimeError for a locked archive.
        what = f"the workbook cannot be unpacked: {error}"[:300]
        return source.problem("xlsx.syntax", what, "save it again as .xlsx")


def _check_entries(archive: zipfile.ZipFile, source: Source) -> Problem | None:
    entries = archive.infolist()
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        what = "the archive is not an Excel workbook"
        return source.problem("xlsx.syntax", what, "save the sheet as .xlsx or .csv")
    what = f"the workbook unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB"
    too_large = source.problem("file.size", what, "split it, or save the sheet as .csv: any size")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        return too_large
    left = MAX_UNPACKED_BYTES
    parts = []
    for entry in entries:
        extent, texts, tags = _Extent(), _Texts(), 0
        for chunk in _unpack(archive, entry, left):
            left -= len(chunk)
            if left < 0:
                return too_large
            extent.add(chunk)
            texts.add(chunk)
            tags += chunk.count(b"<") - chunk.count(b"</")
        texts.end()
        if problem := _check_part(entry.filename, extent, texts.count, tags, source):
            return problem
        parts.append((entry, extent.cells, texts))
    return _check_texts(archive, parts, source)


def _check_part(name: str, extent: "_Extent", texts: int, tags: int, source: Source) -> Problem | None:
    if extent.cells > MAX_CELLS:
        what = f"a sheet spans {extent.rows} rows and {extent.columns} columns, more than {MAX_CELLS} cells"
        return source.problem("file.size", what, "delete the cells far outside the table, or save the sheet as .csv")
    if texts > MAX_TEXTS:
        what = f"the workbook has more than {MAX_TEXTS:,} texts"
        return source.problem("file.size", what, "split it, or save the sheet as .csv: any size")
    if tags > MAX_TAGS and not extent.cells and not texts and not _NOT_READ.search(name):
        what = f"the part `{name[:100]}` of the workbook has more than {MAX_TAGS:,} entries, such as names or formats"
        return source.problem("file.size", what, "copy the table into a new workbook, or save the sheet as .csv")
    return None


def _check_texts(
    archive: zipfile.ZipFile, parts: "list[tuple[zipfile.ZipInfo, int, _Texts]]", source: Source
) -> Problem | None:
    lists = [entry for entry, _, texts in parts if texts.count]
    longest = max((texts.longest for _, _, texts in parts), default=0)
    sheets = [entry for entry, cells, _ in parts if cells * longest > MAX_TEXT_BYTES]
    if not sheets:
        return None
    what = f"the cells of a sheet hold more than {MAX_TEXT_BYTES >> 20} MiB of text, because cells share long texts"
    too_much = source.problem("file.size", what, "split it, or save the sheet as .csv: any size")
    if len(lists) > 1:
        return too_much
    try:
        sizes = _read_text_sizes(archive, lists[0])
        is_too_much = any(_add_up(archive, sheet, sizes) > MAX_TEXT_BYTES for sheet in sheets)
    except expat.ExpatError as error:
        return source.problem("xlsx.syntax", f"the workbook cannot be read: {error}"[:300], "save it again as .xlsx")
    return too_much if is_too_much else None


def _read_text_sizes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> "array[int]":
    sizes = array("Q")

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        if name == "si":
            sizes.append(0)

    def text(piece: str) -> None:
        if sizes:
            sizes[-1] += len(piece.encode())

    _parse(archive, entry, start, text)
    return sizes


class _CellTexts:
    """Adds up the texts that the cells of a sheet refer to."""

    def __init__(self, sizes: "array[int]") -> None:
        self.total = 0
        self._sizes, self._longest = sizes, max(sizes, default=0)
        self._is_shared = self._is_value = False
        self._number = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self.end()
            self._is_shared, self._number = attributes.get("t") == "s", ""
        self._is_value = name == "v"

    def text(self, piece: str) -> None:
        if self._is_shared and self._is_value and len(self._number) < _DIGITS:
            self._number += piece[:_DIGITS].strip()

    def end(self) -> None:
        """Add the text of the cell that has ended. What is no plain number counts as the longest text."""
        if not self._is_shared:
            return
        is_plain = self._number.isdecimal() and len(self._number) < _DIGITS
        at = int(self._number) if is_plain else 0
        self.total += self._longest if not is_plain else self._sizes[at] if at < len(self._sizes) else 0
        self._is_shared = False


def _add_up(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, sizes: "array[int]") -> int:
    texts = _CellTexts(sizes)
    _parse(archive, entry, texts.start, texts.text)
    texts.end()
    return texts.total


def _parse(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    start: Callable[[str, Mapping[str, str]], None],
    text: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    # Names without their namespace: some programs write the standard ones with a prefix.
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    parser.CharacterDataHandler = text
    for chunk in _unpack(archive, entry, MAX_UNPACKED_BYTES):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


class _Texts:
    """How many texts a part lists for cells to share, and the most bytes that one of them can have.

    Shape:  texts are counted by their tags. Comments may hold tags that are none; with any, a text may be as long as
            the part
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0
        self._size = self._begun = 0
        self._before = b""
        self._has_comments = False

    def add(self, chunk: bytes) -> None:
        text = self._before + chunk
        offset = self._size - len(self._before)
        self._size += len(chunk)
        self._has_comments = self._has_comments or b"<!" in text
        if b"si" in text:
            for found in _TEXT.finditer(text):
                if offset + found.start() >= self._begun or not self.count:
                    self._note(offset + found.start())
        self._before = text[-_OVERLAP:]

    def end(self) -> None:
        """Note the end of the part."""
        if self.count:
            self.longest = self._size if self._has_comments else max(self.longest, self._size - self._begun)

    def _note(self, at: int) -> None:
        if self.count and at == self._begun:
            return
        if self.count:
            self.longest = max(self.longest, at - self._begun)
        self.count += 1
        self._begun = at


class _Extent:
    """How far the cells of one part extend, as its text says; zero for parts without cells."""

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
        # A cell without a reference stands to the right of the one before.
        cells = _count_cells(chunk)
        if b":row" in chunk and _PREFIXED_ROW.search(chunk):
            cells += chunk.count(b":c")
        self._unplaced += max(0, cells - len(references))
        self.columns = max(self.columns, self._unplaced)
        self._seen = chunk[-_OVERLAP:]

    @property
    def cells(self) -> int:
        return self.rows * self.columns


def _count_cells(chunk: bytes) -> int:
    # Almost all cells are written in the first way: when those are all there can be, the other ways are not counted.
    most, cells = chunk.count(b"<c"), 0
    for start in _CELL:
        if cells == most:
            break
        cells += chunk.count(start)
    return cells


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    # `zipfile` reads no more than the size that the entry states; other libraries ignore that size.
    entry.file_size = most + 2 * _CHUNK
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _not_a_workbook(head: bytes, source: Source) -> Problem:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        what = "the file is an old workbook, or one with a password"
        return source.problem("file.kind", what, "save it as .xlsx without a password")
    other = source.problem("file.kind", "the file is not an Excel workbook", "if it is text, name it .csv or .tsv")
    return recognise_file(head, source) or other
