"""Joins neighbouring turns of one role in a chat row."""

from reconciler.dataset.steps.cells import Cells
from reconciler.dataset.steps.columns import Edit
from reconciler.domain.prepare import JoinMessages

_JOINED_ROLES = ("system", "developer", "user", "assistant")


def join_messages(step: JoinMessages) -> Edit:
    """Make one turn of neighbours that differ in nothing but their text; turns with calls or images stay apart."""

    def edit(cells: Cells) -> Cells:
        messages = cells.get("messages")
        if not isinstance(messages, list):
            return cells
        joined: list[object] = []
        for message in messages:
            last = joined[-1] if joined else None
            if isinstance(last, dict) and isinstance(message, dict) and _can_join(last, message):
                joined[-1] = {**last, "content": f"{last['content']}{step.separator}{message['content']}"}
            else:
                joined.append(message)
        return {**cells, "messages": joined}

    return edit


def _can_join(last: Cells, message: Cells) -> bool:
    return (
        message.get("role") in _JOINED_ROLES
        and isinstance(last.get("content"), str)
        and isinstance(message.get("content"), str)
        and not (message.get("tool_calls") or message.get("function_call"))
        and _besides_content(last) == _besides_content(message)
    )


def _besides_content(message: Cells) -> Cells:
    return {key: value for key, value in message.items() if key != "content"}
