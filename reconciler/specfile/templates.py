"""Templates as an author wrote them: which columns they name, and what is not clear about them."""

import re

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<column>[^{}]*)\}")


def columns_of(template: str) -> tuple[str, ...]:
    """Name the columns of a template, in order."""
    return tuple(found["column"] for found in _PIECE.finditer(template) if found["column"] is not None)


def template_fault(text: str) -> tuple[str, str] | None:
    """Say what is wrong with a template, and the way out; None when it can be read."""
    if any(not name.strip() for name in columns_of(text)):
        return "these braces name no column", "write the column's name between them, or double braces that are meant"
    rest = _PIECE.sub("", text)
    if "{" in rest:
        return "a brace is opened and not closed", "close it after the column's name, or double it if it is meant"
    if "}" in rest:
        return "a brace is closed that was not opened", "open it before the column's name, or double it if it is meant"
    return None
