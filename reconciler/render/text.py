"""How text looks to people: colours, widths on a terminal, and quantities. Cleaned text only."""

import re
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import accumulate, takewhile

import msgspec
from rich.cells import cell_len

from reconciler.render.sanitize import ELLIPSIS

# Cleaned text holds no such space, so it can stand for one at which no line is broken.
_NO_BREAK = "\xa0"
_FLAG = re.compile(r"(--[a-z-]+) ")
_COMMAND = re.compile(r"""(?<=: )(?:env -u RECONCILER_ENV )?reconciler(?: (?:'[^']*'|"[^"]*"|[^\s'";,])+)+""")


def colour_wanted(environ: Mapping[str, str], is_terminal: bool, flag: bool | None = None) -> bool:
    """Return whether to write colours: the flag decides, then the environment, then the kind of stream.

    Shape:  `flag` is None when the command line does not have it
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

    is_coloured: bool

    def bold(self, text: str) -> str:
        return self._colour("1", text)

    def dim(self, text: str) -> str:
        return self._colour("2", text)

    def red(self, text: str) -> str:
        return self._colour("31", text)

    def green(self, text: str) -> str:
        return self._colour("32", text)

    def yellow(self, text: str) -> str:
        return self._colour("33", text)

    def cyan(self, text: str) -> str:
        return self._colour("36", text)

    def status(self, status: str, text: str) -> str:
        """Colour a text by a status: good, bad, or in progress."""
        if status == "succeeded":
            return self.green(text)
        return self.red(text) if status in {"failed", "missing"} else self.yellow(text)

    def symbol(self, symbol: str, text: str) -> str:
        """Colour a text as the action that its symbol stands for."""
        colours = {"+": self.green, "+/-": self.cyan, "~": self.yellow, "-": self.red}
        return colours[symbol](text) if symbol in colours else text

    def _colour(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.is_coloured and text else text


def width_of(text: str) -> int:
    """Return the columns that a text takes on a terminal: wide characters take two, combining marks none."""
    return len(text) if text.isascii() else cell_len(text)


def pad(text: str, width: int) -> str:
    """Fill a text up with spaces."""
    return text + " " * (width - width_of(text))


def truncate(text: str, width: int) -> str:
    """Cut a text so that it takes no more columns than `width`; the cut is shown by `…`."""
    if width_of(text) <= width:
        return text
    widths = accumulate(map(width_of, text))
    fitting = sum(1 for _ in takewhile(lambda taken: taken < width, widths))
    return text[:fitting] + ELLIPSIS if width > 0 else ""


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break a text between words; `first` and `rest` are the indents of the first line and of the others.

    A word that is longer than a line stays whole, so that an id can be copied; so does a command after a
    colon, and a flag stays with its value.
    """
    text = _COMMAND.sub(lambda command: command[0].replace(" ", _NO_BREAK), text)
    lines = textwrap.wrap(
        _FLAG.sub(rf"\1{_NO_BREAK}", text),
        max(width, width_of(rest) + 20),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines] or [first.rstrip()]


def count_text(number: int, noun: str) -> str:
    """Return how many there are: `1 row`, `200 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def grouped_count(number: int, noun: str) -> str:
    """Return how many there are, with separators: `1 model`, `1,200 models`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_text(size_bytes: int) -> str:
    """Return a size: `812 bytes`, `19.5 KiB`, `4.0 MiB`."""
    if size_bytes < 1024:
        return count_text(size_bytes, "byte")
    size, units = size_bytes / 1024, ["KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.1f} {units[0]}"


def duration_text(seconds: float) -> str:
    """Return a length of time: `42s`, `2m 05s`, `1h 02m`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m {rest:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def time_text(unix_seconds: float, time_format: str = "%Y-%m-%d %H:%M:%SZ") -> str:
    """Return a moment in UTC: `2026-11-21 21:04:00Z`; a service's number that is no date, as it came."""
    try:
        return datetime.fromtimestamp(unix_seconds, UTC).strftime(time_format)
    except (OverflowError, ValueError, OSError):
        return str(unix_seconds)
