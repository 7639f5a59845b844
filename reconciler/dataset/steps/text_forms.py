"""Forms whose turns are plain texts: chat with other words, ShareGPT, Alpaca, Dolly, and a prompt with a completion.

Source: FastChat's data (ShareGPT), the Stanford Alpaca data, and LLaMA-Factory's description of both forms
"""

from collections.abc import Iterator

from reconciler.dataset.recognise import COHERE_ANSWERS
from reconciler.dataset.row_checks import ALIASES, JsonObject, describe_value
from reconciler.dataset.steps.conversion import (
    ROLE_KEYS,
    CallIds,
    ConversionError,
    NoteUnread,
    build_row,
    build_tools,
    find_keys,
    parse_json,
    read_objects,
    read_role,
    read_text,
    require_keys,
)

_ROW_KEYS = ("tools", "functions", "parallel_tool_calls")
_TURN_KEYS = ("name", "refusal", "tool_calls", "function_call", "tool_call_id", "weight")
_PARTS = ("text", "image_url")
_CALL_ROLES = frozenset({"function_call", "tool_call", "function-call"})
_CONTENT_KEYS = ("content", "value", "text")
_ROLES_BEFORE_ANSWER = (["user"], ["system", "user"], ["developer", "user"])


def normalize_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat with the API's roles and keys, from roles such as `human` and keys such as `value`."""
    note(row, ("messages", "system", *_ROW_KEYS), "")
    turns = normalize_turns(row.get("messages"), "messages", note)
    return build_row(row.get("system"), turns, {key: row[key] for key in _ROW_KEYS if row.get(key) is not None})


def normalize_turns(messages: object, path: str, note: NoteUnread) -> list[JsonObject]:
    """Return turns with the API's roles and keys."""
    return [
        _normalize_turn(message, f"{path}[{at}]", f"{path}[]", note)
        for at, message in enumerate(read_objects(messages, path))
    ]


def _normalize_turn(message: JsonObject, path: str, every: str, note: NoteUnread) -> JsonObject:
    note(message, (*_TURN_KEYS, *find_keys(message, ROLE_KEYS), *find_keys(message, _CONTENT_KEYS)), every)
    rest = {key: message[key] for key in _TURN_KEYS if message.get(key) is not None}
    return {"role": read_role(message, path), "content": _read_content(message), **rest}


def _read_content(turn: JsonObject) -> object:
    return next((turn[key] for key in find_keys(turn, _CONTENT_KEYS)), None)


def sharegpt_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from `conversations` of {from, value}; calls get ids by their order in the row.

    Shape:  an item of `input` and `output`, as XTuner has them, is a question and its answer; the first may have a
            `system`
    """
    key = "conversation" if "conversations" not in row and "conversation" in row else "conversations"
    note(row, (key, "system", "tools"), "")
    turns, calls = read_objects(row.get(key), key), CallIds()
    if turns and all({"input", "output"} <= turn.keys() for turn in turns):
        return _exchanges_to_chat(row, turns, key, note)
    for turn in turns:
        word = next((turn[name] for name in find_keys(turn, ROLE_KEYS)), None)
        weighted = ("weight",) if isinstance(word, str) and _is_answer(word) else ()
        note(turn, (*find_keys(turn, ROLE_KEYS), *find_keys(turn, _CONTENT_KEYS), *weighted), f"{key}[]")
    messages = [_sharegpt_turn(turn, calls, f"{key}[{at}]") for at, turn in enumerate(turns)]
    return build_row(row.get("system"), messages, build_tools(row.get("tools"), "tools"))


def _exchanges_to_chat(row: JsonObject, exchanges: list[JsonObject], key: str, note: NoteUnread) -> JsonObject:
    system, messages = read_text(row.get("system"), "system"), list[JsonObject]()
    for at, each in enumerate(exchanges):
        path = f"{key}[{at}]"
        note(each, ("system", "input", "output"), f"{key}[]")
        stated = read_text(each.get("system"), f"{path}.system")
        if stated and stated != system and (messages or system):
            what = "is another system text than the one before it, and a row has one"
            raise ConversionError(f"{path}.system", what, "make a row of each, or drop the row")
        system = system or stated
        asked, answer = read_text(each["input"], f"{path}.input"), read_text(each["output"], f"{path}.output")
        messages += [turn for turn in _exchange(asked, answer) if turn["content"] or turn["role"] == "assistant"]
    return build_row(system, messages, build_tools(row.get("tools"), "tools"))


def _is_answer(word: str) -> bool:
    plain = word.strip().lower()
    return plain in _CALL_ROLES or ALIASES.get(plain, plain) == "assistant"


def _sharegpt_turn(turn: JsonObject, calls: CallIds, path: str) -> JsonObject:
    content, word = _read_content(turn), next((turn[key] for key in find_keys(turn, ROLE_KEYS)), None)
    if isinstance(word, str) and word.strip().lower() in _CALL_ROLES:
        made = _sharegpt_calls(content, calls, f"{path}.value")
        weight = {"weight": turn["weight"]} if "weight" in turn else {}
        return {"role": "assistant", "content": None, "tool_calls": made, **weight}
    role = read_role(turn, path)
    if role in ("tool", "function"):
        call_id = calls.match_result(path)
        return {"role": "tool", "content": read_text(content, f"{path}.value"), "tool_call_id": call_id}
    weight = {"weight": turn["weight"]} if "weight" in turn and role == "assistant" else {}
    return {"role": role, "content": content if _are_parts(content) else read_text(content, f"{path}.value"), **weight}


def _are_parts(content: object) -> bool:
    # The API's parts, as the step `place_images` makes them of a text.
    parts = content if isinstance(content, list) else []
    return bool(parts) and all(isinstance(part, dict) and part.get("type") in _PARTS for part in parts)


def _sharegpt_calls(content: object, calls: CallIds, path: str) -> list[JsonObject]:
    value = parse_json(content, path)
    made = []
    for call in value if isinstance(value, list) and value else [value]:
        if not isinstance(call, dict):
            raise ConversionError(path, f"the call is {describe_value(call)}, not an object", "write {name, arguments}")
        made.append(calls.make_call(call.get("name"), call.get("arguments"), path))
    return made


def alpaca_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from an instruction, an optional input, and an output.

    Shape:  instruction and input become the user's turn, with an empty line between them
    """
    require_keys(row, "instruction", "output")
    note(row, ("instruction", "input", "output", "system", "history"), "")
    turns = [
        *read_history(row.get("history")),
        *_exchange(join_texts(row, "instruction", "input"), read_text(row["output"], "output")),
    ]
    return build_row(row.get("system"), turns, {})


