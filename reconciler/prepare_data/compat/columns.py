"""The old tool's first five validators: how many rows, which columns, which completions are empty."""

from collections.abc import Callable, Iterator

from reconciler.prepare_data.compat.finding import LegacyFinding, Print
from reconciler.prepare_data.compat.table import LegacyTable

FIELDS = ("prompt", "completion")
FEW = 100


def count_rows(table: LegacyTable) -> LegacyFinding:
    """Say how many rows there are."""
    advice = (
        ""
        if len(table) >= FEW
        else ". In general, we recommend having at least a few hundred examples. We've found that performance tends to"
        " linearly increase for every doubling of the number of examples"
    )
    return LegacyFinding(
        name="num_examples", note=f"\n- Your file contains {len(table)} prompt-completion pairs{advice}"
    )


def find_column(name: str) -> Callable[[LegacyTable], LegacyFinding]:
    """Return the validator that wants one column: as named, or in another case."""

    def validator(table: LegacyTable) -> LegacyFinding:
        if name in table.columns:
            return LegacyFinding(name="necessary_column")
        alike = [column for column in table.columns if column.lower() == name]
        if not alike:
            what = (
                f"`{name}` column/key is missing. Please make sure you name your columns/keys appropriately, then retry"
            )
            return LegacyFinding(name="necessary_column", error=what)
        return LegacyFinding(
            name="necessary_column",
            note=f"\n- The `{name}` column/key should be lowercase",
            necessary=f"Lower case column name to `{name}`",
            change=lambda later, _: later.rename(alike[0], name),
        )

    return validator


def find_surplus(table: LegacyTable) -> LegacyFinding:
    """Drop columns that are neither prompt nor completion."""
    if len(table.columns) <= len(FIELDS):
        return LegacyFinding(name="additional_column")
    surplus = [column for column in table.columns if column not in FIELDS]
    return LegacyFinding(
        name="additional_column",
        note="\n- The input file should contain exactly two columns/keys per row. Additional columns/keys present are:"
        f" {surplus}{''.join(_warnings(surplus))}",
        necessary=f"Remove additional columns/keys: {surplus}",
        change=lambda later, _: later.select(FIELDS),
    )


def _warnings(surplus: list[str]) -> Iterator[str]:
    # A name is always contained in itself, so the old tool warned of every one.
    for column in surplus:
        yield (
            f"\n  WARNING: Some of the additional columns/keys contain `{column}` in their name. These will be ignored,"
            f" and the column/key `{column}` will be used instead. This could also result from a duplicate column/key"
            " in the provided file."
        )


def find_empty(table: LegacyTable) -> LegacyFinding:
    """Drop rows without a completion."""
    empty = [place for place, cell in enumerate(table.column("completion")) if cell == ""]
    if not empty:
        return LegacyFinding(name="empty_completion")

    def drop(later: LegacyTable, _: Print) -> LegacyTable:
        return later.take(place for place, cell in enumerate(later.column("completion")) if cell != "")

    return LegacyFinding(
        name="empty_completion",
        note=f"\n- `completion` column/key should not contain empty strings. These are rows: {empty}",
        necessary=f"Remove {len(empty)} rows with empty completions",
        change=drop,
    )
