"""The one sink for untrusted text. Whatever is written goes through here; what it says is not decided here.

Untrusted text (a service's words, a row, a spec, a file name) is cleaned where it is put into a text of ours. A
finished text of ours may hold newlines and colours; the sink takes secrets out of it, whoever put them in.
"""

import os
import re
import unicodedata
from typing import TextIO

from reconciler.render.redact import ELLIPSIS, Redactor

LIMIT = 1000
"""Characters of one untrusted text that are shown, unless the caller says otherwise."""

COLUMNS = 80
"""The width of a stream that is no terminal."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Invisible, and yet neither control nor format characters: fillers, joiners, and selectors that can hide a message.
_UNSEEN = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x2800, 0x3164, 0xFFA0, 0x1D159))
) | frozenset(
    chr(code)
    for start, end in ((0x180B, 0x180D), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(start, end + 1)
)

# Living text needs these: scripts of India and Persia, and emoji that are made of several.
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")

# Most of a text is plain, and is not looked at one by one.
_UNPLAIN = re.compile(r"[^ -~]")

# A CI runner takes `::` for a command at the start of a line, spaces or not, and `##[` for one anywhere in it.
_COMMAND = re.compile(r"(?:^|(?<=\s))::")
_COMMAND_LINE = re.compile(r"^([^\S\n]*)::", re.MULTILINE)
_OLD_COMMAND = re.compile(r"##(?=\[)")
_OPEN_END = re.compile(r"(?:(?:^|(?<=\n))[^\S\n]*:|##?|\r)\Z")

# What our own texts use beyond ASCII, for streams that cannot say it.
_PLAIN = {"→": "->", "…": "...", "–": "-", "×": "x", "↕": "^"}


def clean(text: str, *, limit: int = LIMIT) -> str:
    """Return untrusted text as one harmless line: what cannot be seen, or could act, is shown as an escape.

    Shape:  control bytes, escape sequences, newlines, bidi marks, invisible characters and lone surrogates become
            `\\x1b`, `\\n`, `\\u202e`, …; other kinds of space become a space; the starts of workflow commands get a
            backslash; what is longer than the limit ends with `…`
    """
    shown = _escape_unseen(text[: limit + 1], frozenset())
    shown = _OLD_COMMAND.sub("#\\\\#", _COMMAND.sub("\\\\::", shown))
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + ELLIPSIS


def clean_lines(text: str) -> str:
    """Return untrusted text whose lines and tabs stay: everything else in it is made harmless as in `clean`.

    Shape:  of any length; living scripts and emoji keep the joiners that they need
    """
    shown = _escape_unseen(text.replace("\r\n", "\n"), _JOINERS | {"\n", "\t"})
    return _OLD_COMMAND.sub("#\\\\#", _COMMAND_LINE.sub(r"\1\\::", shown))


def _escape_unseen(text: str, allowed: frozenset[str]) -> str:
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return _UNPLAIN.sub(lambda found: found[0] if found[0] in allowed else _escape_char(found[0]), text)


def _escape_char(char: str) -> str:
    if char.isprintable() and char not in _UNSEEN:
        return char
    if unicodedata.category(char) == "Zs":
        return " "
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Sink:
    """Writes to one stream, and takes secrets out of everything on the way.

    Shape:  `write` and `line` take whole texts of ours, `pour` the pieces of a foreign text as they come
    """

    def __init__(self, stream: TextIO, secrets: tuple[str, ...] = ()) -> None:
        self._stream = stream
        self._redact = Redactor(secrets)
        self._held = ""
        self._inside_line = False

    @property
    def columns(self) -> int:
        """The width of the terminal behind the stream at this moment; 80 where there is none."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or COLUMNS
        except (OSError, ValueError, AttributeError):
            return COLUMNS

    def write(self, text: str) -> None:
        """Write a text of ours as it is, without its secrets."""
        self.end_untrusted()
        self._put(self._redact(text))

    def line(self, text: str = "") -> None:
        """Write a text of ours and end the line."""
        self.write(text + "\n")

    def write_untrusted(self, piece: str) -> None:
        """Write a piece of a foreign text: its lines stay lines, everything else in it is made harmless.

        A few characters are held back while they may be the beginning of a secret or a command; `settle` lets
        them go, and so does the next text of ours.
        """
        text = self._redact(self._held + piece)
        start = "x" if self._inside_line else ""
        unfinished = _OPEN_END.search(start + text)
        held = max(self._redact.open_end(text), len(unfinished[0]) if unfinished else 0)
        self._held = text[len(text) - held :]
        self._put(self._harmless(text[: len(text) - held]))

    def end_untrusted(self) -> None:
        """Write what `pour` still holds back: its text has ended."""
        held, self._held = self._held, ""
        if held:
            self._put(self._harmless(held))

    def flush(self) -> None:
        """Hand on to the reader what was written so far."""
        self._stream.flush()

    def _harmless(self, text: str) -> str:
        start = "x" if self._inside_line else ""
        return clean_lines(start + text)[len(start) :]

    def _put(self, text: str) -> None:
        if not text:
            return
        last = text.rpartition("\n")[2]
        self._inside_line = bool(last.strip()) or (self._inside_line and "\n" not in text)
        self._stream.write(self._encodable(text))

    def _encodable(self, text: str) -> str:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return "".join(_encode_char(encoding, char) for char in text)
        return text


def _encode_char(encoding: str, char: str) -> str:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode()
    return char
