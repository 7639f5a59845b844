"""Checks of chat rows: turns, roles and what each may hold.

Source: OpenAI supervised fine-tuning guide; the OpenAI cookbook's "Data preparation and analysis for chat model
        fine-tuning"; `FineTuneChatRequestInput` in OpenAI's published API description
"""

import re
from collections.abc import Iterator

from reconciler.dataset.row_checks import content, tools
from reconciler.dataset.row_checks.finding import JsonObject, RowFinding, describe_value, find_unknown_keys
from reconciler.domain.errors import Severity
from reconciler.foundation.text import did_you_mean, list_words

ROLES = ("system", "developer", "user", "assistant", "tool", "function")

MAX_NAME = 64
"""Characters of the name of a speaker (OpenAI chat reference)."""

_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{MAX_NAME}}}")
_ROW_KEYS = ("messages", "tools", "functions", "parallel_tool_calls")
_MESSAGE_KEYS = ("role", "name", "content", "refusal", "tool_calls", "function_call", "tool_call_id", "weight")
_MESSAGE_KEY_SET = frozenset(_MESSAGE_KEYS)
_DUMPED = frozenset({"audio", "annotations", "parsed"})
"""Keys that the SDK writes into every answer, with nothing in them."""
_PLAIN = frozenset({"system", "developer", "user", "assistant"})

ALIASES = {
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "chatgpt": "assistant",
    "completion": "assistant",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "function",
    "instruction": "system",
}
_WRITE_WEIGHTS = "`turn_weight: {key: weight}`"
_ROW_HINTS = {
    "function_call": "this key belongs to a message",
    "tool_choice": "leave it out: training does not read it",
}
_MESSAGE_HINTS = {"from": "name it `role`", "value": "name it `content`", "text": "name it `content`"}


def check_chat(row: JsonObject) -> Iterator[RowFinding]:
    """Yield everything that is wrong with a chat row."""
    messages = row.get("messages")
    if len(row) == 1 and isinstance(messages, list) and _is_plain(messages):
        return
    if len(row) > 1 or "messages" not in row:
        yield from find_unknown_keys(row, _ROW_KEYS, "chat.unknown-key", "", _ROW_HINTS)
    if not isinstance(messages, list) or not messages:
        what = f"is {describe_value(messages)}, not a list of turns" if "messages" in row else "there is no `messages`"
        yield RowFinding("chat.messages", "messages", what, "a list of turns: [{role, content}, …]")
        return
    yield from check_conversation(row, messages)
    turns = [message for message in messages if isinstance(message, dict)]
    if len(turns) == len(messages):
        yield from _check_turns(turns)


def check_conversation(row: JsonObject, messages: list[object], *, has_column: bool = True) -> Iterator[RowFinding]:
    """Yield what is wrong with the tools and turns of a row, whatever role the last turn has.

    Shape:  `has_column` is false where the turns stand inside a column, so that no step drops rows by them
    """
    yield from tools.check_definitions(row)
    is_empty = content.has_empty_end(messages)
    for at, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        drop = f"drop_empty_turns: [{role}]" if role in ("user", "assistant") else ""
        if is_empty:
            drop = "drop_empty: [messages]" if has_column else ""
        yield from check_message(message, f"messages[{at}]", drop)
    yield from tools.check_calls(row, messages)
    yield from content.check_images(messages)


def _is_plain(messages: list[object]) -> bool:
    # Nearly every row of nearly every dataset: texts by system, user and assistant, the last by the assistant.
    user = False
    role: object = None
    for message in messages:
        if not isinstance(message, dict) or len(message) != 2:
            return False
        role, text = message.get("role"), message.get("content")
        if not isinstance(text, str) or not text or text.isspace() or not isinstance(role, str) or role not in _PLAIN:
            return False
        user = user or role == "user"
    return user and role == "assistant"


