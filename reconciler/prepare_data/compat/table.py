"""The old tool's table, which keeps a label on every row when others are dropped; what a validator finds in it."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

Label = Hashable


class LegacyCrashError(Exception):
    """The old tool ends with a traceback at this point."""


class TaskKind(StrEnum):
    """What the rows most likely teach."""

    OPEN_ENDED = "open-ended generation"
    CLASSIFICATION = "classification"
    CONDITIONAL = "conditional generation"


class LegacyTable(msgspec.Struct, frozen=True):
    """Columns of text.

    Shape:  `labels` is None until a row is dropped, and then names each row that is left; it is a range when rows were
            dropped by label from an end
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: Sequence[Label] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[str]:
        """Return the cells of one column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    @property
    def row_labels(self) -> Sequence[Label]:
        """The label of each row."""
        return range(len(self.rows)) if self.labels is None else self.labels

    def rename(self, old: str, new: str) -> "LegacyTable":
        """Return the table with one column renamed."""
        return replace(self, columns=tuple(new if name == old else name for name in self.columns))

    def select(self, names: Iterable[str]) -> "LegacyTable":
        """Return the table with only these columns, in this order."""
        wanted = tuple(names)
        places = [self.columns.index(name) for name in wanted]
        return replace(self, columns=wanted, rows=tuple(tuple(row[place] for place in places) for row in self.rows))

    def map_column(self, name: str, change: Callable[[str], str]) -> "LegacyTable":
        """Return the table with every cell of one column changed."""
        place = self.columns.index(name)
        rows = tuple((*row[:place], change(row[place]), *row[place + 1 :]) for row in self.rows)
        return replace(self, rows=rows)

    def take(self, positions: Iterable[int]) -> "LegacyTable":
        """Return the rows at these positions, in this order, each with its label."""
        taken = list(positions)
        labels = self.row_labels
        return replace(
            self, rows=tuple(self.rows[each] for each in taken), labels=tuple(labels[each] for each in taken)
        )

    def drop_labels(self, labels: Iterable[Label]) -> "LegacyTable":
        """Return the rows that have none of these labels.

        Raises: LegacyCrashError when no row has one of the labels
        """
        unwanted = set(labels)
        missing = unwanted - set(self.row_labels)
        if missing:
            raise LegacyCrashError(f"KeyError: {sorted(map(str, missing))} not found in axis")
        left = [place for place, label in enumerate(self.row_labels) if label not in unwanted]
        kept = self.take(left)
        is_run = self.labels is None and left and left[-1] - left[0] + 1 == len(left)
        return replace(kept, labels=range(left[0], left[-1] + 1)) if is_run else kept


Print = Callable[[str], None]


Change = Callable[[LegacyTable, Print], LegacyTable]


class LegacyFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What one validator finds.

    Shape:  `note` is printed in the first pass; the `change` of a `necessary` finding is made in the first pass, the
            `change` of an `optional` one in the second pass and after a yes; an `error` ends the run, and
            shows the `name` of its validator
    """

    note: str = ""
    necessary: str = ""
    optional: str = ""
    error: str = ""
    name: str = ""
    change: Change | None = None


NO_FINDING = LegacyFinding()


def guess_task(prompts: Iterable[str], completions: Sequence[str]) -> TaskKind:
    """Return the task: open-ended without prompts, classification when under a third of the answers are different."""
    if not any(prompts):
        return TaskKind.OPEN_ENDED
    return TaskKind.CLASSIFICATION if len(set(completions)) < len(completions) / 3 else TaskKind.CONDITIONAL


def guess_table_task(table: LegacyTable) -> TaskKind:
    """Return what the rows of a table most likely teach."""
    return guess_task(table.column("prompt"), table.column("completion"))