def dolly_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from an instruction, an optional context, and a response.

    Shape:  context and instruction become the user's turn, with an empty line between them
    """
    require_keys(row, "instruction", "response")
    note(row, ("instruction", "context", "response", "system"), "")
    asked = join_texts(row, "context", "instruction")
    return build_row(row.get("system"), _exchange(asked, read_text(row["response"], "response")), {})


def cohere_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from earlier turns in `chat_history`, the question in `message`, and the answer beside it."""
    require_keys(row, "chat_history", "message")
    answer = next((key for key in COHERE_ANSWERS if row.get(key)), None)
    if answer is None:
        raise ConversionError("", "there is no answer to `message`", "add it as the key `response`, or drop the row")
    note(row, ("chat_history", "message", "preamble", answer), "")
    turns: list[JsonObject] = []
    for at, turn in enumerate(read_objects(row["chat_history"], "chat_history")):
        path = f"chat_history[{at}]"
        note(turn, ("role", "message"), "chat_history[]")
        turns.append({"role": read_role(turn, path), "content": read_text(turn.get("message"), f"{path}.message")})
    turns += _exchange(read_text(row["message"], "message"), read_text(row[answer], answer))
    return build_row(row.get("preamble"), turns, {})


def join_texts(row: JsonObject, *keys: str) -> str:
    """Return the texts of some keys that are not empty, with an empty line between them."""
    return "\n\n".join(text for key in keys if (text := read_text(row.get(key), key)))


def read_history(history: object) -> Iterator[JsonObject]:
    """Yield the turns of earlier exchanges, each a list of a question and an answer."""
    if history is not None and not isinstance(history, list):
        raise ConversionError("history", f"is {describe_value(history)}, not a list", "write a list of exchanges")
    for at, exchange in enumerate(history or []):
        path = f"history[{at}]"
        if not isinstance(exchange, list) or len(exchange) != 2:
            raise ConversionError(path, "must be a list of a question and an answer")
        yield from _exchange(read_text(exchange[0], f"{path}[0]"), read_text(exchange[1], f"{path}[1]"))


def _exchange(question: str, answer: str) -> list[JsonObject]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def pair_to_chat(row: JsonObject, note: NoteUnread) -> JsonObject:
    """Return chat from a prompt, which becomes the user's turn, and a completion, which becomes the assistant's."""
    require_keys(row, "prompt", "completion")
    note(row, ("prompt", "completion", "system"), "")
    if isinstance(row["prompt"], list) and isinstance(row["completion"], list):
        turns = [turn for key in ("prompt", "completion") for turn in normalize_turns(row[key], key, note)]
        return build_row(row.get("system"), turns, {})
    turns = _exchange(read_text(row["prompt"], "prompt"), read_text(row["completion"], "completion"))
    return build_row(row.get("system"), turns, {})


def chat_to_pair(row: JsonObject) -> JsonObject:
    """Return a prompt and a completion from chat of one exchange; a longer conversation is not cut to fit.

    Shape:  the system text and the user's become the prompt, with an empty line between them
    """
    messages = read_objects(row.get("messages"), "messages")
    roles = [message.get("role") for message in messages]
    hint = "keep it as chat, or drop the row"
    if roles[:-1] not in _ROLES_BEFORE_ANSWER or roles[-1] != "assistant":
        raise ConversionError("messages", f"{len(roles)} turns are not one question and one answer", hint)
    if row.keys() & {"tools", "functions"} or any(message.keys() - {"role", "content"} for message in messages):
        raise ConversionError("messages", "a prompt and a completion hold text only", hint)
    texts = [read_text(message.get("content"), f"messages[{at}].content") for at, message in enumerate(messages)]
    return {"prompt": "\n\n".join(texts[:-1]), "completion": texts[-1]}