def check_message(message: object, path: str, drop: str = "") -> Iterator[RowFinding]:
    """Yield everything that is wrong with one turn; `drop` is the step that mends one without content."""
    if not isinstance(message, dict):
        yield RowFinding(
            "chat.message", path, f"is {describe_value(message)}, not an object", "write each turn as {role, content}"
        )
        return
    if not message.keys() <= _MESSAGE_KEY_SET:
        known = {key: value for key, value in message.items() if value not in (None, []) or key not in _DUMPED}
        yield from find_unknown_keys(known, _MESSAGE_KEYS, "chat.unknown-key", path, _MESSAGE_HINTS)
    yield from _check_role(message, f"{path}.role")
    yield from content.check_content(message, path, drop)
    yield from _check_weight(message, f"{path}.weight")
    # The dump of an SDK has null where there is no name.
    name = "" if message.get("name") is None else message["name"]
    if not isinstance(name, str):
        yield RowFinding(
            "chat.name", f"{path}.name", f"is {describe_value(name)}, not text", "leave it out where there is none"
        )
    elif not name and message.get("role") == "function":
        yield RowFinding("chat.name", f"{path}.name", "there is no `name`", "name the function that gave this result")
    elif name and not _NAME.fullmatch(name):
        what = f"has characters that services refuse, or more than {MAX_NAME} (OpenAI chat reference)"
        yield RowFinding("chat.name", f"{path}.name", what, "letters, digits, underscores and dashes", Severity.WARNING)


def _check_role(message: JsonObject, path: str) -> Iterator[RowFinding]:
    role = message.get("role")
    if role in ROLES:
        return
    if not isinstance(role, str):
        what = f"is {describe_value(role)}, not text" if "role" in message else "there is no `role`"
        yield RowFinding("chat.role", path, what, f"one of {list_words(ROLES)}")
        return
    alias = ALIASES.get(role.strip().lower())
    hint = f"did you mean `{alias}`?" if alias else did_you_mean(role, ROLES) or f"one of {list_words(ROLES)}"
    yield RowFinding("chat.role", path, f"`{role[:100]}` is not a role", hint)


def _check_weight(message: JsonObject, path: str) -> Iterator[RowFinding]:
    if "weight" not in message:
        return
    weight = message["weight"]
    if message.get("role") != "assistant":
        hint = "leave it out there" if _says_on_or_off(weight) is not False else f"leave it out: {_WRITE_WEIGHTS}"
        yield RowFinding("chat.weight", path, "only the assistant's turns have a weight", hint)
    elif isinstance(weight, bool) or weight not in (0, 1):
        yield RowFinding(
            "chat.weight",
            path,
            f"is {describe_value(weight)}, not 0 or 1",
            "0 leaves a turn out of training, 1 trains on it"
            + (f": {_WRITE_WEIGHTS}" if _says_on_or_off(weight) is not None else ""),
        )


def _says_on_or_off(weight: object) -> bool | None:
    # As the step `turn_weight` reads it; None where it reads neither.
    word = str(weight).lower() if isinstance(weight, bool | int | str) else ""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(word)


def _check_turns(turns: list[JsonObject]) -> Iterator[RowFinding]:
    answers = [turn for turn in turns if turn.get("role") == "assistant"]
    if not answers:
        hint = (
            "add the answer that the model should learn, or drop the row; where `drop_empty_turns` took it out because "
        )
        hint += "it was empty, put the step `drop_empty: [messages]` before that one"
        yield RowFinding("chat.no-assistant", "messages", "no turn is the assistant's", hint)
    elif turns[-1].get("role") != "assistant":
        hint = "drop the row, or add the answer that the model should learn"
        yield RowFinding("chat.last-turn", "messages", "the last turn must be the assistant's", hint)
    if answers and all(not isinstance(turn.get("weight"), bool) and turn.get("weight") == 0 for turn in answers):
        yield RowFinding(
            "chat.weight", "messages", "every answer has the weight 0, so the model learns nothing", "drop the row"
        )
    if answers and not any(turn.get("role") == "user" for turn in turns):
        yield RowFinding("chat.no-user", "messages", "no turn is the user's", "", Severity.WARNING)
