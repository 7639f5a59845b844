"""Preference rows: a conversation, an answer that is preferred, and one that is not.

Source: OpenAI direct preference optimization guide (text only; one assistant's turn in each output)
"""

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.dataset.row_checks import chat
from reconciler.dataset.row_checks.finding import Finding, Object, kind, unknown_keys
from reconciler.domain.errors import Severity

_GUIDE = "(OpenAI direct preference optimization guide)"
_INPUT_KEYS = ("messages", "tools", "parallel_tool_calls")
_OUTPUTS = ("preferred_output", "non_preferred_output")
_KEYS = ("input", *_OUTPUTS)
_HINTS = {
    "chosen": "name it `preferred_output`, a list of one assistant's turn",
    "rejected": "name it `non_preferred_output`, a list of one assistant's turn",
    "prompt": "name it `input`, an object with a list of turns named `messages`",
    "messages": "put them into `input`",
}


def check(row: Object) -> Iterator[Finding]:
    """Yield everything that is wrong with a preference row."""
    yield from unknown_keys(row, _KEYS, "preference.unknown-key", "", _HINTS)
    yield from _check_input(row)
    for key in _OUTPUTS:
        yield from _check_output(row, key)
    if row.get("preferred_output") and row.get("preferred_output") == row.get("non_preferred_output"):
        what = "both outputs say the same: there is nothing to prefer"
        yield Finding("preference.same", "non_preferred_output", what, "drop the row", Severity.WARNING)


def _check_input(row: Object) -> Iterator[Finding]:
    found = row.get("input")
    if not isinstance(found, dict):
        what = f"is {kind(found)}, not an object" if "input" in row else "there is no `input`"
        yield Finding(
            "preference.input", "input", what, "an object with the turns so far: {messages: [{role, content}]}"
        )
        return
    yield from unknown_keys(found, _INPUT_KEYS, "preference.unknown-key", "input")
    messages = found.get("messages")
    if not isinstance(messages, list) or not messages:
        what = f"is {kind(messages)}, not a list of turns" if "messages" in found else "there is no `messages`"
        yield Finding("preference.input", "input.messages", what, "a list of turns: [{role, content}, …]")
        return
    for finding in chat.check_conversation(found, messages):
        yield replace(finding, path=f"input.{finding.path}")
    yield from _check_text_only(messages, "input.messages")
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") == "assistant":
        what = f"the last turn is the assistant's, and both outputs would follow it {_GUIDE}"
        yield Finding("preference.last-turn", f"input.messages[{len(messages) - 1}]", what, "move it to the outputs")


def _check_output(row: Object, key: str) -> Iterator[Finding]:
    found = row.get(key)
    if not isinstance(found, list) or len(found) != 1:
        count = f"has {len(found)} turns" if isinstance(found, list) else f"is {kind(found)}, not a list"
        what = f"{count}; it is one turn {_GUIDE}" if key in row else f"there is no `{key}`"
        yield Finding("preference.output", key, what, "a list of one assistant's turn: [{role, content}]")
        return
    turn = found[0]
    yield from chat.check_message(turn, f"{key}[0]")
    if isinstance(turn, dict) and turn.get("role") in [role for role in chat.ROLES if role != "assistant"]:
        what = f"the turn is not the assistant's {_GUIDE}"
        yield Finding("preference.output", f"{key}[0].role", what, "it is the answer, of the role `assistant`")
    yield from _check_text_only(found, key)


def _check_text_only(turns: list[object], path: str) -> Iterator[Finding]:
    for at, turn in enumerate(turns):
        parts = turn.get("content") if isinstance(turn, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and part.get("type") == "image_url":
                what = f"an image; preferences are learned from text only {_GUIDE}"
                yield Finding("preference.text-only", f"{path}[{at}].content", what, "drop the row, or the image")
                break
