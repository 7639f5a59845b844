"""Reads files as the old tool did: by extension, every cell as text, with its messages for each kind of file.

JSON is read with the habits of the old parser: numbers by column, `nan` for what is missing.
"""

import json
import math
import os
import re
from collections.abc import Callable
from typing import NoReturn

from reconciler.prepare_data.compat.read_tables import read_csv, read_xlsx
from reconciler.prepare_data.compat.table import LegacyCrashError, LegacyFinding, LegacyTable

NAME = "read_any_format"
EXTENSIONS = (".csv", ".tsv", ".xlsx", ".txt", ".jsonl", ".json")
KINDS = "Your file must have one of the following extensions: .CSV, .TSV, .XLSX, .TXT, .JSON or .JSONL"
_MOST = 2**64
_DECIMALS = 15
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_SURROGATE = re.compile("[\ud800-\udfff]")
JsonCell = object


def read_any(file: str) -> tuple[LegacyTable, LegacyFinding]:
    """Return a file's rows, and the old tool's note on its format, or its error when it could not read the file.

    Cost:   the file in memory
    """
    empty = LegacyTable((), ())
    if not os.path.isfile(file):
        return empty, LegacyFinding(name=NAME, error=f"File {file} does not exist.")
    extension = next((extension for extension in EXTENSIONS if file.lower().endswith(extension)), None)
    if extension is None:
        return empty, LegacyFinding(name=NAME, error=f"{KINDS} {_describe_extension(file)}")
    try:
        table, note, converted = _read(file, extension)
    except (ValueError, TypeError, OSError):
        kind = file.split(".")[-1].upper()
        what = (
            f"Your file `{file}` does not appear to be in valid {kind} format. Please ensure your file is formatted as"
            f" a valid {kind} file."
        )
        return empty, LegacyFinding(name=NAME, error=what)
    necessary = f"Your format `{converted}` will be converted to `JSONL`" if converted else ""
    return table, LegacyFinding(note=f"\n- {note}" if note else "", necessary=necessary)


def _describe_extension(file: str) -> str:
    if "." in file:
        return f"Your file `{file}` ends with the extension `.{file.split('.')[-1]}` which is not supported."
    return f"Your file `{file}` is missing a file extension."


def _read(file: str, extension: str) -> tuple[LegacyTable, str, str]:
    # The rows, the note on the format, and the format that is converted, empty for JSON Lines.
    by_extension = "Based on your file extension, "
    swapped = "Your {} file appears to be in a {} format. Your file will be converted to JSONL format"
    match extension:
        case ".csv" | ".tsv":
            kind = extension[1:].upper()
            table = read_csv(file, "," if kind == "CSV" else "\t")
            return table, f"{by_extension}your file is formatted as a {kind} file", kind
        case ".xlsx":
            table, sheets = read_xlsx(file)
            more_sheets = (
                "\n- Your Excel file contains more than one sheet. Please either save as csv or ensure all data is"
                " present in the first sheet. WARNING: Reading only the first sheet..."
            )
            note = f"{by_extension}your file is formatted as an Excel file{more_sheets if sheets > 1 else ''}"
            return table, note, "XLSX"
        case ".txt":
            with open(file, encoding="utf-8") as opened:
                rows = tuple(("", line) for line in opened.read().split("\n"))
            table = LegacyTable(("prompt", "completion"), rows)
            return table, f"{by_extension}you provided a text file", "TXT"
        case ".jsonl":
            table = _read_lines(file)
            if len(table) != 1:
                return table, "", ""
            return _read_whole(file), swapped.format("JSONL", "JSON"), "JSON"
    try:
        table = _read_lines(file)
    except ValueError:
        # There is not one value on each line, so the file is most likely an indented list.
        return _read_whole(file), "", ""
    if len(table) == 1:
        return _read_whole(file), "", ""
    return table, swapped.format("JSON", "JSONL"), "JSON"


class _AbsentCell:
    """Stands where a row lacks a key that others have."""


ABSENT = _AbsentCell()


