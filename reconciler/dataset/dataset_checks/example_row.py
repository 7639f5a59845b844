"""One row, as the looks see it: its place, its key, and its parts by what they are for."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.dataset_checks.row_index import RowPlaces
from reconciler.domain.errors import Problem
from reconciler.domain.spec import Format

_NOT_SAID = frozenset({"role", "type", "id", "tool_call_id", "url", "detail"})
_BETWEEN = " \0 "
"""Between texts, as a word of its own, so that spaces at their ends do not count."""


class ExampleRow(NamedTuple):
    """A canonical line, read again.

    Shape:  `number` counts the rows of the dataset from 0; `key` is the xxh3_64 of the line
    """

    number: int
    key: int
    row: dict[str, object]
    format: Format

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Everything that is said, each text with its path in the row."""
        return texts_of(self.row)

    def field(self, name: str) -> str | None:
        """Return a part of the row as text: `prompt`, `completion`, `system` or a key of its own; None for none."""
        named = {"prompt": self.prompt, "completion": self.completion, "system": self.system}
        if name in named and self.format is not Format.COMPLETION:
            return named[name]
        value = self.row.get(name)
        return value if value is None or isinstance(value, str) else write_canonical_text(value)

    @property
    def system(self) -> str | None:
        said = [_turn_text(turn) for turn in self._turns if turn.get("role") in ("system", "developer")]
        return "\n\n".join(said) if said else None

    @property
    def prompt(self) -> str | None:
        """What the user said last before the answer."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("prompt"))
        said = [turn for turn in self._turns if turn.get("role") == "user"]
        return _turn_text(said[-1]) if said else None

    @property
    def completion(self) -> str | None:
        """What is learned: the last answer, or the preferred one."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("completion"))
        turns = _objects(self.row.get("preferred_output")) if self.format is Format.PREFERENCE else self._turns
        said = [turn for turn in turns if turn.get("role") == "assistant"]
        return _turn_text(said[-1]) if said and self.format is not Format.REINFORCEMENT else None

    @property
    def asked(self) -> str:
        """Everything that comes before the answer, as one text to compare; empty when nobody asks anything."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("prompt")) or ""
        turns = list(self._turns)
        if self.format is Format.CHAT and turns and turns[-1].get("role") == "assistant":
            turns = turns[:-1]
        if not any(turn.get("role") not in ("system", "developer") for turn in turns):
            return ""
        offered = [self.row.get(key) for key in ("tools", "functions")]
        return _BETWEEN.join(text for part in (turns, *offered) for _, text in _every(part, ""))

    @property
    def whole(self) -> str:
        """The whole row as one text to compare."""
        return _BETWEEN.join(text for _, text in _every(self.row, ""))

    @property
    def _turns(self) -> Iterator[dict[str, object]]:
        holder = self.row.get("input") if self.format is Format.PREFERENCE else self.row
        return _objects(holder.get("messages") if isinstance(holder, dict) else None)


def normalise_text(text: str) -> str:
    """Return a text without the differences that do not count: case, white space, and spellings of one character."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def texts_of(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a row with its path, but the names of roles and types."""
    for place, text in _every(value, path):
        if place.rpartition(".")[2] not in _NOT_SAID:
            yield place, text


def _every(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _every(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _every(inner, f"{path}[{at}]")
    elif value is not None:
        yield path, str(value)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _turn_text(turn: dict[str, object]) -> str:
    content = turn.get("content")
    if isinstance(content, str):
        return content
    parts = [_text(part.get("text")) for part in _objects(content)]
    return "\n".join(part for part in parts if part) or "\n".join(text for _, text in texts_of(turn.get("tool_calls")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class DatasetCheck(Protocol):
    """One thing that is looked for."""

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        """Take an example in; gives what is wrong with it alone."""

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        """Return what is wrong with all of them together."""
