"""Says in our words what stopped the YAML parser, and where its author should look."""

import re

from reconciler.domain.errors import Place, Problem
from reconciler.specfile.yaml.limits import Chunk

_CONFLICT = re.compile(r"(?<![^\r\n])(?:<{7}|>{7})(?= |\r|\n|\Z)")
_BREAK = re.compile(r"\r\n|\r|\n")
_INDENT = "check the indentation of this line and the one above"
_QUOTES = "put quotes around text that holds braces, brackets or ': '"
_NO_ESCAPE = "an escape that YAML does not know"
_BACKSLASH = "double the backslash, or use single quotes"

# Words of the parser; whether to look where it began; what is wrong; what to do. The first row that fits counts.
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


def explained(error: Exception, chunk: Chunk, file: str) -> Problem:
    """Return the problem that a parser's error stands for."""
    if conflict := _CONFLICT.search(chunk.text):
        line = chunk.lines_before + len(_BREAK.findall(chunk.text, 0, conflict.start()))
        hint = "settle it, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>"
        return _problem("a merge conflict is left in the file", hint, Place(file=file, line=line + 1, column=1))
    mark = getattr(error, "problem_mark", None)
    words = f"{getattr(error, 'problem', '')}; {getattr(error, 'context', '')}"
    if mark is not None and chunk.text[mark.index : mark.index + 1] == "\t" and "cannot start" in words:
        words = "tab character"
    _, from_start, what, hint = next(row for row in _TABLE if row[0] in words)
    if from_start:
        mark = getattr(error, "context_mark", None) or mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    return _problem(what, hint, Place(file=file, line=chunk.lines_before + line + 1, column=column + 1))


def _problem(what: str, hint: str, where: Place) -> Problem:
    return Problem(where=where, what=what, hint=hint, rule="yaml.syntax")
