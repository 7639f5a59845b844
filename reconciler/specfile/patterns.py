"""Templates and regular expressions of an author: the columns that they name, and what is wrong with them."""

import re

from reconciler.foundation.expressions import ExpressionError, compile_expression

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<column>[^{}]*)\}")


def columns_of(template: str) -> tuple[str, ...]:
    """Return the columns of a template, in order."""
    return tuple(found["column"] for found in _PIECE.finditer(template) if found["column"] is not None)


def template_fault(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a template, and a hint; None when it is valid."""
    if any(not name.strip() for name in columns_of(text)):
        return "these braces name no column", "write the column's name between them, or double braces that are meant"
    rest = _PIECE.sub("", text)
    if "{" in rest:
        return "a brace is opened and not closed", "close it after the column's name, or double it if it is meant"
    if "}" in rest:
        return "a brace is closed that was not opened", "open it before the column's name, or double it if it is meant"
    return None


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """Return what is wrong with a regular expression, and a hint; None when it is valid.

    Cost:   the library is loaded for the first expression, and only then
    """
    try:
        compile_expression(pattern)
    except ExpressionError as error:
        return error.what, error.hint
    return None
