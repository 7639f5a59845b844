"""JSON and JSON Lines with the habits of the old tool's parser: numbers by column, `nan` for what is missing."""

import json
import math
import re
from collections.abc import Callable
from typing import NoReturn

from reconciler.prepare_data.compat.table import DiesHereError, Table

_MOST = 2**64
_DECIMALS = 15
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_SURROGATE = re.compile("[\ud800-\udfff]")

Cell = object


class _Missing:
    """Stands where a row lacks a key that others have."""


MISSING = _Missing()


def read_lines(file: str) -> Table:
    """Return the rows of a file with a value on each line.

    Raises: ValueError when it is not UTF-8 or not JSON; DiesHereError when only some values are objects
    """
    with open(file, encoding="utf-8", newline="") as opened:
        lines = (line.strip() for line in opened.read().split("\n"))
        return _of_list(_parsed("[" + ",".join(line for line in lines if line) + "]"))


def read_whole(file: str) -> Table:
    """Return the rows of a file that is one list of objects, or one object of columns.

    Raises: ValueError when it is neither
    """
    with open(file, encoding="utf-8", newline="") as opened:
        value = _parsed(opened.read())
    return _of_columns(value) if isinstance(value, dict) else _of_list(value)


def _parsed(text: str) -> object:
    try:
        value: object = json.loads(
            text, strict=False, parse_int=_integer, parse_float=_float, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _object(pairs: list[tuple[str, Cell]]) -> dict[str, Cell]:
    return {_whole(key): _whole(value) if isinstance(value, str) else value for key, value in pairs}


def _whole(text: str) -> str:
    # Half of a surrogate pair was left out, in silence.
    return text if text.isascii() else _SURROGATE.sub("", text)


def _integer(text: str) -> int:
    number = int(text)
    if not -(_MOST // 2) <= number < _MOST:
        raise ValueError("a number is too big")
    return number


def _float(text: str) -> float:
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


def _of_list(value: object) -> Table:
    if not isinstance(value, list):
        return _refuse()
    if not value or not isinstance(value[0], dict):
        # Values without keys get numbers for columns, among which no prompt is found.
        return Table((), tuple(() for _ in value))
    if not all(isinstance(row, dict) for row in value):
        raise DiesHereError("AttributeError: a row has no attribute 'keys'")
    names = tuple(dict.fromkeys(key for row in value for key in row))
    return _of_cells({name: [row.get(name, MISSING) for row in value] for name in names}, len(value))


def _of_columns(value: dict[str, Cell]) -> Table:
    columns = {name: _entries(column) for name, column in value.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        return _refuse()
    return _of_cells(columns, lengths.pop())


def _entries(column: Cell) -> list[Cell]:
    if isinstance(column, dict):
        return list(column.values())
    return column if isinstance(column, list) else _refuse()


def _refuse() -> NoReturn:
    raise ValueError("neither a list of objects nor an object of columns")


def _of_cells(columns: dict[str, list[Cell]], count: int) -> Table:
    texts = [[said(cell) for cell in cells] for cells in columns.values() for said in (_text_of(cells),)]
    rows = tuple(zip(*texts, strict=True)) if texts else tuple(() for _ in range(count))
    return Table(tuple(columns), rows)


def _text_of(cells: list[Cell]) -> Callable[[Cell], str]:
    """Return how a column's cells become text: numbers alone, with gaps or fractions, were all floating point."""
    kinds = {type(cell) for cell in cells}
    gaps = kinds & {type(None), _Missing}
    is_floating = float in kinds or (int in kinds and gaps) or len(gaps) == 2
    if is_floating and kinds <= {int, float, type(None), _Missing}:
        return _as_float
    return _as_is


def _as_float(cell: Cell) -> str:
    return str(float(cell)) if isinstance(cell, int | float) else "nan"


def _as_is(cell: Cell) -> str:
    return "nan" if isinstance(cell, _Missing) else str(cell)
