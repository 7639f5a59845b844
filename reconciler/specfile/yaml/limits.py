"""What is settled about a file before any YAML parser sees it: its size, its characters, where documents begin.

A document marker at the start of a line ends everything that is open, quotes and blocks included. So a file can be
cut there safely, and a document that is broken does not hide the others.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from reconciler.domain.errors import InputError, Place, Problem

MAX_BYTES = 1024 * 1024
MAX_DOCUMENTS = 5_000

_BREAK = re.compile(r"\r\n|\r|\n")
_MARKER = re.compile(r"(?<![^\r\n])(---|\.\.\.)(?=[ \t\r\n]|\Z)")
_HEAD = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)|%[^\r\n]*(?:\r\n|\r|\n|\Z))*")
_DIRECTIVE = re.compile(r"(?<![^\r\n])%")
# YAML's printable characters, without the three that it reads as line breaks and editors do not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_STAND_IN = "\ufffd"


class Chunk(msgspec.Struct, frozen=True):
    """The text of one document, and how many lines of the file come before it."""

    text: str
    lines_before: int


def decoded(raw: bytes, file: str, max_bytes: int = MAX_BYTES) -> tuple[str, tuple[Problem, ...]]:
    """Return the text of a file, with stand-ins for characters that YAML forbids, each of them reported once.

    Raises: InputError when the bytes are too many, or are no UTF-8
    """
    if len(raw) > max_bytes:
        raise too_much(file, f"the file is larger than {max_bytes // 1024:,} KiB")
    # Taken off first, so that what the decoder says of places is about these bytes.
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError((_not_utf8(raw, error.start, file),)) from error
    problems = tuple(
        Problem(
            where=_place_at(text, text.index(character), file),
            what=f"the character U+{ord(character):04X} is not allowed in YAML",
            hint="remove it, or write it as an escape in double quotes",
            rule="yaml.character",
        )
        for character in sorted(set(_FORBIDDEN.findall(text)))
    )
    return (_FORBIDDEN.sub(_STAND_IN, text) if problems else text), problems


def chunks(text: str, file: str) -> tuple[Chunk, ...]:
    """Cut a file where its documents begin.

    Raises: InputError when there are too many
    """
    starts = [0, *_starts(text), len(text)]
    if len(starts) > MAX_DOCUMENTS:
        raise too_much(file, f"the file holds more than {MAX_DOCUMENTS:,} documents")
    found, lines = [], 0
    for start, end in pairwise(starts):
        found.append(Chunk(text[start:end], lines))
        lines += len(_BREAK.findall(text, start, end))
    return tuple(found)


def without_directives(chunk: Chunk, file: str) -> tuple[Chunk, tuple[Problem, ...]]:
    """Take out the `%` lines that stand before a document's content; the first of them is reported."""
    head = _HEAD.match(chunk.text)
    end = head.end() if head else 0
    found = _DIRECTIVE.search(chunk.text, 0, end)
    if not found:
        return chunk, ()
    problem = Problem(
        where=_place_at(chunk.text, found.start(), file, chunk.lines_before),
        what="a YAML directive is not used here",
        hint="remove the line: files are always read as YAML 1.2",
        rule="yaml.directive",
    )
    return Chunk(_DIRECTIVE.sub("#", chunk.text[:end]) + chunk.text[end:], chunk.lines_before), (problem,)


def too_much(file: str, what: str) -> InputError:
    """The error of a file that is beyond a bound and was not read."""
    problem = Problem(where=Place(file=file), what=what, hint="split it into several files", rule="yaml.too-large")
    return InputError((problem,))


def _starts(text: str) -> Iterator[int]:
    for found in _MARKER.finditer(text):
        if found[1] == "---":
            yield found.start()
        elif after := _BREAK.search(text, found.end()):
            yield after.end()


def _place_at(text: str, index: int, file: str, lines_before: int = 0) -> Place:
    lines = _BREAK.split(text[:index])
    return Place(file=file, line=lines_before + len(lines), column=len(lines[-1]) + 1)


def _not_utf8(raw: bytes, index: int, file: str) -> Problem:
    before = raw[:index].decode("utf-8")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    what = "the file is UTF-16" if wide else f"the byte 0x{raw[index]:02x} is not UTF-8"
    return Problem(
        where=_place_at(before, len(before), file), what=what, hint="save the file as UTF-8", rule="yaml.encoding"
    )
