"""Why a line is not strict JSON: read again, slowly, to say what is wrong and in which column."""

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from reconciler.dataset.json_numbers import exact
from reconciler.domain.errors import ReconcilerError

MAX_DEPTH = 64
"""Objects and lists within each other that a row may have; the deepest that services document is 10."""

_SINGLE_QUOTED = re.compile(r"\s*[\[{]\s*'")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class LineError(ReconcilerError):
    """A line that is not one JSON value: what is wrong, a way out, and the column it starts at.

    Shape:  `rule` is `json.syntax`, `json.duplicate-key`, `json.depth`, `json.number` or `text.encoding`
    Units:  `column` counts bytes from 1; 0 is unknown
    """

    def __init__(self, what: str, hint: str = "", column: int = 0, rule: str = "json.syntax") -> None:
        self.what = what
        self.hint = hint
        self.column = column
        self.rule = rule
        super().__init__(what)


def explain(line: bytes) -> LineError:
    """Say why a line that the fast decoder refused is not strict JSON."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return not_utf8(line, error.start)
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
        return LineError(f"not JSON: {error}"[:200], rule="json.number")
    found = _ESCAPED_SURROGATE.search(text)
    return LineError(
        "not JSON: half of a surrogate pair stands alone",
        "such an escape is no character: write both halves, or the character itself",
        _column(text, found.start()) if found else 0,
        "text.encoding",
    )


def not_utf8(line: bytes, at: int) -> LineError:
    """Say that a byte is not UTF-8, and what the text most likely is."""
    guess = "it is most likely Latin-1 or Windows-1252" if line[at] >= 0x80 else ""
    return LineError(
        f"not UTF-8: byte 0x{line[at]:02X}",
        f"{guess}: save the file as UTF-8, or give its source an `encoding`".lstrip(": "),
        at + 1,
        "text.encoding",
    )


def check_keys(line: bytes) -> None:
    """Return when no object of a line says a key twice.

    Raises: LineError that names the key
    """
    _read(line.decode())


def check_depth(value: object) -> None:
    """Return when a value is not nested too deep.

    Raises: LineError
    """
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
    json.loads(text, object_pairs_hook=_once, parse_constant=_constant, parse_float=exact)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Found in one walk: an object may have as many keys as a line has room for.
        first_at = {name: at for at, (name, _) in reversed(list(enumerate(pairs)))}
        twice = next(name for at, (name, _) in enumerate(pairs) if first_at[name] != at)
        shown = _SURROGATE.sub("?", twice)[:100]
        raise LineError(
            f"not strict JSON: the key `{shown}` stands twice in one object", "keep one", rule="json.duplicate-key"
        )
    return found


def _constant(word: str) -> NoReturn:
    raise LineError(f"not JSON: {word} is not a JSON number", "use null, or a number", rule="json.number")


def _too_deep() -> LineError:
    return LineError(
        f"nested deeper than {MAX_DEPTH} levels", "no training format is nested like this", rule="json.depth"
    )


def _reason(error: json.JSONDecodeError) -> str:
    # The end of a line is the most common place for a fault, and the least clear one in the decoder's words.
    if not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated string"):
        return "the line ends too early"
    return error.msg[0].lower() + error.msg[1:]


def _column(text: str, position: int) -> int:
    return len(text[:position].encode(errors="replace")) + 1
