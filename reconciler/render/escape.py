"""Untrusted text in Markdown and HTML of ours: the sink's rules, and nothing in it is markup, a call or a command.

markdown_text    a few words in a line or a table cell
markdown_code    a name or value, set as code
fenced           several lines, kept as lines
html_text        text between tags or in a quoted attribute
"""

import html
import re

from reconciler.render.markdown_escape import escape_markdown
from reconciler.render.sanitize import LIMIT, clean, clean_lines

_TICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[a-z0-9-]*")

# A hidden marker tells our own comments from others; no row or name may carry one.
_COMMENT = re.compile(r"<(?=!--)")


def markdown_text(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as Markdown for one line or table cell: it shows as it is, and does nothing.

    Shape:  no markup, no link, no mention, no reference that a closing word could close, no emoji, no formula
    """
    return escape_markdown(clean(text, limit=limit))


def markdown_code(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as a code span, for a line or table cell; whatever backticks it holds stay inside."""
    shown = _COMMENT.sub(r"<\\", clean(text, limit=limit))
    if "|" in shown or not shown.strip():
        # In a table a bar ends the cell, even inside a code span; and a span of nothing is no span.
        return f"<code>{escape_markdown(shown) or '&#32;'}</code>".replace("\\|", "&#124;")
    ticks = "`" * (1 + _longest(shown) if "`" in shown else 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def code_block(text: str, language: str = "") -> str:
    """Return untrusted lines as a fenced block; no line of theirs can end it. The caller bounds their size.

    Shape:  without a newline at the end; starts in the first column
    Raises: ValueError for a language that is no plain word
    """
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"{language!r} is no language of a fenced block")
    shown = _COMMENT.sub(r"<\\", clean_lines(text)).removesuffix("\n")
    fence = "`" * max(3, 1 + _longest(shown))
    return f"{fence}{language}\n{shown}\n{fence}"


def html_text(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text for HTML, between tags or inside a quoted attribute that holds no address or script."""
    return html.escape(clean(text, limit=limit), quote=True)


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
