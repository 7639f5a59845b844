"""What all forms of chat rows need: turns, calls with ids, tools, and the error of a row that cannot be converted."""

from collections.abc import Callable, Collection, Iterable

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.row_checks import ALIASES, ROLES, JsonObject, describe_value
from reconciler.dataset.steps.cells import is_empty
from reconciler.dataset.strict_json import LineError, decode_json
from reconciler.domain.errors import ReconcilerError


class ConversionError(ReconcilerError):
    """A row that cannot be converted: where in the row, what is wrong, a way out."""

    def __init__(self, path: str, what: str, hint: str = "") -> None:
        self.path = path
        self.what = what
        self.hint = hint
        super().__init__(what)


ROLE_KEYS = ("role", "from", "author")
"""The keys under which turns say who speaks."""

NoteUnread = Callable[[JsonObject, Collection[str], str], None]
"""Receives an object of a row, the keys that a conversion reads of it, and the path of the object."""


def note_nothing(_holder: JsonObject, _known: Collection[str], _path: str = "") -> None:
    """Do nothing."""


class CallIds:
    """The calls of one row: sets ids where a form has none, and finds the call that a result belongs to."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []

    def make_call(self, name: object, arguments: object, path: str, call_id: object = None) -> JsonObject:
        """Return the call of a function, as a chat row holds it."""
        if not isinstance(name, str) or not name:
            raise ConversionError(path, "the call has no function name", "add the name, or drop the row")
        self._count += 1
        known_id = call_id if isinstance(call_id, str) and call_id else f"call_{self._count}"
        self._open.append((known_id, name))
        text = arguments if isinstance(arguments, str) else write_canonical_text({} if arguments is None else arguments)
        return {"id": known_id, "type": "function", "function": {"name": name, "arguments": text}}

    def match_result(self, path: str, name: str | None = None) -> str:
        """Return the id of the oldest call without a result; of the function `name`, where one is given."""
        for at, (call_id, function) in enumerate(self._open):
            if name is None or name == function:
                del self._open[at]
                return call_id
        what = "no call comes before this result" if name is None else f"no call of `{name[:100]}` comes before this"
        raise ConversionError(path, what, "add the call, or drop the row")


def require_keys(row: JsonObject, *keys: str) -> None:
    """Raise ConversionError for the first key that a row lacks."""
    for key in keys:
        if key not in row:
            raise ConversionError(key, f"there is no `{key}`", "rename the column that holds it, or drop the row")


def read_objects(value: object, path: str) -> list[JsonObject]:
    """Return a value that is a list of objects.

    Raises: ConversionError, when it is anything else
    """
    if not isinstance(value, list):
        what = "is missing, and must be a list" if value is None else f"is {describe_value(value)}, not a list"
        raise ConversionError(path, what, "set `from` to the form that the rows have, or drop the row")
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            raise ConversionError(f"{path}[{at}]", f"is {describe_value(item)}, not an object")
    return value


def read_text(value: object, path: str) -> str:
    """Return a value that is text; null is an empty text.

    Raises: ConversionError, when it is anything else
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConversionError(path, f"is {describe_value(value)}, not text", "write it as text, in quotes")
    return str(value)


def find_keys(turn: JsonObject, names: Collection[str]) -> list[str]:
    """Return the key of a turn that has the first of some names, in any case; none where it has none of them.

    Shape:  of several keys for one thing, the first is read
    """
    exact = next((name for name in names if name in turn), None)
    if exact is not None:
        return [exact]
    by_name = {key.lower(): key for key in reversed(list(turn))}
    return [by_name[name] for name in names if name in by_name][:1]


def read_role(turn: JsonObject, path: str) -> str:
    """Return the API's role of a turn, whichever key and word the turn has for it."""
    word = next((turn[key] for key in find_keys(turn, ROLE_KEYS)), None)
    if not isinstance(word, str):
        raise ConversionError(f"{path}.role", f"is {describe_value(word)}, not text", "name the role of the speaker")
    plain = word.strip().lower()
    role = plain if plain in ROLES else ALIASES.get(plain)
    if role is None:
        raise ConversionError(f"{path}.role", f"`{word[:100]}` is an unknown role", "rename it, or drop the row")
    return role


def parse_json(value: object, path: str) -> object:
    """Return what a text of JSON holds; return a value that is not text unchanged.

    Raises: ConversionError, when the text is not JSON
    """
    if not isinstance(value, str):
        return value
    try:
        return decode_json(value.encode())
    except (LineError, UnicodeEncodeError):
        raise ConversionError(path, "is not JSON", "write it as JSON, or drop the row") from None


def build_tools(value: object, path: str) -> JsonObject:
    """Return the `tools` of a row, from a list of functions or a text that holds one; empty where there are none."""
    offered = None if is_empty(value) else parse_json(value, path)
    if is_empty(offered):
        return {}
    functions = read_objects(offered, path)
    return {"tools": [each if "function" in each else {"type": "function", "function": each} for each in functions]}


def build_turn(role: str, parts: list[JsonObject], calls: list[JsonObject]) -> list[JsonObject]:
    """Return the turn of some parts and calls, text alone as one text; no turn where there are neither."""
    if not parts and not calls:
        return []
    only_text = all(part["type"] == "text" for part in parts)
    content: object = "".join(str(part["text"]) for part in parts) if only_text else parts
    return [{"role": role, "content": content or None, **({"tool_calls": calls} if calls else {})}]


def build_row(system: object, turns: Iterable[JsonObject], rest: JsonObject) -> JsonObject:
    """Return a chat row; an empty system text makes no turn."""
    text = read_text(system, "system")
    first = [{"role": "system", "content": text}] if text else []
    return {"messages": [*first, *turns], **rest}
