"""Pieces of Markdown that every section is made of. What comes from elsewhere is inert when it leaves here."""

from collections.abc import Callable, Sequence

from reconciler.render.escape import code_block, markdown_code, markdown_text
from reconciler.render.sanitize import clean
from reconciler.render.units import count_text

CELL = 90
"""Characters of one value in a table."""

LINE = 300
"""Characters of one line in a list or a fence."""

_NAMES = 3


def code(text: str) -> str:
    """Return a name or an id, set as code."""
    return markdown_code(text, limit=CELL)


def sentence(text: str, limit: int = LINE) -> str:
    """Return a sentence, inert."""
    return markdown_text(text, limit=limit)


def fence_line(symbol: str, text: str) -> str:
    """Return a line of a diff fence: its symbol in the first column, where it colours."""
    return f"{symbol} {clean(text, limit=LINE)}"


def diff_fence(lines: Sequence[str]) -> str:
    """Put lines into a fence that colours them."""
    return code_block("\n".join(lines), "diff")


def bullets(lines: Sequence[str]) -> str:
    """Return lines, each inert already, as a list."""
    return "\n".join(f"- {line}" for line in lines)


def collapse(summary: str, inside: Callable[[Sequence[str]], str]) -> Callable[[Sequence[str]], str]:
    """Return what puts lines behind a summary of ours that opens them."""
    return lambda lines: f"<details><summary>{summary}</summary>\n\n{inside(lines)}\n\n</details>"


def list_names(addresses: Sequence[str]) -> str:
    """Name a few things, and count the rest."""
    shown = [code(each) for each in addresses[:_NAMES]]
    more = len(addresses) - _NAMES
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def grouped_count(number: int, noun: str) -> str:
    """Count things: `1 model`, `1,200 models`."""
    return count_text(number, noun).replace(str(number), f"{number:,}", 1)
