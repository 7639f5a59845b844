"""The form of one row, by its keys and by what they hold.

The order of the questions matters: what says more about training is asked first. Pairs of answers and judgements come
before the form that they are written in, because a row of chat with a `rejected` answer is no example to learn from.

Source: the data formats that OpenAI, Anthropic, Amazon Bedrock, Google, Cohere and Mistral document for fine-tuning,
        and those of TRL, LLaMA-Factory, Axolotl and ms-swift
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from reconciler.dataset.hints import (
    CLASSES,
    COMPLETIONS,
    CONTEXTS,
    IMAGES,
    PROMPTS,
    TURN_WEIGHTS,
    WINNERS,
    find_named,
    find_pair,
    find_sides,
    plain_name,
    read_judgement,
    says_judgement,
    says_rejected,
)
from reconciler.dataset.row_checks import ALIASES, API_KEYS, ROLES, JsonObject
from reconciler.domain.spec import Format


class RowForm(StrEnum):
    """A form that rows are written in, by its name for people."""

    CHAT = "chat"
    COMPLETION = "prompts and completions"
    PREFERENCE = "preference rows"
    REINFORCEMENT = "rows for a grader"
    QUESTIONS = "chat without answers"
    PAIRS = "preference pairs"
    COMPARED = "pairs of answers with a winner"
    LABELED = "unpaired preferences, as for KTO"
    JUDGED = "answers beside a judgement of them"
    IMAGES = "chat with images beside it"
    WEIGHTED = "chat with a training weight on each turn"
    CALLS = "chat with calls as another service writes them"
    CHAT_WORDS = "chat with other words for its roles and keys"
    ANTHROPIC = "Anthropic's messages"
    BEDROCK = "Amazon Bedrock's conversations"
    SHAREGPT = "ShareGPT conversations"
    VERTEX = "Google's contents and parts"
    COHERE = "Cohere's chat history"
    OASST = "OpenAssistant's messages, one in a row"
    OASST_TREE = "OpenAssistant's trees of messages"
    ALPACA = "Alpaca's instructions"
    DOLLY = "Dolly's instructions"
    CONTEXT = "questions with a context"
    TURN_PAIRS = "prompts and completions as lists of turns"
    TABLE = "a question and an answer"
    TEXT = "plain text"


API_FORMS = {
    RowForm.CHAT: Format.CHAT,
    RowForm.COMPLETION: Format.COMPLETION,
    RowForm.PREFERENCE: Format.PREFERENCE,
    RowForm.REINFORCEMENT: Format.REINFORCEMENT,
}
"""The forms that are the API's own."""

_TURN_HOLDERS = ("messages", "conversations", "conversation")
_BLOCKS = frozenset({"tool_use", "tool_result", "image", "thinking", "redacted_thinking"})
_OUTPUTS = ("preferred_output", "non_preferred_output")

_MOST_KEYS = 500
"""Keys of a row whose names are compared, beside those of the known forms."""

_EXACT_KEYS = (
    *(
        *PROMPTS,
        *COMPLETIONS,
        *CONTEXTS,
        *_TURN_HOLDERS,
        *_OUTPUTS,
        "contents",
        "chat_history",
        "message",
        "message_id",
    ),
    *("parent_id", "text", "role", "system", "schemaVersion", "chosen", "rejected"),
)


def recognise_format(value: object, used_as: Format | None = None) -> Format | None:
    """Return the format that the keys of one row show; None when they show none.

    Shape:  turns without any other key, or with an answer, are for a grader where its models learn so
    """
    keys = set(value) if isinstance(value, dict) else set()
    if isinstance(value, dict) and "messages" in keys:
        last, is_used_so = _last_role(value["messages"]), used_as is Format.REINFORCEMENT
        for_grader = (last == "user" and (keys - API_KEYS or is_used_so)) or (last == "assistant" and is_used_so)
        return Format.REINFORCEMENT if for_grader else Format.CHAT
    if keys.issuperset(_OUTPUTS):
        return Format.PREFERENCE
    return Format.COMPLETION if {"prompt", "completion"} <= keys else None


