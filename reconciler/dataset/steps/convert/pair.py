"""A prompt and a completion, from and to chat. A pair holds one exchange; a longer one is not cut to fit."""

from reconciler.dataset.row_checks.finding import Object
from reconciler.dataset.steps.convert import builders
from reconciler.dataset.steps.convert.builders import ConversionError

_BEFORE = (["user"], ["system", "user"], ["developer", "user"])


def pair_to_chat(row: Object) -> Object:
    """Make the prompt the user's turn and the completion the assistant's, as they are written."""
    for key in ("prompt", "completion"):
        if key not in row:
            raise ConversionError(key, f"there is no `{key}`", "rename the column that it is in, or drop the row")
    turns: list[Object] = [
        {"role": "user", "content": builders.read_text(row["prompt"], "prompt")},
        {"role": "assistant", "content": builders.read_text(row["completion"], "completion")},
    ]
    return builders.build_row(row.get("system"), turns, {})


def chat_to_pair(row: Object) -> Object:
    """Make one exchange a pair: the system text and the user's, an empty line between them, and the answer."""
    messages = builders.read_objects(row.get("messages"), "messages")
    roles = [message.get("role") for message in messages]
    if roles[:-1] not in _BEFORE or roles[-1] != "assistant":
        hint = "keep it as chat, or drop the row"
        raise ConversionError("messages", f"{len(roles)} turns are no single question and answer", hint)
    if row.keys() & {"tools", "functions"} or any(message.keys() - {"role", "content"} for message in messages):
        raise ConversionError("messages", "a pair holds nothing but text", "keep it as chat, or drop the row")
    said = [
        builders.read_text(message.get("content"), f"messages[{at}].content") for at, message in enumerate(messages)
    ]
    return {"prompt": "\n\n".join(said[:-1]), "completion": said[-1]}
