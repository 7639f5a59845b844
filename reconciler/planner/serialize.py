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

from reconciler.domain.basis import PlanInputs
from reconciler.domain.plan import Plan, Train
from reconciler.domain.spec import ColumnMapping

T = TypeVar("T")

_KIND = "is"
_CLASS_NAMES = {ColumnMapping: "Mapping", PlanInputs: "Grounds"}
"""What classes are called in files, where that is not their name. A plan that was saved before stays readable."""

_FIELD_NAMES = {(Train, "excluded_jobs"): "despite", (Plan, "inputs"): "grounds"}
"""The same for fields."""

_LONGEST_AMOUNT = 64
_UNSAVED = frozenset({"details"})
"""What a service says of a job for people to read: no plan rests on it, so no saved plan holds it."""

_PLAIN = (bool, int, float, str, NoneType)


def to_plain(value: object) -> object:
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
        return sorted(map(to_plain, value), key=str)
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        fields = {
            _field_name(kind, name): to_plain(getattr(value, name))
            for name in value.__struct_fields__
            if name not in _UNSAVED
        }
        return {_KIND: _class_name(kind), **fields}
    raise TypeError(f"{type(value).__name__} has no way to be written")


def from_plain(wanted: type[T], data: object) -> T:
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
    named = {_class_name(kind): kind for kind in wanted if _is_struct(kind)}
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
    hints, kind = _hints(wanted), _class_name(wanted)
    names = {name: _field_name(wanted, name) for name in hints}
    if not isinstance(data, Mapping) or data.keys() != {_KIND, *names.values()} or data[_KIND] != kind:
        raise ValueError(f"no {kind}")
    return wanted(**{name: _read(hint, data[names[name]]) for name, hint in hints.items()})


def _class_name(kind: type[msgspec.Struct]) -> str:
    return _CLASS_NAMES.get(kind, kind.__name__)


def _field_name(kind: type[msgspec.Struct], name: str) -> str:
    return _FIELD_NAMES.get((kind, name), name)


@cache
def _hints(wanted: type[msgspec.Struct]) -> Mapping[str, Any]:
    hints = get_type_hints(wanted)
    return {name: hints[name] for name in wanted.__struct_fields__ if name not in _UNSAVED}


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
