"""The text of a file, before and after the YAML parser: its size, characters and documents, and the parser's errors.

A document marker at the start of a line ends everything that is open, quotes and blocks included. So a file can be
split there safely, and a broken document does not hide the others.
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


class DocumentText(msgspec.Struct, frozen=True):
    """The text of one document, and how many lines of the file come before it."""

    text: str
    lines_before: int


def decode_text(raw: bytes, file: str, max_bytes: int = MAX_BYTES) -> tuple[str, tuple[Problem, ...]]:
    """Return the text of a file, with stand-ins for characters that YAML forbids, each of them reported once.

    Raises: InputError when the bytes are too many, or are no UTF-8
    """
    if len(raw) > max_bytes:
        raise too_much(file, f"the file is larger than {max_bytes // 1024:,} KiB")
    # Removed first, so that the positions of the decoder are positions in these bytes.
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


def split_documents(text: str, file: str) -> tuple[DocumentText, ...]:
    """Return the text of each document of a file.

    Raises: InputError when there are too many
    """
    starts = [0, *_document_starts(text), len(text)]
    if len(starts) > MAX_DOCUMENTS:
        raise too_much(file, f"the file holds more than {MAX_DOCUMENTS:,} documents")
    found, lines = [], 0
    for start, end in pairwise(starts):
        found.append(DocumentText(text[start:end], lines))
        lines += len(_BREAK.findall(text, start, end))
    return tuple(found)


def without_directives(chunk: DocumentText, file: str) -> tuple[DocumentText, tuple[Problem, ...]]:
    """Return a document without the `%` lines before its content, and a problem for the first of them."""
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
    return DocumentText(_DIRECTIVE.sub("#", chunk.text[:end]) + chunk.text[end:], chunk.lines_before), (problem,)


def too_much(file: str, what: str) -> InputError:
    """Return the error for a file that is beyond a limit and was not read."""
    problem = Problem(where=Place(file=file), what=what, hint="split it into several files", rule="yaml.too-large")
    return InputError((problem,))


def _document_starts(text: str) -> Iterator[int]:
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


_CONFLICT = re.compile(r"(?<![^\r\n])(?:<{7}|>{7})(?= |\r|\n|\Z)")
_INDENT = "check the indentation of this line and the one above"
_QUOTES = "put quotes around text that holds braces, brackets or ': '"
_NO_ESCAPE = "an escape that YAML does not know"
_BACKSLASH = "double the backslash, or use single quotes"

# The parser's words, whether the place is where the construct begins, what is wrong, a hint. The first match counts.
_TABLE: tuple[tuple[str, bool, str, str], ...] = (
    ("tab character", False, "a tab where YAML wants spaces", "indent with spaces"),
    ("mapping values are not allowed", False, "a ':' where no field can begin", f"{_INDENT}, and {_QUOTES}"),
    ("escape", False, _NO_ESCAPE, _BACKSLASH),
    ("hexdecimal", False, _NO_ESCAPE, _BACKSLASH),
    ("quoted scalar", True, "the quote that opens here is not closed", "close it, or double a quote that is meant"),
    ("flow sequence", True, "the bracket that opens here is not closed", _QUOTES),
    ("flow mapping", True, "the brace that opens here is not closed", _QUOTES),
    ("cannot start any token", False, "no value can begin with this character", "put quotes around the value"),
    ("could not find expected ':'", True, "this line is no 'field: value'", _INDENT),
    ("did not find expected key", False, "this does not continue the mapping above it", f"{_INDENT}, and {_QUOTES}"),
    ("'-' indicator", False, "this does not continue the list above it", _INDENT),
    ("<block end>", False, "this does not continue what is above it", f"{_INDENT}, and {_QUOTES}"),
    ("block scalar", True, "the block of text that opens here cannot be read", "begin its text on the next line"),
    ("", False, "this is not readable as YAML", f"{_INDENT}, and {_QUOTES}"),
)


def explain_error(error: Exception, chunk: DocumentText, file: str) -> Problem:
    """Return the problem for an error of the parser."""
    if conflict := _CONFLICT.search(chunk.text):
        line = chunk.lines_before + len(_BREAK.findall(chunk.text, 0, conflict.start()))
        hint = "resolve it, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>"
        return _syntax_problem("a merge conflict is left in the file", hint, Place(file=file, line=line + 1, column=1))
    mark = getattr(error, "problem_mark", None)
    words = f"{getattr(error, 'problem', '')}; {getattr(error, 'context', '')}"
    if mark is not None and chunk.text[mark.index : mark.index + 1] == "\t" and "cannot start" in words:
        words = "tab character"
    _, from_start, what, hint = next(row for row in _TABLE if row[0] in words)
    if from_start:
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    return _syntax_problem(what, hint, Place(file=file, line=chunk.lines_before + line + 1, column=column + 1))


def _syntax_problem(what: str, hint: str, where: Place) -> Problem:
    return Problem(where=where, what=what, hint=hint, rule="yaml.syntax")
