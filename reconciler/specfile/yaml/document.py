"""A document: plain data, the place of every key and value, and the meaning of a scalar.

Scalars follow the core schema of YAML 1.2. So `no`, `on` and `2026-01-31` are text, `1e-5` is a number and `0o17` is
fifteen. Infinity and NaN, which JSON cannot hold, are refused.

Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema)
"""

import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from reconciler.domain.errors import Place, Problem
from reconciler.domain.identity import canonical_json

T = TypeVar("T")

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Plain data with places.

    Shape:  `keys` and `values` are the places of each path; `written` keeps numbers as their author wrote them; `void`
            are paths whose value cannot be used, and has been reported
    """

    file: str
    data: dict[str, Plain]
    keys: Mapping[Path, Mark]
    values: Mapping[Path, Mark]
    written: Mapping[Path, str] = msgspec.field(default_factory=dict)
    void: frozenset[Path] = frozenset()

    @property
    def place(self) -> Place:
        """Where the document begins."""
        return self.value_place(())

    def key_place(self, path: Path) -> Place:
        """Return the place of a field's key; for an item of a list, of the item."""
        return self._at(self.keys.get(path) or self._nearest_value(path))

    def value_place(self, path: Path) -> Place:
        """Return the place of a value, or of the nearest value around it."""
        return self._at(self._nearest_value(path))

    def get(self, *path: str | int) -> Plain:
        """Return the value at a path; None when there is none."""
        found: Plain = self.data
        for step in path:
            if isinstance(found, dict) and isinstance(step, str):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int):
                found = found[step]
            else:
                return None
        return found

    def text(self, *path: str | int) -> str | None:
        """Return the text at a path; None when there is none, or another type."""
        found = self.get(*path)
        return found if isinstance(found, str) else None

    def problem(self, path: Path, what: str, hint: str, rule: str, *, at_key: bool = False) -> Problem:
        """Return a problem of one field of this document."""
        where = self.key_place(path) if at_key else self.value_place(path)
        return Problem(where=where, what=what, path=dotted_path(path), hint=hint, rule=rule)

    def _nearest_value(self, path: Path) -> Mark:
        while path and path not in self.values:
            path = path[:-1]
        return self.values[path]

    def _at(self, mark: Mark) -> Place:
        return Place(file=self.file, line=mark[0], column=mark[1])


def read_fields(fields: Mapping[str, Any], kind: type[T]) -> T:
    """Return valid fields of a document as a value. Through JSON 3.0 becomes 3, and an amount is exactly as written."""
    return msgspec.json.decode(canonical_json(fields), type=kind)


def dotted_path(path: Path) -> str:
    """Return a path as text: `messages[2].role`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


Scalar = None | bool | int | float | str

MAX_DIGITS = 100
"""Longer numbers are mistakes, and very long ones are slow to read."""

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAY_BE_NUMBER = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar.

    Raises: ValueError, with the reason, for a number that JSON cannot hold
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _MAY_BE_NUMBER else text


def whole(text: str) -> str:
    """Return a quoted text unchanged.

    Raises: ValueError for half a character, which an escape can name and no file can hold
    """
    if any("\ud800" <= each <= "\udfff" for each in text if not each.isascii()):
        raise ValueError("this text contains half a character")
    return text


def _number(text: str) -> Scalar:
    if _NO_NUMBER.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be used here")
    if not (_FLOAT.fullmatch(text) or _OTHER_BASE.fullmatch(text)):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"this number has more than {MAX_DIGITS} digits")
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large a number")
    return number
