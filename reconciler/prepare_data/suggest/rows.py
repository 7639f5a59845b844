"""Rules about whole rows: what they look like, which repeat, which are too long."""

from collections import Counter
from collections.abc import Sequence

from reconciler.dataset.row import Row
from reconciler.domain.prepare import Deduplicate, DropLong
from reconciler.prepare_data.compat.affix import TaskKind
from reconciler.prepare_data.compat.rows import MAX_CHARACTERS
from reconciler.prepare_data.suggest.carry_out import apply_step
from reconciler.prepare_data.suggest.cells import COMPLETION, FIELDS, column_texts, guess_rows_task
from reconciler.prepare_data.suggest.finding import NO_RESULT, FileFinding, Remedy, RemedyStep, RuleResult


def find_task(rows: Sequence[Row]) -> RuleResult:
    """Say so when the rows look like classification."""
    if guess_rows_task(rows) is not TaskKind.CLASSIFICATION:
        return NO_RESULT
    counts = Counter(column_texts(rows, COMPLETION)).most_common()
    least, most = counts[-1][1], counts[0][1]
    what = f"looks like classification: {len(counts)} different completions, {least} to {most} rows each"
    return RuleResult(findings=(FileFinding(name="format_inferrer", what=what),))


def find_duplicates(rows: Sequence[Row]) -> RuleResult:
    """Keep the first of equal rows."""
    return _drop_rows(rows, Deduplicate(columns=FIELDS), "duplicated_rows", "equal to an earlier one")


def find_long(rows: Sequence[Row]) -> RuleResult:
    """Drop rows of more characters than the old models could read."""
    if guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    step = DropLong(characters=MAX_CHARACTERS, columns=FIELDS)
    return _drop_rows(rows, step, "long_examples", f"longer than {MAX_CHARACTERS} characters")


def _drop_rows(rows: Sequence[Row], step: RemedyStep, name: str, which: str) -> RuleResult:
    left = Counter(row.line for row in apply_step(step, rows))
    dropped = tuple(row.line for row in rows if not left[row.line])
    if not dropped:
        return NO_RESULT
    said = f"{len(dropped)} {'row' if len(dropped) == 1 else 'rows'} {which}"
    return RuleResult(
        findings=(FileFinding(name=name, what=said, lines=dropped),),
        remedy=Remedy(name=name, what=f"Drop {said}", necessary=False, steps=(step,)),
    )
