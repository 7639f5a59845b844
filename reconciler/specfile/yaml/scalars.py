"""What an unquoted word of YAML stands for, by the core schema of YAML 1.2 and no other.

So `no`, `on` and `2026-01-31` are text, `1e-5` is a number and `0o17` is fifteen. Infinity and NaN, which JSON
cannot say, are refused.

Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema)
"""

import math
import re

Scalar = None | bool | int | float | str

MAX_DIGITS = 100
"""No number that anybody means is longer, and very long ones are slow to read."""

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

    Raises: ValueError, saying why, for a number that JSON cannot carry
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _MAY_BE_NUMBER else text


def whole(text: str) -> str:
    """Return a quoted text as it is.

    Raises: ValueError for half a character, which an escape can name and no file can hold
    """
    if any("\ud800" <= each <= "\udfff" for each in text if not each.isascii()):
        raise ValueError("this text holds half a character")
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
