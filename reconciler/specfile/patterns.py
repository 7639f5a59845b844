"""Templates and regular expressions of an author: the columns that they name, and what is wrong with them."""

import re

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<column>[^{}]*)\}")
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")


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
    """Return what is wrong with a regular expression, and a hint; None when it is valid."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        reason = error.msg if isinstance(error, re.error) else "it is too large"
        return f"this is not a regular expression: {reason}{at}", "write it in the syntax of Python's re module"
    if _repeats_a_repetition(pattern):
        what = "a repeated group contains a repetition, as in '(a+)+': some texts would take too long to match"
        return what, "repeat either the group or its content, not both"
    return None


def _repeats_a_repetition(pattern: str) -> bool:
    # Only groups count: a sign in a character class, or after a backslash, has no meaning.
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    inside = [False]
    at = 0
    while at < len(plain):
        if plain[at] == "(":
            inside.append(False)
        elif plain[at] == ")" and len(inside) > 1:
            repeats = inside.pop()
            if repeats and _UNBOUNDED.match(plain, at + 1):
                return True
            inside[-1] = inside[-1] or repeats
        elif _UNBOUNDED.match(plain, at):
            inside[-1] = True
        at += 1
    return False
