"""Reinforcement rows: a conversation that waits for an answer, and beside it whatever the grader is to compare with.

Source: OpenAI reinforcement fine-tuning guide (the last turn is the user's; other keys are the grader's `item.*`)
"""

from collections.abc import Iterator

from reconciler.dataset.row_checks import chat
from reconciler.dataset.row_checks.finding import Finding, Object, kind

_GUIDE = "(OpenAI reinforcement fine-tuning guide)"
KNOWN = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})
"""The keys that the API reads; all others are the grader's."""


def check(row: Object) -> Iterator[Finding]:
    """Yield everything that is wrong with a reinforcement row."""
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        what = f"is {kind(messages)}, not a list of turns" if "messages" in row else "there is no `messages`"
        yield Finding("reinforcement.messages", "messages", what, "a list of turns: [{role, content}, …]")
        return
    yield from chat.check_conversation(row, messages)
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") in [role for role in chat.ROLES if role != "user"]:
        what = f"the last turn must be the user's {_GUIDE}"
        hint = "leave the answer out: the model is to find it, and a grader to judge it"
        yield Finding("reinforcement.last-turn", "messages", what, hint)
