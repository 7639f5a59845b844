"""An evaluator of GitHub's expressions, as far as our workflows use them. Anything else is an error."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Value = str | bool | float | None | Mapping[str, Any]

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||[!().]|[A-Za-z_][A-Za-z0-9_-]*|[0-9]+)")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def fill_text(text: str, contexts: Mapping[str, Any], status: str = "success") -> str:
    """Return a text with the values of its `${{ expression }}` parts."""
    return _HOLE.sub(lambda found: write_value(evaluate(found[1], contexts, status)), text)


def holds(condition: str | None, contexts: Mapping[str, Any], status: str) -> bool:
    """Return whether a step or job runs; by default only after success."""
    text = (condition or "success()").strip()
    text = text.removeprefix("${{").removesuffix("}}")
    if not re.search(r"\b(always|success|failure|cancelled)\(", text):
        text = f"success() && ({text})"
    return _true(evaluate(text, contexts, status))


def write_value(value: Value) -> str:
    """Return a value as GitHub writes it in a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def evaluate(text: str, contexts: Mapping[str, Any], status: str = "success") -> Value:
    """Return the value of one expression."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise ValueError(f"not an expression that is known here: {text!r}")
    reader = _Reader(tokens, contexts, status)
    value = reader.either()
    if reader.rest:
        raise ValueError(f"what is {reader.rest[0]!r} in {text!r}?")
    return value


class _Reader:
    """Reads tokens from the left, the loosest binding first."""

    def __init__(self, tokens: Sequence[str], contexts: Mapping[str, Any], status: str) -> None:
        self.rest = list(tokens)
        self._contexts = contexts
        self._functions: dict[str, Callable[[], bool]] = {
            "always": lambda: True,
            "success": lambda: status == "success",
            "failure": lambda: status == "failure",
            "cancelled": lambda: False,
        }

    def either(self) -> Value:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value if _true(value) else other
        return value

    def _both(self) -> Value:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = other if _true(value) else value
        return value

    def _compared(self) -> Value:
        value = self._single()
        if self._took("=="):
            return _same(value, self._single())
        if self._took("!="):
            return not _same(value, self._single())
        return value

    def _single(self) -> Value:
        if self._took("!"):
            return not _true(self._single())
        if self._took("("):
            value = self.either()
            self._need(")")
            return value
        token = self.rest.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return float(token)
        if token in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[token]
        if self._took("("):
            self._need(")")
            return self._functions[token]()
        return self._walked(token)

    def _walked(self, name: str) -> Value:
        value: Any = self._contexts[name]
        while self._took("."):
            key = self.rest.pop(0)
            value = value.get(key) if isinstance(value, Mapping) else None
        found: Value = value
        return found

    def _took(self, token: str) -> bool:
        if self.rest[:1] != [token]:
            return False
        self.rest.pop(0)
        return True

    def _need(self, token: str) -> None:
        if not self._took(token):
            raise ValueError(f"{token} is missing")


def _true(value: Value) -> bool:
    return value not in (None, False, 0, "")


def _same(one: Value, other: Value) -> bool:
    """Compare as GitHub does: texts without regard to case; what is absent equals an empty text."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if {type(one), type(other)} <= {str, type(None)}:
        return (one or "") == (other or "")
    return one == other
