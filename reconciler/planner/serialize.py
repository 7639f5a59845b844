"""Values of the domain as plain data, and back. Every value says under `is` which class it is of.

Data that does not fit a type is refused, and so is data in any other form than the one that is written. So a value that
was read needs no second check.
"""

import json
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import TypeVar

import msgspec

T = TypeVar("T")

_LONGEST_AMOUNT = 64
_UNSAVED = frozenset({"details"})
"""What a service says of a job for people to read. No plan rests on it, so no saved plan holds it."""

_PLAIN = (bool, int, float, str, NoneType)


def to_plain(value: object) -> object:
    """Return a value as plain data.

    Raises: TypeError for a value of another kind, ValueError for an amount that no plan holds
    """
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        text = str(value)
        if not value.is_finite() or len(text) > _LONGEST_AMOUNT:
            raise ValueError("no amount")
        return text
    if isinstance(value, frozenset):
        return sorted(map(to_plain, value), key=str)
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        fields = {written: to_plain(getattr(value, name)) for name, written in names if name not in _UNSAVED}
        return {"is": value.__struct_config__.tag or type(value).__name__, **fields}
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(wanted: type[T], data: object) -> T:
    """Return the value that plain data stands for.

    Raises: ValueError when it does not fit the type, or is not in the form that is written
    """
    try:
        value = msgspec.convert(data, wanted)
    except msgspec.ValidationError as error:
        raise ValueError(f"no {wanted.__name__}: {error}") from error
    # The types alone would take 1 for 1.0, and ignore a field that they do not know.
    if _text(to_plain(value)) != _text(data):
        raise ValueError(f"no {wanted.__name__} in the form that is written")
    return value


def _text(data: object) -> str:
    return json.dumps(data, sort_keys=True)
