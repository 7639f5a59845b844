"""The one way by which text is written: secrets are taken out of it, in every form that they can have.

A finished text of ours may hold newlines and colours. Untrusted text that arrives in pieces is made harmless here.
"""

import base64
import json
import math
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, product
from typing import TextIO

from reconciler.render.sanitize import ELLIPSIS, clean_lines, escape_markdown, escape_markdown_inside, percent_encode

COLUMNS = 80
"""The width of a stream that is no terminal."""

REDACTED = "[redacted]"

SHORTEST = 4
"""Characters of the shortest secret: to take out a shorter value would damage every text."""

_SHORTEST_CORE = 6

PIECE = 12
"""Characters of the shortest piece of a longer secret that is taken out."""

_STEP = PIECE // 2
"""Every piece holds a whole block of this size that begins at a multiple of it: few blocks are looked up."""

_CHANGES = 2
_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_IN_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_OPEN_END = re.compile(r"(?:(?:^|(?<=\n))[^\S\n]*:|##?|\r)\Z")

# What our own texts use beyond ASCII, for streams that cannot encode it.
_PLAIN = {"→": "->", "…": "...", "–": "-", "×": "x", "↕": "^"}


class Sink:
    """Writes to one stream, and takes secrets out of everything on the way.

    Shape:  `write` and `line` take whole texts of ours, `write_untrusted` the pieces of an untrusted text
    """

    def __init__(self, stream: TextIO, secrets: tuple[str, ...] = ()) -> None:
        self._stream = stream
        self._redact = Redactor(secrets)
        self._held = ""
        self._inside_line = False

    @property
    def columns(self) -> int:
        """Return the width of the terminal behind the stream at this moment; 80 where there is none."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or COLUMNS
        except (OSError, ValueError, AttributeError):
            return COLUMNS

    def redact(self, text: str) -> str:
        """Return a text without the secrets that this sink removes."""
        return self._redact(text)

    def write(self, text: str) -> None:
        """Write a text of ours as it is, without its secrets."""
        self.end_untrusted()
        self._write(self._redact(text))

    def line(self, text: str = "") -> None:
        """Write a text of ours and end the line."""
        self.write(text + "\n")

    def write_untrusted(self, piece: str) -> None:
        """Write a piece of an untrusted text: its lines stay lines, everything else in it is made harmless.

        A few characters are held back while they may be the beginning of a secret or a command; `end_untrusted`
        writes them, and so does the next text of ours.
        """
        text = self._held + piece
        start = "x" if self._inside_line else ""
        unfinished = _OPEN_END.search(start + text)
        held = max(self._redact.count_open_piece(text), len(unfinished[0]) if unfinished else 0)
        self._held = text[len(text) - held :]
        self._write(self._clean_piece(self._redact(text[: len(text) - held])))

    def end_untrusted(self) -> None:
        """Write what `write_untrusted` holds back: its text has ended."""
        held, self._held = self._held, ""
        if held:
            self._write(self._clean_piece(self._redact(held)))

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def _clean_piece(self, text: str) -> str:
        start = "x" if self._inside_line else ""
        return clean_lines(start + text)[len(start) :]

    def _write(self, text: str) -> None:
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


class Redactor:
    """Takes given secrets out of text, in every form.

    Shape:  as they are; quoted for URLs, JSON, HTML, Markdown, Python and workflow commands; in base64 and in hex;
            each of these in JSON too; and every piece of these of `PIECE` characters that mixes letters and digits
            as words do not
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        values = {value for secret in secrets for value in (secret, secret.strip()) if len(value) >= SHORTEST}
        forms = {form for value in values for form in _secret_forms(value)}
        pieces = _cut_forms(tuple(sorted(forms)))
        # A document in JSON may hold a text in any of these forms, such as Markdown.
        forms |= {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in forms for ascii_only in (True, False)}
        # Longest first: a form that contains another one is taken out whole.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None
        self._pieces, self._telling, self._blocks = pieces
        self._all_forms = "\0".join(self._forms)

    def __call__(self, text: str) -> str:
        """Return the text without any secret, any piece of one, and the beginning of one that was cut short.

        Cost:   linear in the text, whatever the number of secrets
        """
        if self._pattern is None:
            return text
        if self._holds_whole(text):
            text = self._pattern.sub(REDACTED, text)
        text = self._redact_pieces(text)
        if ELLIPSIS not in text:
            return text
        *cut_short, rest = text.split(ELLIPSIS)
        return ELLIPSIS.join([*map(self._redact_stump, cut_short), rest])

    def count_open_end(self, text: str) -> int:
        """Return how many characters at the end of a text may be the beginning of a secret."""
        longest = len(self._forms[0]) - 1 if self._forms else 0
        for size in range(min(longest, len(text)), 0, -1):
            if any(form.startswith(text[-size:]) for form in self._forms):
                return size
        return 0

    def count_open_piece(self, text: str) -> int:
        """Return how many characters at the end of a text may go on as a secret or as a piece of one.

        Shape:  nothing that is to be taken out ends behind the first of them and begins before it
        """
        size = 0
        while size < len(text) and text[-size - 1] != "\0" and text[-size - 1 :] in self._all_forms:
            size += 1
        start = len(text) - size
        for begin, end in self._find_spans(text):
            if begin < start < end:
                start = end
        return len(text) - start

    def _find_spans(self, text: str) -> Iterator[tuple[int, int]]:
        if self._pattern is not None and self._holds_whole(text):
            yield from (found.span() for found in self._pattern.finditer(text))
        yield from self._find_pieces(text)

    def _holds_whole(self, text: str) -> bool:
        return any(form in text for form in self._forms)

    def _redact_pieces(self, text: str) -> str:
        shown, at = list[str](), 0
        for begin, end in self._find_pieces(text):
            shown += (text[at:begin], REDACTED)
            at = end
        return "".join((*shown, text[at:])) if shown else text

    def _find_pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where pieces of secrets stand, in order and apart from each other."""
        done = 0
        for at in range(0, len(text), _STEP):
            if text[at : at + _STEP] not in self._blocks:
                continue
            for begin in range(max(done, at + _STEP - PIECE), at + 1):
                if begin >= done and text[begin : begin + PIECE] in self._telling:
                    first, last = begin, begin
                    while first > done and text[first - 1 : first - 1 + PIECE] in self._pieces:
                        first -= 1
                    while text[last + 1 : last + 1 + PIECE] in self._pieces:
                        last += 1
                    done = last + PIECE
                    yield first, done

    def _redact_stump(self, text: str) -> str:
        stump = self.count_open_end(text)
        return text[:-stump] + REDACTED if stump >= SHORTEST else text


@lru_cache(maxsize=4)
def _cut_forms(forms: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return all pieces of the forms, the telling ones, and the blocks to look up; the sinks of a run share them."""
    telling = frozenset(piece for form in forms for piece in _cut_telling(form))
    pieces = frozenset(piece for form in forms for piece in _cut(form, PIECE))
    blocks = frozenset(block for form in forms for block in _cut(form, _STEP)) if telling else frozenset[str]()
    return pieces, telling, blocks


