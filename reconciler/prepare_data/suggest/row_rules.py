"""Rules about columns and rows: which there are, which are empty, equal or too long.

The remedies of the rules about columns are necessary: without them the rows train nothing.
"""

from collections import Counter
from collections.abc import Sequence

from reconciler.dataset import Row, suggest_mapping
from reconciler.dataset.steps import is_empty
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong, FillTemplate, KeepColumns, Rename
from reconciler.prepare_data.compat import MAX_CHARACTERS, TaskKind
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    FIELDS,
    NO_RESULT,
    FileFinding,
    RemedyStep,
    RuleResult,
    apply_step,
    cells_of,
    column_texts,
    guess_rows_task,
    list_columns,
    suggest_remedy,
)

FEW = 100


def count_rows(rows: Sequence[Row]) -> RuleResult:
    """Report the number of rows; advise to add more when there are few."""
    advice = "; a few hundred train better, and every doubling helps" if len(rows) < FEW else ""
    return RuleResult(findings=(FileFinding(name="num_examples", what=f"{_count(len(rows))}{advice}"),))


def find_columns(rows: Sequence[Row]) -> RuleResult:
    """Require a prompt and a completion; rename columns that have these names in another case."""
    columns = list_columns(rows)
    names: list[tuple[str, str]] = []
    for wanted in FIELDS:
        candidates = [column for column in columns if column.lower() == wanted]
        if not candidates:
            where, what = Place(file=rows[0].file, line=rows[0].line), f"there is no column `{wanted}`"
            return RuleResult(
                problem=Problem(where=where, what=what, hint=_suggest_mapping(columns), rule="mapping.missing")
            )
        if wanted not in candidates:
            names.append((candidates[0], wanted))
    if not names:
        return NO_RESULT
    remedy = "Rename " + ", ".join(f"`{old}` to `{new}`" for old, new in names)
    step = Rename(names=tuple(names))
    return suggest_remedy("necessary_column", "column names must be in lower case", remedy, step, necessary=True)


def _suggest_mapping(columns: Sequence[str]) -> str:
    return (
        f"in a spec, {suggest_mapping(columns)}; or rename the columns in the file" if columns else "name the columns"
    )


def find_surplus(rows: Sequence[Row]) -> RuleResult:
    """Drop columns other than prompt and completion."""
    surplus = [column for column in list_columns(rows) if column not in FIELDS]
    if not surplus:
        return NO_RESULT
    names = ", ".join(f"`{column}`" for column in surplus[:20])
    what = f"{len(surplus)} column{'s' if len(surplus) > 1 else ''} besides `prompt` and `completion`: {names}"
    remedy = "Keep only the columns `prompt` and `completion`"
    return suggest_remedy("additional_column", what, remedy, KeepColumns(columns=FIELDS), necessary=True)


def find_empty(rows: Sequence[Row]) -> RuleResult:
    """Drop rows without a completion, and rows without a prompt where others have one."""
    wanted = (COMPLETION,) if guess_rows_task(rows) is TaskKind.OPEN_ENDED else FIELDS
    lines = tuple(row.line for row in rows if any(is_empty(cells_of(row).get(column)) for column in wanted))
    if not lines:
        return NO_RESULT
    what = f"{_count(len(lines))} without {' or '.join(f'`{column}`' for column in wanted)}"
    step = DropEmpty(columns=wanted)
    return suggest_remedy("empty_completion", what, f"Drop {what}", step, necessary=True, lines=lines)


def find_other_than_text(rows: Sequence[Row]) -> RuleResult:
    """Write numbers and other values as text."""
    cells = [(row, column) for row in rows for column in FIELDS if not isinstance(cells_of(row).get(column), str)]
    if not cells:
        return NO_RESULT
    lines = tuple(dict.fromkeys(row.line for row, _ in cells))
    columns = [column for column in FIELDS if any(column == other for _, other in cells)]
    names = " and ".join(f"`{column}`" for column in columns)
    step = FillTemplate(templates=tuple((column, f"{{{column}}}") for column in columns))
    what = f"values of {names} are not text"
    return suggest_remedy("text", what, f"Write {names} as text", step, necessary=True, lines=lines)


def find_task(rows: Sequence[Row]) -> RuleResult:
    """Report that the rows look like classification."""
    if guess_rows_task(rows) is not TaskKind.CLASSIFICATION:
        return NO_RESULT
    counts = Counter(column_texts(rows, COMPLETION)).most_common()
    least, most = counts[-1][1], counts[0][1]
    what = f"looks like classification: {len(counts)} different completions, {least} to {most} rows each"
    return RuleResult(findings=(FileFinding(name="format_inferrer", what=what),))


def find_duplicates(rows: Sequence[Row]) -> RuleResult:
    """Drop rows that are equal to an earlier row."""
    return _drop_rows(rows, Deduplicate(columns=FIELDS), "duplicated_rows", "equal to an earlier row")


def find_long(rows: Sequence[Row]) -> RuleResult:
    """Drop rows of more characters than the old models could read."""
    if guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    step = DropLong(characters=MAX_CHARACTERS, columns=FIELDS)
    return _drop_rows(rows, step, "long_examples", f"longer than {MAX_CHARACTERS} characters")


def _drop_rows(rows: Sequence[Row], step: RemedyStep, name: str, which: str) -> RuleResult:
    left = Counter(row.line for row in apply_step(step, rows))
    lines = tuple(row.line for row in rows if not left[row.line])
    if not lines:
        return NO_RESULT
    what = f"{_count(len(lines))} {which}"
    return suggest_remedy(name, what, f"Drop {what}", step, lines=lines)


def _count(rows: int) -> str:
    return f"{rows} {'row' if rows == 1 else 'rows'}"
