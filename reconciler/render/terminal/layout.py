"""Where text goes on a line: how wide it is, how it is padded, cut and wrapped. Cleaned text only."""

import re
import textwrap
import unicodedata

from reconciler.render.redact import ELLIPSIS

# Cleaned text holds no such space, so it can stand for one at which no line is broken.
_FIXED = "\xa0"
_FLAG = re.compile(r"(--[a-z-]+) ")


def width_of(text: str) -> int:
    """Return the columns that a text takes: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def pad(text: str, width: int) -> str:
    """Fill a text up with spaces."""
    return text + " " * (width - width_of(text))


def truncate(text: str, width: int) -> str:
    """Cut a text so that it takes no more columns than there are."""
    if width_of(text) <= width:
        return text
    taken, room = [], width - 1
    for char in text:
        room -= _char_width(char)
        if room < 0:
            break
        taken.append(char)
    return "".join(taken) + ELLIPSIS if width > 0 else ""


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text between words; `first` and `rest` go before the first line and the others.

    A word that is longer than a line stays whole, so that an id can be copied; a flag stays with its value.
    """
    lines = textwrap.wrap(
        _FLAG.sub(rf"\1{_FIXED}", text),
        max(width, width_of(rest) + 20),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_FIXED, " ") for line in lines] or [first.rstrip()]


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) == "Me":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