def _read_lines(file: str) -> LegacyTable:
    """Return the rows of a file with a value on each line.

    Raises: ValueError when the file is not UTF-8 or not JSON; LegacyCrashError when only some values are objects
    """
    with open(file, encoding="utf-8", newline="") as opened:
        lines = (line.strip() for line in opened.read().split("\n"))
        return _table_of_list(_parse("[" + ",".join(line for line in lines if line) + "]"))


def _read_whole(file: str) -> LegacyTable:
    """Return the rows of a file that is one list of objects, or one object of columns.

    Raises: ValueError when the file is neither
    """
    with open(file, encoding="utf-8", newline="") as opened:
        value = _parse(opened.read())
    return _table_of_columns(value) if isinstance(value, dict) else _table_of_list(value)


def _parse(text: str) -> object:
    try:
        value: object = json.loads(
            text, strict=False, parse_int=_parse_integer, parse_float=_parse_float, object_pairs_hook=_build_object
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _build_object(pairs: list[tuple[str, JsonCell]]) -> dict[str, JsonCell]:
    return {_drop_surrogates(key): _drop_surrogates(value) if isinstance(value, str) else value for key, value in pairs}


def _drop_surrogates(text: str) -> str:
    # The old tool left half of a surrogate pair out without a message.
    return text if text.isascii() else _SURROGATE.sub("", text)


def _parse_integer(text: str) -> int:
    number = int(text)
    if not -(_MOST // 2) <= number < _MOST:
        raise ValueError("a number is too big")
    return number


def _parse_float(text: str) -> float:
    """Return a number as the old parser read it: fast, and not always the nearest in the last digit."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return float(text)
    sign, whole, fraction, exponent = found.groups(default="")
    fraction = fraction[:_DECIMALS]
    value = float(int(whole)) + float(int(fraction or "0")) * float(f"1e-{len(fraction)}")
    if sign:
        value = -value
    return value * _power(int(exponent)) if exponent else value


def _power(exponent: int) -> float:
    try:
        return math.pow(10.0, exponent)
    except OverflowError:
        return math.inf


def _table_of_list(value: object) -> LegacyTable:
    if not isinstance(value, list):
        return _refuse()
    if not value or not isinstance(value[0], dict):
        # Values without keys get numbers for column names, and none of them is `prompt`.
        return LegacyTable((), tuple(() for _ in value))
    if not all(isinstance(row, dict) for row in value):
        raise LegacyCrashError("AttributeError: a row has no attribute 'keys'")
    names = tuple(dict.fromkeys(key for row in value for key in row))
    return _table_of_cells({name: [row.get(name, ABSENT) for row in value] for name in names}, len(value))


def _table_of_columns(value: dict[str, JsonCell]) -> LegacyTable:
    columns = {name: _column_cells(column) for name, column in value.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        return _refuse()
    return _table_of_cells(columns, lengths.pop())


def _column_cells(column: JsonCell) -> list[JsonCell]:
    if isinstance(column, dict):
        return list(column.values())
    return column if isinstance(column, list) else _refuse()


def _refuse() -> NoReturn:
    raise ValueError("neither a list of objects nor an object of columns")


def _table_of_cells(columns: dict[str, list[JsonCell]], count: int) -> LegacyTable:
    texts = [list(map(_choose_writer(cells), cells)) for cells in columns.values()]
    rows = tuple(zip(*texts, strict=True)) if texts else tuple(() for _ in range(count))
    return LegacyTable(tuple(columns), rows)


def _choose_writer(cells: list[JsonCell]) -> Callable[[JsonCell], str]:
    """Return how a column's cells become text: a column of numbers with gaps or fractions is all floating point."""
    kinds = {type(cell) for cell in cells}
    gaps = kinds & {type(None), _AbsentCell}
    is_floating = float in kinds or (int in kinds and gaps) or len(gaps) == 2
    if is_floating and kinds <= {int, float, type(None), _AbsentCell}:
        return _write_float
    return _write_cell


def _write_float(cell: JsonCell) -> str:
    return str(float(cell)) if isinstance(cell, int | float) else "nan"


def _write_cell(cell: JsonCell) -> str:
    return "nan" if isinstance(cell, _AbsentCell) else str(cell)
