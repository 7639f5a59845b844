"""The old tool's validators of whole rows: the task they show, duplicates, and rows that are too long."""

from reconciler.prepare_data.compat.affix import Task, task_of
from reconciler.prepare_data.compat.finding import Finding, Say
from reconciler.prepare_data.compat.table import Table

MAX_CHARACTERS = 10_000


def task(table: Table) -> Task:
    """Return what a table is most likely meant to teach."""
    return task_of(table.column("prompt"), table.column("completion"))


def find_task(table: Table) -> Finding:
    """Say so when the rows look like classification."""
    if task(table) is not Task.CLASSIFICATION:
        return Finding(name="num_examples")
    note = (
        f"\n- Based on your data it seems like you're trying to fine-tune a model for {Task.CLASSIFICATION}"
        "\n- For classification, we recommend you try one of the faster and cheaper models, such as `ada`"
        "\n- For classification, you can estimate the expected model performance by keeping a held out dataset, which"
        " is not used for training"
    )
    return Finding(name="num_examples", note=note)


def find_duplicates(table: Table) -> Finding:
    """Offer to keep the first of equal rows."""
    repeated = sorted(set(range(len(table))) - set(_firsts(table)))
    if not repeated:
        return Finding(name="duplicated_rows")
    return Finding(
        name="duplicated_rows",
        note=f"\n- There are {len(repeated)} duplicated prompt-completion sets. These are rows: {repeated}",
        optional=f"Remove {len(repeated)} duplicate rows",
        change=lambda later, _: later.at(_firsts(later)),
    )


def _firsts(table: Table) -> list[int]:
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    first: dict[tuple[str, str], int] = {}
    for place, pair in enumerate(pairs):
        first.setdefault(pair, place)
    return list(first.values())


def find_long(table: Table) -> Finding:
    """Offer to drop long rows; found by position and dropped by label, which are not the same after an earlier drop."""
    if task(table) is Task.OPEN_ENDED or not (known := _long(table)):
        return Finding(name="long_examples")

    def drop(later: Table, say: Say) -> Table:
        now = _long(later)
        if now != known:
            say(
                "The indices of the long examples has changed as a result of a previously applied recommendation.\n"
                f"The {len(now)} long examples to be dropped are now at the following indices: {now}\n"
            )
        return later.without_labels(now) if now else later

    return Finding(
        name="long_examples",
        note=f"\n- There are {len(known)} examples that are very long. These are rows: {known}\nFor conditional"
        " generation, and for classification the examples shouldn't be longer than 2048 tokens.",
        optional=f"Remove {len(known)} long examples",
        change=drop,
    )


def _long(table: Table) -> list[int]:
    pairs = zip(table.column("prompt"), table.column("completion"), strict=True)
    return [place for place, (prompt, answer) in enumerate(pairs) if len(prompt) + len(answer) > MAX_CHARACTERS]
