"""Checks of one row, by the format of the row. Chat rows have a module of their own, `chat.py`.

Source: OpenAI legacy fine-tuning guide (prompt and completion: the prompt may be empty, the completion may not);
        OpenAI direct preference optimization guide (text only; one assistant's turn in each output);
        OpenAI reinforcement fine-tuning guide (the last turn is the user's; other keys are the grader's `item.*`)
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from reconciler.dataset.row_checks.chat import ROLES, check_chat, check_conversation, check_message
from reconciler.dataset.row_checks.finding import JsonObject, RowFinding, describe_value, find_unknown_keys
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format

MINIMUM_EXAMPLES = 10
"""Rows that a training file needs (OpenAI supervised fine-tuning guide); with fewer, a job fails."""

API_KEYS = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})
"""The keys of a reinforcement row that the API reads; all others are the grader's."""

_PREFERENCE_GUIDE = "(OpenAI direct preference optimization guide)"
_REINFORCEMENT_GUIDE = "(OpenAI reinforcement fine-tuning guide)"
_COMPLETION_KEYS = ("prompt", "completion")
_INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")
_OUTPUTS = ("preferred_output", "non_preferred_output")
_PREFERENCE_KEYS = ("input", *_OUTPUTS)
_PREFERENCE_HINTS = {
    "chosen": "name it `preferred_output`, a list of one assistant's turn",
    "rejected": "name it `non_preferred_output`, a list of one assistant's turn",
    "prompt": "name it `input`, an object with a list of turns named `messages`",
    "messages": "put them into `input`",
}


def check_row(row: object, row_format: Format) -> Iterator[RowFinding]:
    """Yield everything that is wrong with one row, as `decode_json` reads it, in the order of the row."""
    if not isinstance(row, dict):
        yield RowFinding(f"{row_format}.row", "", "the row is not an object", "write each row as {…}")
    else:
        yield from _CHECKS[row_format](row)


def _check_completion(row: JsonObject) -> Iterator[RowFinding]:
    for key in _COMPLETION_KEYS:
        rule = f"completion.{key}"
        if key not in row:
            yield RowFinding(rule, key, f"there is no `{key}`", "give each row a prompt and a completion")
        elif not isinstance(row[key], str):
            yield RowFinding(rule, key, f"is {describe_value(row[key])}, not text", "write it as text, in quotes")
    answer = row.get("completion")
    if isinstance(answer, str) and (not answer or answer.isspace()):
        what = "is only white space" if answer else "is empty"
        hint = "add the text to learn, or drop such rows: `drop_empty: [completion]`"
        yield RowFinding("completion.completion", "completion", what, hint)
    if len(row) > 2 or not row.keys() <= set(_COMPLETION_KEYS):
        yield from find_unknown_keys(row, _COMPLETION_KEYS, "completion.unknown-key", "")


def _check_preference(row: JsonObject) -> Iterator[RowFinding]:
    yield from find_unknown_keys(row, _PREFERENCE_KEYS, "preference.unknown-key", "", _PREFERENCE_HINTS)
    yield from _check_input(row)
    for key in _OUTPUTS:
        yield from _check_output(row, key)
    if row.get("preferred_output") and row.get("preferred_output") == row.get("non_preferred_output"):
        what = "both outputs are the same: the model cannot learn which one is preferred"
        yield RowFinding("preference.same", "non_preferred_output", what, "drop the row", Severity.WARNING)


def _check_input(row: JsonObject) -> Iterator[RowFinding]:
    found = row.get("input")
    if not isinstance(found, dict):
        what = f"is {describe_value(found)}, not an object" if "input" in row else "there is no `input`"
        hint = "an object with the turns so far: {messages: [{role, content}]}"
        yield RowFinding("preference.input", "input", what, hint)
        return
    yield from find_unknown_keys(found, _INPUT_KEYS, "preference.unknown-key", "input")
    messages = found.get("messages")
    if not isinstance(messages, list) or not messages:
        yield _no_turns(found, "preference.input", "input.messages")
        return
    for finding in check_conversation(found, messages, has_column=False):
        yield replace(finding, path=f"input.{finding.path}")
    yield from _check_text_only(messages, "input.messages")
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") == "assistant":
        what = f"the last turn is the assistant's, and both outputs would follow it {_PREFERENCE_GUIDE}"
        yield RowFinding("preference.last-turn", f"input.messages[{len(messages) - 1}]", what, "move it to the outputs")


def _check_output(row: JsonObject, key: str) -> Iterator[RowFinding]:
    found = row.get(key)
    if not isinstance(found, list) or len(found) != 1:
        count = f"has {len(found)} turns" if isinstance(found, list) else f"is {describe_value(found)}, not a list"
        what = f"{count}; it must be one turn {_PREFERENCE_GUIDE}" if key in row else f"there is no `{key}`"
        yield RowFinding("preference.output", key, what, "a list of one assistant's turn: [{role, content}]")
        return
    turn = found[0]
    yield from check_message(turn, f"{key}[0]", f"drop_empty: [{key}]")
    if isinstance(turn, dict) and turn.get("role") in [role for role in ROLES if role != "assistant"]:
        what = f"the turn is not the assistant's {_PREFERENCE_GUIDE}"
        yield RowFinding("preference.output", f"{key}[0].role", what, "it is the answer: use the role `assistant`")
    yield from _check_text_only(found, key)


def _check_text_only(turns: list[object], path: str) -> Iterator[RowFinding]:
    for at, turn in enumerate(turns):
        parts = turn.get("content") if isinstance(turn, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and part.get("type") == "image_url":
                what = f"an image; preference training takes text only {_PREFERENCE_GUIDE}"
                yield RowFinding("preference.text-only", f"{path}[{at}].content", what, "drop the row, or the image")
                break


def _check_reinforcement(row: JsonObject) -> Iterator[RowFinding]:
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        yield _no_turns(row, "reinforcement.messages", "messages")
        return
    yield from check_conversation(row, messages)
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") in [role for role in ROLES if role != "user"]:
        what = f"the last turn must be the user's {_REINFORCEMENT_GUIDE}"
        hint = "leave the answer out: training generates it, and a grader scores it"
        yield RowFinding("reinforcement.last-turn", "messages", what, hint)


def _no_turns(holder: JsonObject, rule: str, path: str) -> RowFinding:
    messages = holder.get("messages")
    what = f"is {describe_value(messages)}, not a list of turns" if "messages" in holder else "there is no `messages`"
    return RowFinding(rule, path, what, "a list of turns: [{role, content}, …]")


_CHECKS: dict[Format, Callable[[JsonObject], Iterator[RowFinding]]] = {
    Format.CHAT: check_chat,
    Format.COMPLETION: _check_completion,
    Format.PREFERENCE: _check_preference,
    Format.REINFORCEMENT: _check_reinforcement,
}