def recognise_row(value: object, used_as: Format | None = None) -> RowForm | None:
    """Return the form of one row; None when nothing shows it."""
    if not isinstance(value, dict) or not value:
        return None
    if used_as is Format.REINFORCEMENT and recognise_format(value, used_as) is Format.REINFORCEMENT:
        return RowForm.REINFORCEMENT
    return next((form for form in _forms(_bound_keys(value), used_as) if form), None)


def _bound_keys(row: JsonObject) -> JsonObject:
    # Names are compared many times, and a row may have a key for each of thousands of facts.
    if len(row) <= _MOST_KEYS:
        return row
    first = dict(islice(row.items(), _MOST_KEYS))
    return first | {key: row[key] for key in _EXACT_KEYS if key in row}


def find_judgement(row: JsonObject) -> str | None:
    """Return the key that says whether an answer is desired, beside a question and its answer."""
    return next((key for key in _judgements(row) if read_judgement(key, row[key]) is not None), None)


def find_judged(row: JsonObject) -> str | None:
    """Return the key that judges an answer beside a question and its answer, in whichever words.

    Shape:  None beside a class: there, a number or a word is as likely a fact about what is classified
    """
    for key in _judgements(row):
        answer = find_named(COMPLETIONS, [other for other in _bound_keys(row) if other != key])
        if row[key] not in (None, "", [], {}) and (turns_of(row) or plain_name(answer or "") not in CLASSES):
            return key
    return None


def _judgements(row: JsonObject) -> Iterator[str]:
    row = _bound_keys(row)
    holder = next((key for key in _TURN_HOLDERS if isinstance(row.get(key), list)), None)
    if holder and _last_role(row[holder]) == "user":
        return
    for key in row:
        if says_judgement(key):
            others = [other for other in row if other != key]
            if holder or (find_named(PROMPTS, others) and find_named(COMPLETIONS, others)):
                yield key


def find_images(row: JsonObject) -> str | None:
    """Return the key of the images that stand beside the turns."""
    return next((key for key in row if plain_name(key) in IMAGES and row[key]), None)


def find_turn_weight(row: JsonObject) -> str | None:
    """Return the key by which turns say whether they are trained on, where it is not the API's."""
    for turn in turns_of(row):
        for key, value in turn.items():
            if plain_name(key) in TURN_WEIGHTS and key != "weight" and value is not None:
                return key
    return None


def turns_of(row: JsonObject) -> list[JsonObject]:
    """Return the turns of a row, under whichever key."""
    held = next((row[key] for key in _TURN_HOLDERS if isinstance(row.get(key), list)), None)
    return [turn for turn in held if isinstance(turn, dict)] if isinstance(held, list) else []


def _forms(row: JsonObject, used_as: Format | None) -> Iterator[RowForm | None]:
    texts = [key for key, value in row.items() if isinstance(value, str)]
    yield RowForm.PREFERENCE if row.keys() >= set(_OUTPUTS) and isinstance(row[_OUTPUTS[0]], list) else None
    yield RowForm.PAIRS if _is_pair(row) else None
    yield RowForm.COMPARED if find_sides(row) and find_named(WINNERS, row) else None
    yield RowForm.LABELED if find_judgement(row) else None
    yield RowForm.JUDGED if find_judged(row) else None
    if isinstance(row.get("messages"), list):
        yield _chat_form(row, used_as)
    elif "messages" in row:
        yield RowForm.CHAT
    if any(isinstance(row.get(key), list) for key in _TURN_HOLDERS[1:]):
        yield RowForm.SHAREGPT
    yield RowForm.VERTEX if isinstance(row.get("contents"), list) else None
    yield RowForm.COHERE if isinstance(row.get("chat_history"), list) and "message" in row else None
    yield RowForm.OASST if row.keys() >= {"message_id", "parent_id", "text", "role"} else None
    root = row.get("prompt")
    yield RowForm.OASST_TREE if isinstance(root, dict) and "replies" in root else None
    if isinstance(row.get("prompt"), list) and isinstance(row.get("completion"), list):
        yield RowForm.TURN_PAIRS
    yield RowForm.COMPLETION if row.keys() >= {"prompt", "completion"} else None
    yield RowForm.ALPACA if {"instruction", "output"} <= set(texts) else None
    yield RowForm.DOLLY if {"instruction", "context", "response"} <= set(texts) else None
    answer = find_named(COMPLETIONS, texts)
    asked = find_named(PROMPTS, [key for key in texts if key != answer])
    if answer and asked and not says_rejected(answer):
        yield RowForm.CONTEXT if find_named(CONTEXTS, texts) else RowForm.TABLE
    yield RowForm.TEXT if set(row) == {"text"} else None


