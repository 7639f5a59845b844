"""Writes values of the domain as plain data, and reads them back as exactly what their types say, or not at all.

A closed union says which of its classes it holds under `is`. What does not fit its type is refused, so that nothing
that was read needs to be looked at twice.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NewType, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")

_KIND = "is"
_LONGEST_AMOUNT = 64
_PLAIN = (bool, int, float, str, NoneType)


def written(value: object) -> object:
    """Return a value as plain data.

    Raises: TypeError for a value that is none of the domain's
    """
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(map(written, value), key=str)
    if isinstance(value, tuple):
        return [written(each) for each in value]
    if isinstance(value, msgspec.Struct):
        found = {name: written(getattr(value, name)) for name in value.__struct_fields__}
        return {_KIND: type(value).__name__, **found}
    raise TypeError(f"{type(value).__name__} has no way to be written")


def read(wanted: type[T], data: object) -> T:
    """Return the value that plain data stands for.

    Raises: ValueError when it does not fit the type
    """
    found: T = _read(wanted, data)
    return found


def _read(wanted: Any, data: object) -> Any:
    if isinstance(wanted, NewType):
        return _read(wanted.__supertype__, data)
    origin = get_origin(wanted)
    if origin in {Union, UnionType}:
        return _variant(get_args(wanted), data)
    if origin is tuple:
        return _tuple(get_args(wanted), data)
    if origin is frozenset:
        return frozenset(_tuple((*get_args(wanted), ...), data))
    if _is_struct(wanted):
        return _record(wanted, data)
    return _word(wanted, data)


def _variant(wanted: tuple[Any, ...], data: object) -> Any:
    named = {each.__name__: each for each in wanted if _is_struct(each)}
    if isinstance(data, Mapping) and data.get(_KIND) in named:
        return _read(named[data[_KIND]], data)
    for each in wanted:
        if not _is_struct(each):
            try:
                return _read(each, data)
            except ValueError:
                continue
    raise ValueError("none of its kinds")


def _tuple(wanted: tuple[Any, ...], data: object) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise ValueError("no list")
    if wanted[-1] is ...:
        return tuple(_read(wanted[0], each) for each in data)
    return tuple(_read(each, item) for each, item in zip(wanted, data, strict=True))


def _record(wanted: Any, data: object) -> Any:
    hints = _hints(wanted)
    if not isinstance(data, Mapping) or data.keys() != {_KIND, *hints} or data[_KIND] != wanted.__name__:
        raise ValueError(f"no {wanted.__name__}")
    return wanted(**{name: _read(hint, data[name]) for name, hint in hints.items()})


@cache
def _hints(wanted: type[msgspec.Struct]) -> Mapping[str, Any]:
    hints = get_type_hints(wanted)
    return {name: hints[name] for name in wanted.__struct_fields__}


def _is_struct(wanted: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _word(wanted: Any, data: object) -> Any:
    if wanted is Decimal and isinstance(data, str):
        return _decimal(data)
    if issubclass(wanted, StrEnum) and isinstance(data, str):
        return wanted(data)
    # A bool is no number here, and 1 is no float that was written as 1.0.
    if type(data) is not wanted:
        raise ValueError(f"no {wanted.__name__}")
    return data


def _decimal(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no amount") from error
    if not found.is_finite() or len(text) > _LONGEST_AMOUNT:
        raise ValueError("no amount")
    return found
