"""Chat with other words: roles such as `human` and `model`, keys such as `value`, a system text beside the messages."""

from collections.abc import Iterator

from reconciler.dataset.row_checks.chat import ALIASES, ROLES
from reconciler.dataset.row_checks.finding import Object, kind
from reconciler.dataset.steps.conversion import (
    CallIds,
    ConversionError,
    build_row,
    build_tools,
    parse_json,
    read_objects,
    read_text,
)

_KEPT_OF_ROW = ("tools", "functions", "parallel_tool_calls")
_KEPT_OF_TURN = ("name", "refusal", "tool_calls", "function_call", "tool_call_id", "weight")


def normalize_chat(row: Object) -> Object:
    """Write turns with the API's roles and keys."""
    messages = read_objects(row.get("messages"), "messages")
    turns = [_chat_turn(message, f"messages[{at}]") for at, message in enumerate(messages)]
    return build_row(row.get("system"), turns, {key: row[key] for key in _KEPT_OF_ROW if row.get(key) is not None})


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


_CALLING = frozenset({"function_call", "tool_call", "function-call"})


def sharegpt_to_chat(row: Object) -> Object:
    """Write the turns with the API's roles; calls get ids by their order in the row."""
    key = "conversation" if "conversations" not in row and "conversation" in row else "conversations"
    turns, calls = read_objects(row.get(key), key), CallIds()
    messages = [_sharegpt_turn(turn, calls, f"{key}[{at}]") for at, turn in enumerate(turns)]
    return build_row(row.get("system"), messages, build_tools(row.get("tools"), "tools"))


def _sharegpt_turn(turn: Object, calls: CallIds, path: str) -> Object:
    said, word = read_content(turn), turn.get("from", turn.get("role"))
    if isinstance(word, str) and word.strip().lower() in _CALLING:
        return {"role": "assistant", "content": None, "tool_calls": _sharegpt_calls(said, calls, f"{path}.value")}
    role = read_role(turn, path)
    if role in ("tool", "function"):
        answer = calls.match_answer(path)
        return {"role": "tool", "content": read_text(said, f"{path}.value"), "tool_call_id": answer}
    weight = {"weight": turn["weight"]} if "weight" in turn and role == "assistant" else {}
    return {"role": role, "content": read_text(said, f"{path}.value"), **weight}


def _sharegpt_calls(said: object, calls: CallIds, path: str) -> list[Object]:
    found = parse_json(said, path)
    several = found if isinstance(found, list) and found else [found]
    made = []
    for call in several:
        if not isinstance(call, dict):
            raise ConversionError(path, f"the call is {kind(call)}, not an object", "write {name, arguments}")
        made.append(calls.make_call(call.get("name"), call.get("arguments"), path))
    return made


def alpaca_to_chat(row: Object) -> Object:
    """Make instruction and input the user's turn, an empty line between them, and the output the assistant's."""
    for key in ("instruction", "output"):
        if key not in row:
            raise ConversionError(key, f"there is no `{key}`", "rename the column that it is in, or drop the row")
    asked = [read_text(row.get(key), key) for key in ("instruction", "input")]
    turns: list[Object] = [
        *_history_turns(row.get("history")),
        {"role": "user", "content": "\n\n".join(part for part in asked if part)},
        {"role": "assistant", "content": read_text(row["output"], "output")},
    ]
    return build_row(row.get("system"), turns, {})


def _history_turns(found: object) -> Iterator[Object]:
    for at, exchange in enumerate(found if isinstance(found, list) else []):
        path = f"history[{at}]"
        if not isinstance(exchange, list) or len(exchange) != 2:
            raise ConversionError(path, "is no pair of a question and an answer")
        yield {"role": "user", "content": read_text(exchange[0], f"{path}[0]")}
        yield {"role": "assistant", "content": read_text(exchange[1], f"{path}[1]")}


_BEFORE = (["user"], ["system", "user"], ["developer", "user"])


def pair_to_chat(row: Object) -> Object:
    """Make the prompt the user's turn and the completion the assistant's, as they are written."""
    for key in ("prompt", "completion"):
        if key not in row:
            raise ConversionError(key, f"there is no `{key}`", "rename the column that it is in, or drop the row")
    turns: list[Object] = [
        {"role": "user", "content": read_text(row["prompt"], "prompt")},
        {"role": "assistant", "content": read_text(row["completion"], "completion")},
    ]
    return build_row(row.get("system"), turns, {})


def chat_to_pair(row: Object) -> Object:
    """Make one exchange a pair: the system text and the user's, an empty line between them, and the answer."""
    messages = read_objects(row.get("messages"), "messages")
    roles = [message.get("role") for message in messages]
    if roles[:-1] not in _BEFORE or roles[-1] != "assistant":
        hint = "keep it as chat, or drop the row"
        raise ConversionError("messages", f"{len(roles)} turns are no single question and answer", hint)
    if row.keys() & {"tools", "functions"} or any(message.keys() - {"role", "content"} for message in messages):
        raise ConversionError("messages", "a pair holds nothing but text", "keep it as chat, or drop the row")
    said = [read_text(message.get("content"), f"messages[{at}].content") for at, message in enumerate(messages)]
    return {"prompt": "\n\n".join(said[:-1]), "completion": said[-1]}
