"""What the API asks of a row: takes one, gives its findings. The rules themselves are in `rules/`."""

from collections.abc import Callable, Iterator

from reconciler.dataset.row_checks import chat, completion, preference, reinforcement
from reconciler.dataset.row_checks.finding import Finding, Object
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format

__all__ = ["MINIMUM_EXAMPLES", "Finding", "Severity", "check"]

MINIMUM_EXAMPLES = 10
"""Rows that a training file needs (OpenAI supervised fine-tuning guide); with fewer, a job fails."""


_RULES: dict[Format, Callable[[Object], Iterator[Finding]]] = {
    Format.CHAT: chat.check,
    Format.COMPLETION: completion.check,
    Format.PREFERENCE: preference.check,
    Format.REINFORCEMENT: reinforcement.check,
}


def check(row: object, format: Format) -> Iterator[Finding]:  # noqa: A002 (the word of the field)
    """Yield everything that is wrong with one row, as `lines.parse` reads it, in the order of the row."""
    if not isinstance(row, dict):
        yield Finding(f"{format}.row", "", "the row is not an object", "write each row as {…}")
    else:
        yield from _RULES[format](row)
