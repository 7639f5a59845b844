"""What all forms need: turns, calls with ids, tools, and a way to say that a row cannot be converted."""

from collections.abc import Iterable

from reconciler.dataset.canonical import LineError, canonical_text, parse
from reconciler.dataset.row_checks.finding import Object, kind
from reconciler.domain.errors import ReconcilerError


class ConversionError(ReconcilerError):
    """A row that cannot be converted: where in the row, what is wrong, a way out."""

    def __init__(self, path: str, what: str, hint: str = "") -> None:
        self.path = path
        self.what = what
        self.hint = hint
        super().__init__(what)


class CallIds:
    """The calls of one row: gives ids where a form has none, and finds the call that an answer belongs to."""

    def __init__(self) -> None:
        self._made = 0
        self._open: list[tuple[str, str]] = []

    def make_call(self, name: object, arguments: object, path: str, call_id: object = None) -> Object:
        """Write one call of a function."""
        if not isinstance(name, str) or not name:
            raise ConversionError(path, "the call names no function", "name it, or drop the row")
        self._made += 1
        told = call_id if isinstance(call_id, str) and call_id else f"call_{self._made}"
        self._open.append((told, name))
        text = arguments if isinstance(arguments, str) else canonical_text({} if arguments is None else arguments)
        return {"id": told, "type": "function", "function": {"name": name, "arguments": text}}

    def match_answer(self, path: str, name: str | None = None) -> str:
        """Return the id of the oldest call, of the function if one is named, that has no answer yet."""
        for at, (call_id, called) in enumerate(self._open):
            if name is None or name == called:
                del self._open[at]
                return call_id
        what = "this answers no call before it" if name is None else f"`{name[:100]}` was not called before this"
        raise ConversionError(path, what, "add the call, or drop the row")


def read_objects(value: object, path: str) -> list[Object]:
    """Return a list of objects.

    Raises: ConversionError, when it is anything else
    """
    if not isinstance(value, list):
        what = "there is no such list" if value is None else f"is {kind(value)}, not a list"
        raise ConversionError(path, what, "name the form that the rows have with `from`, or drop the row")
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            raise ConversionError(f"{path}[{at}]", f"is {kind(item)}, not an object")
    return value


def read_text(value: object, path: str) -> str:
    """Return a text; null is an empty one.

    Raises: ConversionError, when it is anything else
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConversionError(path, f"is {kind(value)}, not text", "write it as text, in quotes")
    return value


def parse_json(value: object, path: str) -> object:
    """Return what a text of JSON holds; what is no text is given as it is.

    Raises: ConversionError, when the text is not JSON
    """
    if not isinstance(value, str):
        return value
    try:
        return parse(value.encode())
    except (LineError, UnicodeEncodeError):
        raise ConversionError(path, "is not JSON", "write it as JSON, or drop the row") from None


def build_tools(value: object, path: str) -> Object:
    """Return the `tools` of a row, from a list of functions or a text that holds one; nothing for none."""
    found = parse_json(value, path) if value else None
    if not found:
        return {}
    offered = read_objects(found, path)
    wrapped = [each if "function" in each else {"type": "function", "function": each} for each in offered]
    return {"tools": wrapped}


def build_row(system: object, turns: Iterable[Object], rest: Object) -> Object:
    """Return a chat row; an empty system text is none."""
    said = read_text(system, "system")
    first = [{"role": "system", "content": said}] if said else []
    return {"messages": [*first, *turns], **rest}
