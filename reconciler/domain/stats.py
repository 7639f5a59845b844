"""Figures of a dataset, gathered from its rows."""

import msgspec

from reconciler.domain.desired import Part
from reconciler.domain.spec import Format


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows lie above the bin before and are at most `most`; the last bin has no upper end, and None."""

    most: int | None
    rows: int


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One number of every row, as a whole.

    Shape:  exact, not sampled: `p95` is the least value that at least 95 rows of 100 do not exceed
    """

    total: int
    least: int
    median: int
    p95: int
    most: int
    bins: tuple[Bin, ...]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, and how many rows give it."""

    text: str
    rows: int


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of a dataset whose answers are few and short.

    Shape:  `most` are the most frequent first, as many as are worth showing; `kinds` counts all
    """

    kinds: int
    most: tuple[Label, ...]


class SystemPrompts(msgspec.Struct, frozen=True, kw_only=True):
    """The system prompts of a dataset.

    Shape:  `rows` have one; `kinds` differ, None when they are too many to be counted; `most` is the most frequent, as
            far as was counted; `share` is their part of all characters, 0 to 1
    """

    rows: int
    kinds: int | None
    most: Label
    share: float


class RowShown(msgspec.Struct, frozen=True, kw_only=True):
    """One row to look at.

    Shape:  `number` counts the rows of the dataset from 1, `line` those of the file; `text` is the row as JSON on one
            line; `part` is None where the file is no dataset of a spec
    """

    number: int
    file: str
    line: int
    text: str
    part: Part | None = None


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in figures.

    Shape:  the figures of both sides of a split together, but for `validation_rows`, which is of the one side, and
            `training_tokens`, which is of the other, and what is billed for one epoch: between `least_tokens` and
            `most_tokens`, None if unknown. `vocabulary` is the one that tokens were counted by; None where they
            are an estimate. `partial_rows` have tools, calls or images, whose tokens only the service can count:
            only their text is counted. `unread_rows` could not be read, and are in no figure.
            `turns` is None, and `roles` empty, where rows are no conversations
    Units:  `size_bytes` as uploaded; `characters` of text that the model sees
    """

    name: str
    format: Format
    rows: int
    validation_rows: int
    unread_rows: int
    partial_rows: int
    size_bytes: int
    vocabulary: str | None
    training_tokens: int
    least_tokens: int
    most_tokens: int | None
    tokens: Spread
    characters: Spread
    turns: Spread | None
    roles: tuple[tuple[str, int], ...]
    labels: Labels | None
    system: SystemPrompts | None

    @property
    def is_exact(self) -> bool:
        """Whether tokens were counted, and there is nothing in the rows that could not be."""
        return self.vocabulary is not None and not self.partial_rows
