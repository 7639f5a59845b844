"""Texts with columns in braces: `{subject}: {body}`. A brace itself is written twice."""

import re
from collections.abc import Mapping

import msgspec

from reconciler.dataset.canonical import canonical_text

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Template(msgspec.Struct, frozen=True):
    """A text and the columns in it.

    Shape:  `pieces` are a text each, followed by a column or, at the end, by nothing
    """

    source: str
    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, source: str) -> "Template":
        """Read a template.

        Raises: ValueError, in words for its author, when a brace stands alone or names nothing
        """
        pieces: list[tuple[str, str | None]] = []
        text, end = "", 0
        for found in _PIECE.finditer(source):
            text += source[end : found.start()]
            end = found.end()
            if found[0] in {"{{", "}}"}:
                text += found[0][0]
            elif found[1]:
                pieces.append((text, found[1]))
                text = ""
            else:
                raise ValueError("no column between the braces" if found[0] == "{}" else f"a `{found[0]}` stands alone")
        return cls(source, (*pieces, (text + source[end:], None)))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for _, column in self.pieces if column is not None)

    def render(self, cells: Mapping[str, object]) -> str:
        """Fill the columns in; what is missing or null is empty."""
        return "".join([text + ("" if column is None else text_of(cells.get(column))) for text, column in self.pieces])

    def is_empty(self, cells: Mapping[str, object]) -> bool:
        """Return whether a row has nothing for this text: its columns are all empty, or it says nothing at all."""
        columns = self.columns
        return not any(text_of(cells.get(column)) for column in columns) if columns else not self.render(cells)


def text_of(value: object) -> str:
    """Write a value as text: strings as they are, null as nothing, everything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_text(value)
