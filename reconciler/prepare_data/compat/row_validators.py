"""The old tool's validators of rows and columns: how many, which, which are empty, equal or too long."""

from collections.abc import Iterator

from reconciler.prepare_data.compat.table import (
    NO_FINDING,
    LegacyFinding,
    LegacyTable,
    Print,
    TaskKind,
    guess_table_task,
)

FIELDS = ("prompt", "completion")
FEW = 100
MAX_CHARACTERS = 10_000


def count_rows(table: LegacyTable) -> LegacyFinding:
    """Report the number of rows."""
    advice = (
        ""
        if len(table) >= FEW
        else ". In general, we recommend having at least a few hundred examples. We've found that performance tends to"
        " linearly increase for every doubling of the number of examples"
    )
    return LegacyFinding(note=f"\n- Your file contains {len(table)} prompt-completion pairs{advice}")


def find_column(name: str, table: LegacyTable) -> LegacyFinding:
    """Require one column, and rename it when its name has another case."""
    if name in table.columns:
        return NO_FINDING
    candidates = [column for column in table.columns if column.lower() == name]
    if not candidates:
        what = f"`{name}` column/key is missing. Please make sure you name your columns/keys appropriately, then retry"
        return LegacyFinding(name="necessary_column", error=what)
    return LegacyFinding(
        note=f"\n- The `{name}` column/key should be lowercase",
        necessary=f"Lower case column name to `{name}`",
        change=lambda later, _: later.rename(candidates[0], name),
    )


def find_surplus(table: LegacyTable) -> LegacyFinding:
    """Drop columns that are neither prompt nor completion."""
    if len(table.columns) <= len(FIELDS):
        return NO_FINDING
    surplus = [column for column in table.columns if column not in FIELDS]
    return LegacyFinding(
        note="\n- The input file should contain exactly two columns/keys per row. Additional columns/keys present are:"
        f" {surplus}{''.join(_warnings(surplus))}",
        necessary=f"Remove additional columns/keys: {surplus}",
        change=lambda later, _: later.select(FIELDS),
    )


def _warnings(surplus: list[str]) -> Iterator[str]:
    # Every name contains itself, so the old tool warned about every column.
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
        return NO_FINDING

    def drop(later: LegacyTable, _: Print) -> LegacyTable:
        return later.take(place for place, cell in enumerate(later.column("completion")) if cell != "")

    return LegacyFinding(
        note=f"\n- `completion` column/key should not contain empty strings. These are rows: {empty}",
        necessary=f"Remove {len(empty)} rows with empty completions",
        change=drop,
    )


def find_task(table: LegacyTable) -> LegacyFinding:
    """Report that the rows look like classification."""
    if guess_table_task(table) is not TaskKind.CLASSIFICATION:
        return NO_FINDING
    note = (
        f"\n- Based on your data it seems like you're trying to fine-tune a model for {TaskKind.CLASSIFICATION}"
        "\n- For classification, we recommend you try one of the faster and cheaper models, such as `ada`"
        "\n- For classification, you can estimate the expected model performance by keeping a held out dataset, which"
        " is not used for training"
    )
    return LegacyFinding(note=note)


def find_duplicates(table: LegacyTable) -> LegacyFinding:
    """Offer to drop rows that are equal to an earlier row."""
    repeated = sorted(set(range(len(table))) - set(_first_places(table)))
    if not repeated:
        return NO_FINDING
    return LegacyFinding(
        note=f"\n- There are {len(repeated)} duplicated prompt-completion sets. These are rows: {repeated}",
        optional=f"Remove {len(repeated)} duplicate rows",
        change=lambda later, _: later.take(_first_places(later)),
    )


def _first_places(table: LegacyTable) -> list[int]:
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    first: dict[tuple[str, str], int] = {}
    for place, pair in enumerate(pairs):
        first.setdefault(pair, place)
    return list(first.values())


def find_long(table: LegacyTable) -> LegacyFinding:
    """Offer to drop long rows, found by position and dropped by label, which differ after an earlier drop."""
    if guess_table_task(table) is TaskKind.OPEN_ENDED or not (found := _long_places(table)):
        return NO_FINDING

    def drop(later: LegacyTable, write: Print) -> LegacyTable:
        now = _long_places(later)
        if now != found:
            write(
                "The indices of the long examples has changed as a result of a previously applied recommendation.\n"
                f"The {len(now)} long examples to be dropped are now at the following indices: {now}\n"
            )
        return later.drop_labels(now) if now else later

    return LegacyFinding(
        note=f"\n- There are {len(found)} examples that are very long. These are rows: {found}\nFor conditional"
        " generation, and for classification the examples shouldn't be longer than 2048 tokens.",
        optional=f"Remove {len(found)} long examples",
        change=drop,
    )


def _long_places(table: LegacyTable) -> list[int]:
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    return [place for place, (prompt, answer) in enumerate(pairs) if len(prompt) + len(answer) > MAX_CHARACTERS]
