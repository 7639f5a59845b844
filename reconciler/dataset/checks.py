"""What the API asks of a row: takes one, gives its findings. The rules themselves are in `rules/`."""

from collections.abc import Iterator

from reconciler.dataset.rules import chat, completion
from reconciler.dataset.rules.finding import Finding
from reconciler.domain.errors import Severity
from reconciler.domain.spec import Format

__all__ = ["MINIMUM_EXAMPLES", "Finding", "Severity", "check"]

MINIMUM_EXAMPLES = 10
"""Rows that a training file needs (OpenAI supervised fine-tuning guide); with fewer, a job fails."""


def check(row: object, format: Format) -> Iterator[Finding]:  # noqa: A002 (the word of the field)
    """Give everything that is wrong with one row, as `lines.parse` reads it, in the order of the row."""
    if not isinstance(row, dict):
        yield Finding(f"{format}.row", "", "the row is not an object", "write each row as {…}")
    elif format is Format.CHAT:
        yield from chat.check(row)
    else:
        yield from completion.check(row)
