"""JSON and JSON Lines with the habits of the old tool's parser: numbers by column, `nan` for what is missing."""

import json
import math
import re
from collections.abc import Callable
from typing import NoReturn

from reconciler.prepare_data.compat.table import LegacyCrashError, LegacyTable

_MOST = 2**64
_DECIMALS = 15
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_SURROGATE = re.compile("[\ud800-\udfff]")

JsonCell = object


class _AbsentCell:
    """Stands where a row lacks a key that others have."""


ABSENT = _AbsentCell()


def read_lines(file: str) -> LegacyTable:
    """Return the rows of a file with a value on each line.

    Raises: ValueError when it is not UTF-8 or not JSON; LegacyCrashError when only some values are objects
    """
    with open(file, encoding="utf-8", newline="") as opened:
        lines = (line.strip() for line in opened.read().split("\n"))
        return _table_of_list(_parse("[" + ",".join(line for line in lines if line) + "]"))


def read_whole(file: str) -> LegacyTable:
    """Return the rows of a file that is one list of objects, or one object of columns.

    Raises: ValueError when it is neither
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
    # Half of a surrogate pair was left out, in silence.
    return text if text.isascii() else _SURROGATE.sub("", text)


def _parse_integer(text: str) -> int:
    number = int(text)
    if not -(_MOST // 2) <= number < _MOST:
        raise ValueError("a number is too big")
    return number


def _parse_float(text: str) -> float:
    """Read a number the parser's way: fast, and in the last digit not always the nearest."""
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
        # Values without keys get numbers for columns, among which no prompt is found.
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
    texts = [[said(cell) for cell in cells] for cells in columns.values() for said in (_choose_writer(cells),)]
    rows = tuple(zip(*texts, strict=True)) if texts else tuple(() for _ in range(count))
    return LegacyTable(tuple(columns), rows)


def _choose_writer(cells: list[JsonCell]) -> Callable[[JsonCell], str]:
    """Return how a column's cells become text: numbers alone, with gaps or fractions, were all floating point."""
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
