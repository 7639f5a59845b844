"""One row, one line: strict JSON in, canonical bytes out. The bytes are what is digested and what is uploaded.

Canonical means: keys in the API's own order, then by name; no spaces; UTF-8 without needless escapes; numbers as in
`numbers.py`; a line feed at the end. The API's order is the table of shapes below. Where an object is the author's own
(the JSON Schema in a tool's `parameters`, for one) its keys are sorted by name. Strings are never touched: the
`arguments` of a call stay as they were written.

A change of anything here changes digests, and so retrains every model that there is.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import chain

import msgspec

from reconciler.dataset import json_errors
from reconciler.dataset.json_errors import MAX_DEPTH, LineError
from reconciler.dataset.json_numbers import exact
from reconciler.domain.spec import Format

__all__ = ["MAX_DEPTH", "LineError", "canonical", "parse"]


class Shape(dict[str, "Shape"]):
    """The keys of an object in the API's order, each with the shape of what it holds; a list has its items' shape."""

    # Compared by identity: shapes are the constants below, and one is looked up for every object of every row.
    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


_FREE = Shape()
_FUNCTION = Shape(name=_FREE, description=_FREE, parameters=_FREE, strict=_FREE)
_CALL = Shape(name=_FREE, arguments=_FREE)
_PART = Shape(type=_FREE, text=_FREE, refusal=_FREE, image_url=Shape(url=_FREE, detail=_FREE))
_MESSAGE = Shape(
    role=_FREE,
    name=_FREE,
    content=_PART,
    refusal=_FREE,
    tool_calls=Shape(id=_FREE, type=_FREE, function=_CALL),
    function_call=_CALL,
    tool_call_id=_FREE,
    weight=_FREE,
)
_CHAT = Shape(
    messages=_MESSAGE,
    tools=Shape(type=_FREE, function=_FUNCTION),
    functions=_FUNCTION,
    function_call=_CALL,
    parallel_tool_calls=_FREE,
)
SHAPES: Mapping[Format, Shape] = {
    Format.CHAT: _CHAT,
    Format.COMPLETION: Shape(prompt=_FREE, completion=_FREE),
    Format.PREFERENCE: Shape(input=_CHAT, preferred_output=_MESSAGE, non_preferred_output=_MESSAGE),
    Format.REINFORCEMENT: _CHAT,
}

_SETTLED = frozenset({str, int, bool, type(None), Decimal})
"""What is written as it is. A float is not: it comes from Python only, and becomes the number that it shows."""

_decoder = msgspec.json.Decoder(float_hook=exact)
_encoder = msgspec.json.Encoder(decimal_format="number")

# A key of an object ends in `":`. These are the spellings in which one could hide from a count of those two bytes.
_SPACED = re.compile(rb'"[ \t\r\n]+:')
_ESCAPED = re.compile(rb"\\u00(?:22|3[aA])")


def parse(line: bytes) -> object:
    """Read one line of strict JSON.

    Shape:  str, bool, None, list, dict, and numbers as `int` or, where they are not whole, `Decimal`
    Raises: LineError for anything that is not JSON in UTF-8, says a key twice, or is nested too deep
    """
    try:
        value = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise json_errors.explain(line) from None
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        json_errors.check_depth(value)
    if _may_repeat_a_key(line, value):
        json_errors.check_keys(line)
    return value


def canonical(row: object, format: Format) -> bytes:  # noqa: A002 (the word of the field)
    """Write a row in the one way that counts, with its line feed.

    Raises: ValueError for text or a number that JSON cannot hold; what `parse` gave never does
    """
    return _encoder.encode(_settled(row, SHAPES[format])) + b"\n"


def canonical_text(value: object) -> str:
    """Write any JSON value in the same way, keys by name, to stand inside a text."""
    return _encoder.encode(_settled(value, _FREE)).decode()


def _settled(value: object, shape: Shape) -> object:
    if isinstance(value, dict):
        keys = _in_order(shape, tuple(value))
        return {
            key: inner if type(inner := value[key]) in _SETTLED else _settled(inner, shape.get(key, _FREE))
            for key in keys
        }
    if isinstance(value, list):
        return [item if type(item) in _SETTLED else _settled(item, shape) for item in value]
    return exact(repr(value)) if isinstance(value, float) else value


@lru_cache(maxsize=1024)
def _in_order(shape: Shape, keys: tuple[str, ...]) -> tuple[str, ...]:
    present = set(keys)
    return tuple(chain((key for key in shape if key in present), sorted(present.difference(shape))))


def _may_repeat_a_key(line: bytes, value: object) -> bool:
    # The decoder keeps the last of two equal keys. Written anew, a value has as many `":` as its source, or fewer when
    # a key was lost; only where the source may spell those bytes otherwise is it worth reading twice.
    if (b" :" in line or b"\t:" in line or b"\r:" in line or b"\n:" in line) and _SPACED.search(line):
        return True
    if b"\\u00" in line and _ESCAPED.search(line):
        return True
    return line.count(b'":') != _encoder.encode(value).count(b'":')
