"""The canonical line of a row. Its bytes are what is digested and what is uploaded.

Canonical means: keys in the API's own order, then by name; no spaces; UTF-8 without needless escapes; numbers as in
`strict_json.py`; a line feed at the end. The API's order is the table of shapes below. An object of the author (the
JSON Schema in a tool's `parameters`, for example) has its keys sorted by name. Strings are never changed: the
`arguments` of a call stay as they were written.

Any change here changes digests, and so retrains every model that there is.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.strict_json import parse_number
from reconciler.domain.spec import Format


class Shape(dict[str, "Shape"]):
    """The keys of an object in the API's order, each with the shape of what it holds; a list has its items' shape."""

    # Compared by identity: shapes are the constants below, and `_sort_keys` looks one up for every object of every row.
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

_WRITTEN_AS_IS = frozenset({str, int, bool, type(None), Decimal})
"""Types that are written without a change. A float comes from Python only, and becomes the number that it shows."""

_encoder = msgspec.json.Encoder(decimal_format="number")


class LineBatch(NamedTuple):
    """Canonical lines that follow each other in one file, as they are digested and uploaded.

    Shape:  `line` is the number of the first; `keys` are the xxh3_64 of each line of `text`, its line feed included
    """

    file: str
    line: int
    text: bytes
    keys: Sequence[int]


def make_batch(file: str, line: int, texts: Sequence[bytes]) -> LineBatch:
    """Return a batch of canonical lines."""
    return LineBatch(file, line, b"".join(texts), list(map(xxh3_64_intdigest, texts)))


def write_canonical_line(row: object, row_format: Format) -> bytes:
    """Return the canonical line of a row, with its line feed.

    Raises: ValueError for text or a number that JSON cannot hold; a value from `decode_json` never does
    """
    return _encoder.encode(_order_keys(row, SHAPES[row_format])) + b"\n"


def write_canonical_text(value: object) -> str:
    """Return any JSON value as canonical text, its keys sorted by name, for use inside another text."""
    return _encoder.encode(_order_keys(value, _FREE)).decode()


def _order_keys(value: object, shape: Shape) -> object:
    if isinstance(value, dict):
        keys = _sort_keys(shape, tuple(value))
        return {
            key: inner if type(inner := value[key]) in _WRITTEN_AS_IS else _order_keys(inner, shape.get(key, _FREE))
            for key in keys
        }
    if isinstance(value, list):
        return [item if type(item) in _WRITTEN_AS_IS else _order_keys(item, shape) for item in value]
    if isinstance(value, float):
        return parse_number(repr(value))
    return str(value) if isinstance(value, str) else value  # a cell that was not read is a class of its own


@lru_cache(maxsize=1024)
def _sort_keys(shape: Shape, keys: tuple[str, ...]) -> tuple[str, ...]:
    present = set(keys)
    return tuple(chain((key for key in shape if key in present), sorted(present.difference(shape))))
