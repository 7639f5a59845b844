"""What a sheet holds beside its values: number formats, hidden and merged cells, filters, errors and formulas.

The library that reads workbooks returns values only. The parts of the archive are read here as a stream, after they
were measured, and only when a quick search finds something of this kind in them.

Source: ECMA-376 part 1, sections 18.2 (workbook), 18.3 (worksheet) and 18.8 (styles)
"""

import posixpath
import re
import zipfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import BinaryIO
from xml.parsers import expat

import msgspec

from reconciler.dataset.readers.number_format import BUILT_IN, GENERAL, is_of_time

Cell = int | float | str | bool | time | date | datetime | timedelta

_CHUNK = 1 << 20
_OVERLAP = 16
_SIGNS = (b"hidden", b't="e"', b"t='e'", b"<f", b":f", b"mergeCell", b"autoFilter")
_MOST_FORMATS = 65_000
_LONGEST_FORMAT = 255
_SHOWN = 3
_LONGEST_NUMBER = 10
"""Digits of the number of a row, a column or a format."""

NO_MOMENT = "has the form of a date or a time, and a number that is none"

_FAR_DAYS = 100_000_000_000
"""Days before any date. The library that reads workbooks cannot count them, and writes of it to standard error."""

Attributes = Mapping[str, str]
Position = tuple[int, int]
"""Row and column, both from 1."""

ERROR, UNSOLVED, MERGED = 1, 2, 3
"""Why a cell is read as empty: it holds an error, or a formula without a result, or is merged with the first one."""

_CELLS = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7}):([A-Za-z]{1,3})([0-9]{1,7})")


class SheetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one sheet.

    Shape:  `formats` are codes by number, None for one that is not known here; `format_of` has the number of each cell,
            row by row from the first, `width` cells each; `blanks` likewise has a byte for each cell, and is empty
            where there is no such cell; the others count, and name the first few; `far` is a cell whose number is none
            of a date
    """

    formats: tuple[str | None, ...] = (GENERAL,)
    format_of: "array[int]" = msgspec.field(default_factory=lambda: array("H"))
    width: int = 0
    errors: tuple[str, ...] = ()
    error_count: int = 0
    unsolved: tuple[str, ...] = ()
    unsolved_count: int = 0
    merged: tuple[str, ...] = ()
    merged_count: int = 0
    hidden_rows: tuple[int, ...] = ()
    hidden_row_count: int = 0
    hidden_columns: tuple[str, ...] = ()
    is_filtered: bool = False
    has_criteria: bool = False
    far: str = ""
    blanks: bytearray = msgspec.field(default_factory=bytearray)
    blank_width: int = 0

    def blank_at(self, row: int, column: int) -> int:
        """Return `ERROR`, `UNSOLVED` or `MERGED` for a cell that is read as empty; else 0."""
        at = (row - 1) * self.blank_width + column - 1
        return self.blanks[at] if column <= self.blank_width and at < len(self.blanks) else 0

    def format_at(self, row: int, column: int) -> str | None:
        """Return the code of a cell; None for one that is not known here."""
        at = (row - 1) * self.width + column - 1
        return self.formats[self.format_of[at]] if column <= self.width and at < len(self.format_of) else GENERAL


class UnreadableSheetError(ValueError):
    """The XML of a workbook is not as the standard has it."""


def read_facts(file: BinaryIO, sheet: str, height: int, width: int) -> SheetFacts:
    """Return the facts of a sheet of `height` rows and `width` columns.

    Raises: UnreadableSheetError, when its parts cannot be found or read
    Cost:   the sheet unpacked once or twice more; 2 bytes a cell where some have formats, and 1 where some are errors
    """
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            part = _find_part(archive, sheet)
            formats, of_time = _read_formats(archive)
            has_formats = any(code != GENERAL for code in formats)
            if not has_formats and not _has_signs(archive, part):
                return SheetFacts()
            scan = _SheetScan(formats, of_time, height, width, has_formats=has_formats)
            _parse(archive, part, scan.start, scan.end, scan.text)
            return scan.facts()
    except (KeyError, IndexError, zipfile.BadZipFile, expat.ExpatError, ValueError) as error:
        raise UnreadableSheetError(str(error)) from error


def column_name(number: int) -> str:
    """Return the letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


