"""Chat with other words: roles such as `human` and `model`, keys such as `value`, a system text beside the messages."""

from reconciler.dataset.row_checks.chat import ALIASES, ROLES
from reconciler.dataset.row_checks.finding import Object, kind
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import ConversionError

_KEPT_OF_ROW = ("tools", "functions", "parallel_tool_calls")
_KEPT_OF_TURN = ("name", "refusal", "tool_calls", "function_call", "tool_call_id", "weight")


def normalize_chat(row: Object) -> Object:
    """Write turns with the API's roles and keys."""
    messages = builders.read_objects(row.get("messages"), "messages")
    turns = [_chat_turn(message, f"messages[{at}]") for at, message in enumerate(messages)]
    return builders.build_row(
        row.get("system"), turns, {key: row[key] for key in _KEPT_OF_ROW if row.get(key) is not None}
    )


def read_role(turn: Object, path: str) -> str:
    """Return the API's word for who speaks."""
    word = next((turn[key] for key in ("role", "from", "author") if key in turn), None)
    if not isinstance(word, str):
        raise ConversionError(f"{path}.role", f"is {kind(word)}, not text", "say who speaks")
    plain = word.strip().lower()
    role = plain if plain in ROLES else ALIASES.get(plain)
    if role is None:
        raise ConversionError(f"{path}.role", f"`{word[:100]}` is no role that is known", "rename it, or drop the row")
    return role


def read_content(turn: Object) -> object:
    """Return what is said, whatever the key is called."""
    return next((turn[key] for key in ("content", "value", "text") if key in turn), None)


def _chat_turn(message: Object, path: str) -> Object:
    kept = {key: message[key] for key in _KEPT_OF_TURN if message.get(key) is not None}
    return {"role": read_role(message, path), "content": read_content(message), **kept}
