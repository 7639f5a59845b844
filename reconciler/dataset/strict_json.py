"""Strict JSON: one line becomes one value, or an error that names the fault and its column.

Numbers are exact. A whole number becomes an `int`, however the source wrote it (`1`, `1.0`, `10e-1`). Any other number
becomes a `Decimal` of its significant digits (`0.1`, `1E-7`). No binary float stands between, so no digit is lost.

The fast decoder reads each line. A line that it refuses is read again by Python's decoder, which says what is wrong.
"""

import json
import re
from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import NoReturn

import msgspec

from reconciler.domain.errors import ReconcilerError

MAX_DEPTH = 64
"""How deep objects and lists of a row may be nested; the deepest that services document is 10."""

MOST_VALUES = 1_000_000
"""Values of a row. Commas within texts count too: a text of four million words has fewer."""

MOST_DIGITS = 1000
"""Digits of a number, written out, that are read; no service keeps more than a hundredth of them."""

_ENCODING_BYTES = 32 << 10
"""Bytes around the first that is not UTF-8 which show the encoding of a line."""

_EXACT = Context(prec=2 * MOST_DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)

_SINGLE_QUOTED = re.compile(r"\s*[\[{]\s*'")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# A key of an object ends in `":`. These are the spellings in which one could hide from a count of those two bytes.
_SPACED = re.compile(rb'"[ \t\r\n]+:')
_ESCAPED = re.compile(rb"\\u00(?:22|3[aA])")


class LineError(ReconcilerError):
    """A line that is not one JSON value: what is wrong, a way out, and the column it starts at.

    Shape:  `rule` is `json.syntax`, `json.duplicate-key`, `json.depth`, `json.number`, `json.values` or
            `text.encoding`
    Units:  `column` counts bytes from 1; 0 is unknown
    """

    def __init__(self, what: str, hint: str = "", column: int = 0, rule: str = "json.syntax") -> None:
        self.what = what
        self.hint = hint
        self.column = column
        self.rule = rule
        super().__init__(what)


class NotUtf8Error(LineError):
    """A line that is not UTF-8; `head` is what shows the encoding that it has."""

    def __init__(self, what: str, column: int, head: bytes) -> None:
        self.head = head
        super().__init__(what, "save the file as UTF-8", column, "text.encoding")


def decode_json(line: bytes) -> object:
    """Read one line of strict JSON.

    Shape:  str, bool, None, list, dict, and numbers as `int` or, where they are not whole, `Decimal`
    Raises: LineError for anything that is not JSON in UTF-8, has a key twice in one object, or is nested too deep
    """
    if len(line) > MOST_VALUES and count_values(line) > MOST_VALUES:
        what, hint = f"the row has more than {MOST_VALUES:,} values", "split it: no service takes a row of that size"
        raise LineError(what, hint, rule="json.values")
    try:
        value = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _explain_error(line) from None
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    if _may_repeat_a_key(line, value):
        _check_keys(line)
    return value


def count_values(text: bytes) -> int:
    """Return how many values a JSON text can have at most. Each takes sixty bytes and more when it is read."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def parse_number(text: str) -> int | Decimal:
    """Read a JSON number.

    Raises: ValueError when it is too long, too large or too small to be meant
    """
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or (value and abs(value.adjusted()) >= MOST_DIGITS):
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    return int(value) if value == value.to_integral_value(context=_EXACT) else value.normalize(_EXACT)


def _explain_error(line: bytes) -> LineError:
    """Return why a line that the fast decoder refused is not strict JSON."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return encoding_error(line, error.start)
    try:
        _read(text)
    except LineError as error:
        return error
    except json.JSONDecodeError as error:
        hint = "JSON takes double quotes only" if _SINGLE_QUOTED.match(text) else ""
        return LineError(f"not JSON: {_reason(error)}", hint, _column(text, error.pos))
    except RecursionError:
        return _too_deep()
    except ValueError as error:
        # Python reads no integer of more than some thousand digits, and names its own settings.
        what = "a number has too many digits" if "int_max_str_digits" in str(error) else f"not JSON: {error}"[:200]
        return LineError(what, "write it as text, in quotes", rule="json.number")
    found = _ESCAPED_SURROGATE.search(text)
    return LineError(
        "not JSON: half of a surrogate pair is missing",
        "write both halves of the pair, or the character itself",
        _column(text, found.start()) if found else 0,
        "text.encoding",
    )


def encoding_error(line: bytes, at: int) -> NotUtf8Error:
    """Return the error of a byte that is not UTF-8."""
    start = max(0, at - _ENCODING_BYTES // 2)
    return NotUtf8Error(f"not UTF-8: byte 0x{line[at]:02X}", at + 1, line[start : start + _ENCODING_BYTES])


def _may_repeat_a_key(line: bytes, value: object) -> bool:
    # The decoder keeps the last of two equal keys. When a value is written again, it has as many `":` as its source, or
    # fewer when a key was lost. A second reading is needed only where the source may spell those bytes otherwise.
    if (b" :" in line or b"\t:" in line or b"\r:" in line or b"\n:" in line) and _SPACED.search(line):
        return True
    if b"\\u00" in line and _ESCAPED.search(line):
        return True
    return line.count(b'":') != _encoder.encode(value).count(b'":')


def _check_keys(line: bytes) -> None:
    # Raises LineError when an object of the line has a key twice.
    _read(line.decode())


def _check_depth(value: object) -> None:
    # Raises LineError when the value is nested too deep.
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _too_deep()


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict | list))


def _read(text: str) -> None:
    json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse_constant, parse_float=parse_number)


def _build_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # One pass finds it: an object may have as many keys as fit into a line.
        first_at = {name: at for at, (name, _) in reversed(list(enumerate(pairs)))}
        twice = next(name for at, (name, _) in enumerate(pairs) if first_at[name] != at)
        shown = _SURROGATE.sub("?", twice)[:100]
        raise LineError(
            f"not strict JSON: the key `{shown}` occurs twice in one object", "keep one", rule="json.duplicate-key"
        )
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise LineError(f"not JSON: {word} is not a JSON number", "use null, or a number", rule="json.number")


def _too_deep() -> LineError:
    return LineError(
        f"nested deeper than {MAX_DEPTH} levels", "no training format is nested this deep", rule="json.depth"
    )


def _reason(error: json.JSONDecodeError) -> str:
    # Most faults are at the end of a line, and there the decoder's message is least clear.
    if not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated string"):
        return "the line ends too early"
    return error.msg[0].lower() + error.msg[1:]


def _column(text: str, position: int) -> int:
    return len(text[:position].encode(errors="replace")) + 1


_decoder = msgspec.json.Decoder(float_hook=parse_number)
_encoder = msgspec.json.Encoder(decimal_format="number")
