"""Rules about whole rows: what they look like, which repeat, which are too long."""

from collections import Counter
from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.domain.prepare import Deduplicate, DropLong
from reconciler.prepare_data.compat.affix import Task
from reconciler.prepare_data.compat.rows import MAX_CHARACTERS
from reconciler.prepare_data.suggest.carry_out import carried_out
from reconciler.prepare_data.suggest.cells import COMPLETION, FIELDS, task, texts
from reconciler.prepare_data.suggest.finding import NOTHING, Finding, Found, Mending, Remedy


def find_task(rows: Sequence[Row]) -> Found:
    """Say so when the rows look like classification."""
    if task(rows) is not Task.CLASSIFICATION:
        return NOTHING
    counts = Counter(texts(rows, COMPLETION)).most_common()
    least, most = counts[-1][1], counts[0][1]
    what = f"looks like classification: {len(counts)} different completions, {least} to {most} rows each"
    return Found(findings=(Finding(name="format_inferrer", what=what),))


def find_duplicates(rows: Sequence[Row]) -> Found:
    """Keep the first of equal rows."""
    return _dropping(rows, Deduplicate(columns=FIELDS), "duplicated_rows", "equal to an earlier one")


def find_long(rows: Sequence[Row]) -> Found:
    """Drop rows of more characters than the old models could read."""
    if task(rows) is Task.OPEN_ENDED:
        return NOTHING
    step = DropLong(characters=MAX_CHARACTERS, columns=FIELDS)
    return _dropping(rows, step, "long_examples", f"longer than {MAX_CHARACTERS} characters")


def _dropping(rows: Sequence[Row], step: Mending, name: str, which: str) -> Found:
    left = Counter(row.line for row in carried_out(step, rows))
    dropped = tuple(row.line for row in rows if not left[row.line])
    if not dropped:
        return NOTHING
    said = f"{len(dropped)} {'row' if len(dropped) == 1 else 'rows'} {which}"
    return Found(
        findings=(Finding(name=name, what=said, lines=dropped),),
        remedy=Remedy(name=name, what=f"Drop {said}", necessary=False, steps=(step,)),
    )
