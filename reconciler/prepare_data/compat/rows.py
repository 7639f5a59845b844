"""The old tool's validators of whole rows: the task they show, duplicates, and rows that are too long."""

from reconciler.prepare_data.compat.affix import TaskKind, guess_task
from reconciler.prepare_data.compat.finding import LegacyFinding, Print
from reconciler.prepare_data.compat.table import LegacyTable

MAX_CHARACTERS = 10_000


def guess_table_task(table: LegacyTable) -> TaskKind:
    """Return what a table is most likely meant to teach."""
    return guess_task(table.column("prompt"), table.column("completion"))


def find_task(table: LegacyTable) -> LegacyFinding:
    """Say so when the rows look like classification."""
    if guess_table_task(table) is not TaskKind.CLASSIFICATION:
        return LegacyFinding(name="num_examples")
    note = (
        f"\n- Based on your data it seems like you're trying to fine-tune a model for {TaskKind.CLASSIFICATION}"
        "\n- For classification, we recommend you try one of the faster and cheaper models, such as `ada`"
        "\n- For classification, you can estimate the expected model performance by keeping a held out dataset, which"
        " is not used for training"
    )
    return LegacyFinding(name="num_examples", note=note)


def find_duplicates(table: LegacyTable) -> LegacyFinding:
    """Offer to keep the first of equal rows."""
    repeated = sorted(set(range(len(table))) - set(_first_places(table)))
    if not repeated:
        return LegacyFinding(name="duplicated_rows")
    return LegacyFinding(
        name="duplicated_rows",
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
    """Offer to drop long rows; found by position and dropped by label, which are not the same after an earlier drop."""
    if guess_table_task(table) is TaskKind.OPEN_ENDED or not (known := _long_places(table)):
        return LegacyFinding(name="long_examples")

    def drop(later: LegacyTable, say: Print) -> LegacyTable:
        now = _long_places(later)
        if now != known:
            say(
                "The indices of the long examples has changed as a result of a previously applied recommendation.\n"
                f"The {len(now)} long examples to be dropped are now at the following indices: {now}\n"
            )
        return later.drop_labels(now) if now else later

    return LegacyFinding(
        name="long_examples",
        note=f"\n- There are {len(known)} examples that are very long. These are rows: {known}\nFor conditional"
        " generation, and for classification the examples shouldn't be longer than 2048 tokens.",
        optional=f"Remove {len(known)} long examples",
        change=drop,
    )


def _long_places(table: LegacyTable) -> list[int]:
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    return [place for place, (prompt, answer) in enumerate(pairs) if len(prompt) + len(answer) > MAX_CHARACTERS]
