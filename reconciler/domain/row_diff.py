"""What changed between two versions of a dataset: counts of all rows, and a few rows as samples."""

from enum import StrEnum

import msgspec

from reconciler.domain.errors import Place
from reconciler.domain.identity import Tagged

FEW_ROWS = 5
"""Rows of one dataset that a plan shows; a page has space for more."""


class RowChange(StrEnum):
    """How a row changed. A row that was edited and moved counts as edited."""

    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"
    MOVED = "moved"
    REFORMATTED = "reformatted"


class WordChange(StrEnum):
    """How a run of words changed."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Some words of a text that stayed, went or came together; `…` stands for words that stayed and are not shown."""

    change: WordChange
    text: str


class CellChange(msgspec.Struct, frozen=True, kw_only=True):
    """One value within a row, before and after.

    Shape:  `path` such as `messages[2].content`; texts are as they are, other values as JSON, both cut short; None
            where there was nothing. `words` are there where both are texts
    """

    path: str
    before: str | None
    after: str | None
    words: tuple[Words, ...] = ()


class RowSample(msgspec.Struct, frozen=True, kw_only=True):
    """One row that changed.

    Shape:  rows count from 1, and 0 is not there; `place` is where a source holds it, the new one if there are two;
            `text` is the row, cut short, where it was not edited; `cells_more` are those left out of `cells`
    """

    change: RowChange
    row_before: int = 0
    row_after: int = 0
    place: Place | None = None
    id: str = ""
    text: str = ""
    cells: tuple[CellChange, ...] = ()
    cells_more: int = 0


class RowDiff(Tagged, frozen=True, kw_only=True):
    """How the rows of a dataset differ from an earlier version of them.

    Shape:  `before` names that version; `tokens` are how many more there are now, None where they were not counted;
            `is_whole` is false when so many rows differ that not all were looked at for likeness, and then some that
            were edited count as one removed and one added; `training_before` and `training_after` are the rows of the
            training file, None where they are not known: a split takes the others out of it
    """

    before: str
    rows_before: int
    rows_after: int
    added: int = 0
    removed: int = 0
    edited: int = 0
    moved: int = 0
    reformatted: int = 0
    samples: tuple[RowSample, ...] = ()
    tokens: int | None = None
    is_whole: bool = True
    training_before: int | None = None
    training_after: int | None = None

    @property
    def has_other_share(self) -> bool:
        """Whether the training file changes by another number of rows than the dataset."""
        if self.training_before is None or self.training_after is None:
            return False
        return self.training_after - self.training_before != self.rows_after - self.rows_before

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.edited or self.moved or self.reformatted)


class RowsUnknown(Tagged, frozen=True, kw_only=True):
    """There is an earlier version of the rows, and why they could not be compared with it."""

    before: str
    why: str
