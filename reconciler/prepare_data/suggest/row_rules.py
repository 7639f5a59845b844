"""Rules about whole rows: what they look like, which repeat, which are too long."""

from collections import Counter
from collections.abc import Sequence

from reconciler.dataset.formats import mapping_hint
from reconciler.dataset.row import Row
from reconciler.dataset.steps import is_empty
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong, FillTemplate, KeepColumns, Rename
from reconciler.prepare_data.compat import MAX_CHARACTERS, TaskKind
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    FIELDS,
    NO_RESULT,
    FileFinding,
    Remedy,
    RemedyStep,
    RuleResult,
    apply_step,
    cells_of,
    column_texts,
    guess_rows_task,
    list_columns,
)


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


FEW = 100


def count_rows(rows: Sequence[Row]) -> RuleResult:
    """Say how many rows there are, and that more are better."""
    noun = "row" if len(rows) == 1 else "rows"
    advice = "; a few hundred are better, and every doubling helps" if len(rows) < FEW else ""
    return RuleResult(findings=(FileFinding(name="num_examples", what=f"{len(rows)} {noun}{advice}"),))


def find_columns(rows: Sequence[Row]) -> RuleResult:
    """Want a prompt and a completion, whatever their case."""
    columns = list_columns(rows)
    names: list[tuple[str, str]] = []
    for wanted in FIELDS:
        alike = [column for column in columns if column.lower() == wanted]
        if not alike:
            what = f"there is no column `{wanted}`"
            where = Place(file=rows[0].file, line=rows[0].line)
            return RuleResult(
                problem=Problem(where=where, what=what, hint=_suggest_mapping(columns), rule="mapping.missing")
            )
        if wanted not in alike:
            names.append((alike[0], wanted))
    if not names:
        return NO_RESULT
    said = ", ".join(f"`{old}` to `{new}`" for old, new in names)
    return RuleResult(
        findings=(FileFinding(name="necessary_column", what="column names are expected in lower case"),),
        remedy=Remedy(
            name="necessary_column", what=f"Rename {said}", necessary=True, steps=(Rename(names=tuple(names)),)
        ),
    )


def _suggest_mapping(columns: Sequence[str]) -> str:
    return f"in a spec, {mapping_hint(columns)}; or rename the columns in the file" if columns else "name the columns"


def find_surplus(rows: Sequence[Row]) -> RuleResult:
    """Leave out what is neither prompt nor completion."""
    surplus = [column for column in list_columns(rows) if column not in FIELDS]
    if not surplus:
        return NO_RESULT
    said = ", ".join(f"`{column}`" for column in surplus[:20])
    return RuleResult(
        findings=(FileFinding(name="additional_column", what=f"{len(surplus)} more columns than two: {said}"),),
        remedy=Remedy(
            name="additional_column",
            what="Keep the columns `prompt` and `completion` only",
            necessary=True,
            steps=(KeepColumns(columns=FIELDS),),
        ),
    )


def find_empty(rows: Sequence[Row]) -> RuleResult:
    """Drop rows without a completion, and those without a prompt where others have one."""
    wanted = (COMPLETION,) if guess_rows_task(rows) is TaskKind.OPEN_ENDED else FIELDS
    empty = tuple(row.line for row in rows if any(is_empty(cells_of(row).get(column)) for column in wanted))
    if not empty:
        return NO_RESULT
    said = " or ".join(f"`{column}`" for column in wanted)
    noun = "row" if len(empty) == 1 else "rows"
    return RuleResult(
        findings=(FileFinding(name="empty_completion", what=f"{len(empty)} {noun} without {said}", lines=empty),),
        remedy=Remedy(
            name="empty_completion",
            what=f"Drop {len(empty)} {noun} without {said}",
            necessary=True,
            steps=(DropEmpty(columns=wanted),),
        ),
    )


def find_other_than_text(rows: Sequence[Row]) -> RuleResult:
    """Write numbers and other values as the text that they show."""
    found = [(row, column) for row in rows for column in FIELDS if not isinstance(cells_of(row).get(column), str)]
    if not found:
        return NO_RESULT
    lines = tuple(dict.fromkeys(row.line for row, _ in found))
    columns = [column for column in FIELDS if any(column == each for _, each in found)]
    said = " and ".join(f"`{column}`" for column in columns)
    return RuleResult(
        findings=(FileFinding(name="text", what=f"values of {said} that are not text", lines=lines),),
        remedy=Remedy(
            name="text",
            what=f"Write {said} as text",
            necessary=True,
            steps=(FillTemplate(templates=tuple((column, f"{{{column}}}") for column in columns)),),
        ),
    )
