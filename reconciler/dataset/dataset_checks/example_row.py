"""What the dataset checks see of a row, its number, key and parts; and what they keep of every row in a few bytes.

Two texts with one 64-bit hash count as equal: among a million texts that differ, that happens once in forty million
datasets, and then a finding is wrong.
"""

import unicodedata
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from reconciler.dataset.canonical import LineBatch, write_canonical_text
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import Format

_GROUPS = 16
_LINE_BITS = 40
_NOT_CONTENT = frozenset({"role", "type", "id", "tool_call_id", "url", "detail"})
_BETWEEN = " \0 "
"""Stands between texts as a separate word, so that spaces at their ends make no difference."""


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
        """Every text of the row with its path, without roles and types."""
        return find_texts(self.row)

    def field(self, name: str) -> str | None:
        """Return a part of the row as text: `prompt`, `completion`, `system` or a key of its own; None for none."""
        named = {"prompt": self.prompt, "completion": self.completion, "system": self.system}
        if name in named and self.format is not Format.COMPLETION:
            return named[name]
        value = self.row.get(name)
        return value if value is None or isinstance(value, str) else write_canonical_text(value)

    @property
    def system(self) -> str | None:
        texts = [_turn_text(turn) for turn in self._turns if turn.get("role") in ("system", "developer")]
        return "\n\n".join(texts) if texts else None

    @property
    def prompt(self) -> str | None:
        """The last text of the user before the answer."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("prompt"))
        asked = [turn for turn in self._turns if turn.get("role") == "user"]
        return _turn_text(asked[-1]) if asked else None

    @property
    def completion(self) -> str | None:
        """The text that is learned: the last answer, or the preferred one."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("completion"))
        turns = _objects(self.row.get("preferred_output")) if self.format is Format.PREFERENCE else self._turns
        answers = [turn for turn in turns if turn.get("role") == "assistant"]
        return _turn_text(answers[-1]) if answers and self.format is not Format.REINFORCEMENT else None

    @property
    def question(self) -> str:
        """All texts before the answer, as one text to compare; empty when there are only system turns."""
        if self.format is Format.COMPLETION:
            return _text(self.row.get("prompt")) or ""
        turns = list(self._turns)
        if self.format is Format.CHAT and turns and turns[-1].get("role") == "assistant":
            turns = turns[:-1]
        if not any(turn.get("role") not in ("system", "developer") for turn in turns):
            return ""
        offered = [self.row.get(key) for key in ("tools", "functions")]
        return _BETWEEN.join(text for part in (turns, *offered) for _, text in _walk_texts(part, ""))

    @property
    def whole(self) -> str:
        """The whole row as one text to compare."""
        return _BETWEEN.join(text for _, text in _walk_texts(self.row, ""))

    @property
    def _turns(self) -> Iterator[dict[str, object]]:
        holder = self.row.get("input") if self.format is Format.PREFERENCE else self.row
        return _objects(holder.get("messages") if isinstance(holder, dict) else None)


class RowPlaces:
    """The place of each row, by its number.

    Cost:   16 bytes for each series of rows that follow line after line
    """

    def __init__(self) -> None:
        self.rows = 0
        self._files: list[str] = []
        self._starts = array("Q")
        self._packed = array("Q")
        self._next = -1

    def note(self, batch: LineBatch) -> None:
        """Note the rows of a batch."""
        if not self._files or self._files[-1] != batch.file:
            self._files.append(batch.file)
        place = len(self._files) - 1 << _LINE_BITS | batch.line
        if place != self._next:
            self._starts.append(self.rows)
            self._packed.append(place)
        self._next = place + len(batch.keys)
        self.rows += len(batch.keys)

    def __getitem__(self, number: int) -> Place:
        at = bisect_right(self._starts, number) - 1
        packed = self._packed[at] + number - self._starts[at]
        return Place(file=self._files[packed >> _LINE_BITS], line=packed & (1 << _LINE_BITS) - 1)


class DatasetCheck(Protocol):
    """One check of a dataset: it sees the rows one by one, and reports at the end what it found in all of them."""

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        """Take a row, and yield what is wrong with it alone."""

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        """Yield what is wrong with all rows together."""


def normalise_text(text: str) -> str:
    """Return a text without differences of case, of white space, and of the encoding of one character."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def find_texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a row with its path, without the names of roles and types."""
    for place, text in _walk_texts(value, path):
        if place.rpartition(".")[2] not in _NOT_CONTENT:
            yield place, text


def _walk_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk_texts(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _walk_texts(inner, f"{path}[{at}]")
    elif value is not None:
        yield path, str(value)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _turn_text(turn: dict[str, object]) -> str:
    content = turn.get("content")
    if isinstance(content, str):
        return content
    parts = [_text(part.get("text")) for part in _objects(content)]
    return "\n".join(part for part in parts if part) or "\n".join(
        text for _, text in find_texts(turn.get("tool_calls"))
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class MostCommonKey(NamedTuple):
    """The key that most rows have: how many they are, and the number of the first."""

    rows: int
    first: int


class RowKeys:
    """One key for each row, in order. Zero is no key: a row without one is like no other.

    Cost:   16 bytes a row, and about 100 for each key of the sixteenth that is searched at a time
    """

    def __init__(self) -> None:
        self._keys = array("Q")
        # The keys are also grouped by their first digit, so that a set or a count holds one group only.
        self._groups = [array("Q") for _ in range(_GROUPS)]

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, number: int) -> int:
        return self._keys[number]

    def add(self, key: int) -> None:
        """Add the key of the next row."""
        self._keys.append(key)
        if key:
            self._groups[key >> 60].append(key)

    def count_different(self) -> int:
        """Return the number of different keys."""
        return sum(len(set(group)) for group in self._groups)

    def find_most_common(self) -> MostCommonKey | None:
        """Return the key that most rows have, the earliest of several; None when no row has one."""
        best: dict[int, int] = {}
        for group in self._groups:
            counts = Counter(group)
            most = max(counts.values(), default=0)
            best |= {
                key: most for key, count in counts.items() if count == most and most >= max(best.values(), default=0)
            }
        rows = max(best.values(), default=0)
        first = next((at for at, key in enumerate(self._keys) if best.get(key) == rows), None) if rows else None
        return None if first is None else MostCommonKey(rows, first)

    def pairs(self, other: "RowKeys | None" = None) -> Iterator[tuple[int, int]]:
        """Yield each row whose key an earlier row has, with the first such row; only where the `other` keys differ."""
        first: dict[int, int] = {}
        repeated = self._find_repeated()
        for at, key in enumerate(self._keys):
            if key in repeated:
                before = first.setdefault(key, at)
                if before != at and (other is None or other[before] != other[at]):
                    yield at, before

    def _find_repeated(self) -> set[int]:
        return {key for group in self._groups for key, count in Counter(group).items() if count > 1}