class _SheetScan:
    """Collects the facts while the XML of a sheet is parsed."""

    def __init__(
        self,
        formats: tuple[str | None, ...],
        of_time: frozenset[int],
        height: int,
        width: int,
        *,
        has_formats: bool,
    ) -> None:
        self._formats, self._width = formats, width if has_formats else 0
        self._format_of = array("H", bytes(2 * height * self._width))
        self._blanks, self._blank_width, self._cells = bytearray(), width, height * width
        self._most_merged = self._cells
        self._row = self._column = 0
        self._cell: Attributes = {}
        self._has_formula = self._has_value = self._is_value = False
        self._errors, self._unsolved, self._merged = _Examples(), _Examples(), _Examples()
        self._hidden_rows, self._hidden_columns = _Examples(), _Examples()
        self._is_error, self._error, self._is_filtered = False, "", False
        self._has_criteria = False
        self._of_time, self._is_time, self._far = of_time, False, ""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = _read_number(attributes.get("r")) or self._row + 1
            self._column = 0
            if attributes.get("hidden") in {"1", "true"}:
                self._hidden_rows.add(str(self._row))
        elif name == "c":
            self._cell, self._has_formula, self._has_value, self._error = attributes, False, False, ""
            self._column = _read_column(attributes.get("r", "")) or self._column + 1
            self._is_error = attributes.get("t") == "e"
            number = _read_number(attributes.get("s"))
            self._is_time = number in self._of_time
            self._note_format(number)
        elif name == "f":
            self._has_formula = True
        elif name == "v":
            # Some programs write an empty value where they computed none; the result of a formula may be an empty text.
            self._is_value, self._has_value = True, self._cell.get("t") == "str"
        elif name == "is":
            self._has_value = True
        elif name == "mergeCell":
            self._merged.add(attributes.get("ref", ""))
            self._note_merged(attributes.get("ref", ""))
        elif name == "autoFilter":
            self._is_filtered = True
        elif name == "filterColumn":
            self._has_criteria = True
        elif name == "col" and attributes.get("hidden") in {"1", "true"}:
            self._hidden_columns.add(column_name(_read_number(attributes.get("min")) or 1))

    def end(self, name: str) -> None:
        self._is_value = False
        if name != "c":
            return
        place = f"{column_name(self._column)}{self._row}"
        if self._is_error:
            self._errors.add(f"{place}: {self._error[:20]}")
            self._note_blank(self._row, self._column, ERROR)
        elif self._has_formula and not self._has_value:
            self._unsolved.add(place)
            self._note_blank(self._row, self._column, UNSOLVED)

    def text(self, text: str) -> None:
        if not self._is_value:
            return
        self._has_value = True
        if self._is_error and len(self._error) < _LONGEST_FORMAT:
            self._error += text
        elif self._is_time and not self._far and _is_far(text):
            self._far = f"{column_name(self._column)}{self._row}"

    def facts(self) -> SheetFacts:
        """Return what was found."""
        return SheetFacts(
            formats=self._formats,
            format_of=self._format_of,
            width=self._width,
            errors=self._errors.shown,
            error_count=self._errors.count,
            unsolved=self._unsolved.shown,
            unsolved_count=self._unsolved.count,
            merged=self._merged.shown,
            merged_count=self._merged.count,
            hidden_rows=tuple(map(int, self._hidden_rows.shown)),
            hidden_row_count=self._hidden_rows.count,
            hidden_columns=self._hidden_columns.shown,
            is_filtered=self._is_filtered,
            has_criteria=self._has_criteria,
            far=self._far,
            blanks=self._blanks,
            blank_width=self._blank_width,
        )

    def _note_merged(self, cells: str) -> None:
        found = _CELLS.fullmatch(cells)
        if not found:
            return
        first, last = _read_column(found[1]), min(_read_column(found[3]), self._blank_width)
        top, bottom = int(found[2]), min(int(found[4]), self._cells // max(1, self._blank_width))
        # Ranges do not overlap. Those of a hostile workbook may, and are read only as far as there are cells.
        self._most_merged -= max(0, bottom - top + 1) * max(0, last - first + 1)
        if self._most_merged < 0:
            return
        for row in range(top, bottom + 1):
            for column in range(first + (row == top), last + 1):
                self._note_blank(row, column, MERGED)

    def _note_blank(self, row: int, column: int, why: int) -> None:
        at = (row - 1) * self._blank_width + column - 1
        if column <= self._blank_width and 0 <= at < self._cells:
            self._blanks = self._blanks or bytearray(self._cells)
            self._blanks[at] = why

    def _note_format(self, number: int) -> None:
        at = (self._row - 1) * self._width + self._column - 1
        if 0 < number < len(self._formats) and self._column <= self._width and 0 <= at < len(self._format_of):
            self._format_of[at] = number


class _Examples:
    """Counts texts, and keeps the first few."""

    def __init__(self) -> None:
        self.count = 0
        self.shown: tuple[str, ...] = ()

    def add(self, text: str) -> None:
        self.count += 1
        if self.count <= _SHOWN:
            self.shown = (*self.shown, text)


def _read_number(text: str | None) -> int:
    """Return the number of a row, a column or a format; 0 where none is written.

    Raises: ValueError, for what is none
    """
    if not text:
        return 0
    if not (text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise ValueError(f"`{text[:20]}` is not the number of a row, a column or a format")
    return int(text)


def _is_far(text: str) -> bool:
    try:
        return float(text) < -_FAR_DAYS
    except ValueError:
        return False


def _read_column(reference: str) -> int:
    number = 0
    for letter in reference.upper():
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str:
    ids: dict[str, str] = {}
    targets: dict[str, str] = {}

    def start_sheet(name: str, attributes: Attributes) -> None:
        if name == "sheet":
            ids[attributes.get("name", "")] = next((attributes[key] for key in attributes if key.endswith(" id")), "")

    def start_relation(name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, "xl/workbook.xml", start_sheet)
    _parse(archive, "xl/_rels/workbook.xml.rels", start_relation)
    target = targets[ids[sheet]]
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _read_formats(archive: zipfile.ZipFile) -> tuple[tuple[str | None, ...], frozenset[int]]:
    """Return the codes of formats by the number that cells give, and which of these show a date or a time."""
    codes: dict[int, str] = dict(BUILT_IN)
    numbers: list[int] = []
    inside = [False]

    def start(name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            codes[_read_number(attributes.get("numFmtId"))] = attributes.get("formatCode", GENERAL)[:_LONGEST_FORMAT]
        elif name == "cellXfs":
            inside[0] = True
        elif name == "xf" and inside[0] and len(numbers) < _MOST_FORMATS:
            numbers.append(_read_number(attributes.get("numFmtId")))

    def end(name: str) -> None:
        if name == "cellXfs":
            inside[0] = False

    if "xl/styles.xml" not in archive.namelist():
        return (GENERAL,), frozenset()
    _parse(archive, "xl/styles.xml", start, end)
    of_time = frozenset(at for at, number in enumerate(numbers) if is_of_time(number, codes.get(number)))
    return tuple(codes.get(number) for number in numbers) or (GENERAL,), of_time


def _has_signs(archive: zipfile.ZipFile, part: str) -> bool:
    before = b""
    for chunk in _read_part(archive, part):
        text = before + chunk
        if any(sign in text for sign in _SIGNS):
            return True
        before = chunk[-_OVERLAP:]
    return False


def _read_part(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    # Names without their namespace: some programs write the standard ones with a prefix.
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    if end:
        parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
    if text:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    for chunk in _read_part(archive, part):
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _refuse_doctype(*_declaration: object) -> None:
    raise ValueError("a workbook declares no document type")