def _is_pair(row: JsonObject) -> bool:
    pair = find_pair(row)
    if pair:
        return all(isinstance(row[key], str | list | dict) for key in pair)
    rejected = [key for key in row if says_rejected(key) and isinstance(row[key], str | list | dict)]
    return len(rejected) == 1 and bool(turns_of(row) or find_named(COMPLETIONS, row))


def _chat_form(row: JsonObject, used_as: Format | None) -> RowForm:
    turns = turns_of(row)
    parts = [part for turn in turns if isinstance(turn.get("content"), list) for part in turn["content"]]  # type: ignore[attr-defined]  # a list
    objects = [part for part in parts if isinstance(part, dict)]
    calls = [call for turn in turns for call in turn.get("tool_calls") or () if isinstance(call, dict)]  # type: ignore[attr-defined]  # a list
    is_for_grader = recognise_format(row, used_as) is Format.REINFORCEMENT
    if "schemaVersion" in row or (objects and all("type" not in part for part in objects)):
        return RowForm.BEDROCK
    if isinstance(row.get("system"), list) or any(_is_block(part) for part in objects):
        return RowForm.ANTHROPIC
    if is_for_grader:
        return RowForm.REINFORCEMENT
    if find_images(row):
        return RowForm.IMAGES
    if find_turn_weight(row):
        return RowForm.WEIGHTED
    words = [word for turn in turns if isinstance(word := _find_role(turn), str)]
    plain = [word.strip().lower() for word in words]
    known = all(word in ROLES or word in ALIASES for word in plain) and len(words) == len(turns)
    if known and ("system" in row or any(word not in ROLES for word in words) or _has_other_keys(turns)):
        return RowForm.CHAT_WORDS
    if calls and any(_is_foreign_call(call) for call in calls):
        return RowForm.CALLS
    if turns and plain[-1:] == ["user"] and "assistant" not in plain and row.keys() <= API_KEYS:
        return RowForm.QUESTIONS
    return RowForm.CHAT


def _is_block(part: JsonObject) -> bool:
    # A part of the type `image` without a source stands for an image in a column beside the turns.
    return part.get("type") in _BLOCKS and (part["type"] != "image" or "source" in part)


def _has_other_keys(turns: list[JsonObject]) -> bool:
    return bool(turns) and (
        all("role" not in turn for turn in turns)
        or all("content" not in turn and _keys_in_lower_case(turn) & {"value", "text", "content"} for turn in turns)
    )


def _keys_in_lower_case(turn: JsonObject) -> set[str]:
    return {key.lower() for key in turn}


def _find_role(turn: JsonObject) -> object:
    # A turn of the API's has the key, and is not searched for others.
    if "role" in turn:
        return turn["role"]
    by_name = {key.lower(): value for key, value in reversed(turn.items())}
    return next((by_name[name] for name in ("role", "from", "author") if name in by_name), None)


def _is_foreign_call(call: JsonObject) -> bool:
    function = call.get("function")
    held = function if isinstance(function, dict) else call
    return "name" in held and (not isinstance(function, dict) or isinstance(held.get("arguments"), dict))


def _last_role(messages: object) -> object:
    last = messages[-1] if isinstance(messages, list) and messages else None
    return _find_role(last) if isinstance(last, dict) else None
