"""Whether to use colour, and the few colours there are. Looks at nothing by itself."""

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from reconciler.render.sanitize import ELLIPSIS


def colour_wanted(environ: Mapping[str, str], is_terminal: bool, flag: bool | None = None) -> bool:
    """Return whether to write colours: the flag, then the environment, then the kind of stream decides.

    Shape:  `flag` is what the command line said, None when it said nothing
    Source: no-color.org, force-color.org and bixense.com/clicolors
    """
    if flag is not None:
        return flag
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE", "0") not in {"", "0"}:
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return is_terminal


class Style(msgspec.Struct, frozen=True):
    """Puts colours on text that is laid out already, or leaves it as it is."""

    wanted: bool

    def bold(self, text: str) -> str:
        return self._in("1", text)

    def dim(self, text: str) -> str:
        return self._in("2", text)

    def red(self, text: str) -> str:
        return self._in("31", text)

    def green(self, text: str) -> str:
        return self._in("32", text)

    def yellow(self, text: str) -> str:
        return self._in("33", text)

    def cyan(self, text: str) -> str:
        return self._in("36", text)

    def status(self, word: str, text: str) -> str:
        """Colour a text by the status it tells of: good, bad, or on its way."""
        if word == "succeeded":
            return self.green(text)
        return self.red(text) if word in {"failed", "missing"} else self.yellow(text)

    def symbol(self, symbol: str, text: str) -> str:
        """Colour a text as the action that its symbol stands for."""
        colours = {"+": self.green, "+/-": self.cyan, "~": self.yellow, "-": self.red}
        return colours[symbol](text) if symbol in colours else text

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.wanted and text else text


def count_text(number: int, noun: str) -> str:
    """Say how many there are: `1 row`, `200 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_text(size_bytes: int) -> str:
    """Say a size for people: `812 bytes`, `19.5 KiB`, `4.0 MiB`."""
    if size_bytes < 1024:
        return count_text(size_bytes, "byte")
    size, units = size_bytes / 1024, ["KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.1f} {units[0]}"


def duration_text(seconds: float) -> str:
    """Say a length of time for people: `42s`, `2m 05s`, `1h 02m`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def time_text(unix_seconds: int) -> str:
    """Say a moment for people, in UTC: `2026-11-21 21:04:00Z`."""
    try:
        return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        # A service's number that is no date is shown as it came.
        return str(unix_seconds)


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