def _cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _cut_telling(form: str) -> Iterator[str]:
    """Yield the pieces in which letters and digits change as they do by chance, and not as in words and names."""
    places = {found.start() for found in _CHANGE.finditer(form)}
    counts = tuple(accumulate(at in places for at in range(len(form))))
    return (
        form[at : at + PIECE] for at in range(len(form) - PIECE + 1) if counts[at + PIECE - 1] - counts[at] >= _CHANGES
    )


def _secret_forms(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogatepass")
    quoted = (percent_encode(raw), percent_encode(raw, kept=b"/"), percent_encode(raw).replace("%20", "+"))
    yield value
    yield from quoted
    yield from (re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in quoted)
    yield from (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield value.translate(_IN_HTML)
    for in_markdown in (escape_markdown(value), escape_markdown_inside(value)):
        yield from (in_markdown, in_markdown.translate(_IN_HTML), in_markdown.replace("\\|", "&#124;"))
    for in_command in (value.replace("%", "%25"), value.replace("%", "%25").replace(":", "%3A")):
        yield from (in_command, in_command.replace(",", "%2C"))
    yield repr(value)[1:-1]
    yield from (raw.hex(), raw.hex().upper())
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield base64 of the secret, and the part of it that stays the same inside a larger text."""
    for encode, shift in product((base64.b64encode, base64.urlsafe_b64encode), range(3)):
        text = encode(b"\0" * shift + raw).decode()
        core = text[math.ceil(8 * shift / 6) : 8 * (shift + len(raw)) // 6]
        if shift == 0:
            yield from (text, text.rstrip("="))
        if len(core) >= _SHORTEST_CORE:
            yield core
