"""Rules about columns and rows: which there are, which are empty, equal or too long.

The remedies of the rules about columns are necessary: without them the rows train nothing.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from reconciler.dataset import LOOKED_AT, Recognition, Row, suggest_mapping
from reconciler.dataset.hints import describe_meaning, find_meaning, suggest_in_row
from reconciler.dataset.recognise import WRITE_TURNS, RowForm, find_turn_marks
from reconciler.dataset.row_checks import check_row
from reconciler.dataset.steps import is_empty
from reconciler.domain.errors import Place, Problem
from reconciler.domain.prepare import (
    Convert,
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropEmptyTurns,
    DropLong,
    FillTemplate,
    Form,
    KeepColumns,
    MendCalls,
    MendImages,
    Rename,
)
from reconciler.domain.spec import Format
from reconciler.foundation.text import list_words
from reconciler.prepare_data.compat import MAX_CHARACTERS, TaskKind
from reconciler.prepare_data.suggest.finding import (
    COMPLETION,
    FIELDS,
    NO_RESULT,
    PROMPT,
    FileFinding,
    RemedyStep,
    RuleResult,
    cells_of,
    column_texts,
    guess_rows_task,
    list_columns,
    run_step,
    suggest_remedy,
)

FEW = 100
_SYSTEM = ("system",)


def count_rows(rows: Sequence[Row]) -> RuleResult:
    """Report the number of rows; advise to add more when there are few."""
    advice = "; a few hundred train better, and every doubling helps" if len(rows) < FEW else ""
    return RuleResult(findings=(FileFinding(name="num_examples", what=f"{_count(len(rows))}{advice}"),))


PLAIN_TABLES = (RowForm.TABLE, RowForm.CONTEXT)
"""The forms that columns with a question and an answer have."""


def describe_form(rows: Sequence[Row], found: Recognition) -> Problem:
    """Return the problem of rows that only their author can bring into the API's form."""
    what = f"{found.rows} of {found.seen} rows are {found.form}: {found.reason}"
    if found.form is None:
        what = f"{found.rows} of {found.seen} rows have no known form{f': {found.reason}' if found.reason else ''}"
    return Problem(where=Place(file=rows[0].file, line=rows[0].line), what=what, hint=found.hint, rule="format.other")


def convert_form(found: Recognition, rows: Sequence[Row]) -> RuleResult:
    """Convert rows of another form."""
    what = f"{found.rows} of {found.seen} rows are {found.form}: {found.reason}"
    if found.format is not None:
        return RuleResult(findings=(FileFinding(name="format", what=f"{_count(len(rows))} of {found.format}"),))
    steps = [step for step in found.steps if isinstance(step, RemedyStep)]
    remedy = f"Bring them into the form of the API{f'; {found.advice}' if found.advice else ''}"
    return suggest_remedy("form", what, remedy, *steps, necessary=True)


def fill_columns(found: Recognition, rows: Sequence[Row]) -> RuleResult:
    """Fill the columns of a prompt and a completion from columns whose names say what they hold."""
    what = f"{found.rows} of {found.seen} rows are {found.form}: {found.reason}"
    names = tuple(name for name, _ in found.mapping)
    steps = (*found.steps, FillTemplate(templates=found.mapping), KeepColumns(columns=names))
    taken = [step for step in steps if isinstance(step, RemedyStep)]
    dropped = {column for step in found.steps if isinstance(step, DropColumns) for column in step.columns}
    read = {field for _, template in found.mapping for field in re.findall(r"\{([^{}]+)\}", template)}
    unused = [column for column in list_columns(rows) if column not in {*read, *names, *dropped}]
    with_meaning = _with_meaning(rows, unused)
    left = [column for column in unused if column not in with_meaning]
    remedy = f"Fill {' and '.join(f'`{name}`' for name in names)} from them"
    remedy += f", and leave out {list_words(tuple(left))}" if left else ""
    remedy += f"; {found.advice}" if found.advice else ""
    result = suggest_remedy("form", what, remedy, *taken, necessary=True)
    return replace(result, questions=tuple(_lost_column(rows, column) for column in with_meaning))


_MENDS: dict[str, RemedyStep] = {
    "chat.arguments": MendCalls(),
    "chat.empty-turn": DropEmptyTurns(("system", "developer")),
    "chat.image-type": MendImages(),
}


def mend_rows(row_format: Format, rows: Sequence[Row]) -> RuleResult:
    """Mend what a service may refuse, and a step can mend."""
    lines: dict[str, dict[int, None]] = {}
    for row in rows:
        for each in check_row(row.value, row_format):
            if each.rule in _MENDS:
                lines.setdefault(each.rule, {})[row.line] = None
    if not lines:
        return NO_RESULT
    every = tuple(sorted({line for found in lines.values() for line in found}))
    what = f"{_count(len(every))} with {', '.join(sorted(lines))}"
    steps = [_MENDS[rule] for rule in sorted(lines)]
    return suggest_remedy("mend", what, f"Mend {what}", *steps, lines=every)


def make_chat(rows: Sequence[Row]) -> RuleResult:
    """Make turns of prompts and completions, as today's base models learn them."""
    marked = next((row for row in rows if find_turn_marks(column_texts([row], PROMPT)[0])), None)
    if marked:
        return RuleResult(problem=_describe_transcript(marked))
    what = "prompts and completions become turns of a chat; for a base of plain text, add --for completion"
    return suggest_remedy("chat", what, "Write them as chat", Convert(source=Form.PROMPT_COMPLETION), necessary=True)


def _describe_transcript(row: Row) -> Problem:
    marks = find_turn_marks(column_texts([row], PROMPT)[0])
    what = f"a conversation in one text, marked by {marks}"
    hint = f"{WRITE_TURNS}; for a base of plain text, add --for completion"
    return Problem(where=Place(file=row.file, line=row.line), path=PROMPT, what=what, hint=hint, rule="text.transcript")


def find_columns(rows: Sequence[Row]) -> RuleResult:
    """Require a prompt and a completion; rename columns that have these names in another case."""
    columns = list_columns(rows)
    names: list[tuple[str, str]] = []
    for wanted in FIELDS:
        candidates = [column for column in columns if column.lower() == wanted]
        if not candidates:
            where, what = Place(file=rows[0].file, line=rows[0].line), f"there is no column `{wanted}`"
            return RuleResult(
                problem=Problem(where=where, what=what, hint=_suggest_mapping(rows), rule="mapping.missing")
            )
        if wanted not in candidates:
            names.append((candidates[0], wanted))
    if not names:
        return NO_RESULT
    remedy = "Rename " + ", ".join(f"`{old}` to `{new}`" for old, new in names)
    step = Rename(names=tuple(names))
    return suggest_remedy("necessary_column", "column names must be in lower case", remedy, step, necessary=True)


def _suggest_mapping(rows: Sequence[Row]) -> str:
    columns = list_columns(rows)
    hint = suggest_mapping([cells_of(row) for row in rows[:LOOKED_AT]])
    return f"in a spec, {hint}; or rename the columns in the file" if columns else "name the columns"


def find_surplus(rows: Sequence[Row]) -> RuleResult:
    """Drop columns other than prompt and completion."""
    surplus = [column for column in list_columns(rows) if column not in (*FIELDS, *_SYSTEM)]
    if not surplus:
        return NO_RESULT
    others = _with_meaning(rows, surplus)
    questions = tuple(_lost_column(rows, column) for column in others)
    dropped = [column for column in surplus if column not in others]
    if not dropped:
        return RuleResult(questions=questions)
    named = " and ".join(f"`{column}`" for column in (*FIELDS, *others))
    names = ", ".join(f"`{column}`" for column in dropped[:20])
    kept = tuple(column for column in (*_SYSTEM, *FIELDS, *others) if column in list_columns(rows))
    what = f"{len(dropped)} column{'s' if len(dropped) > 1 else ''} besides `prompt` and `completion`: {names}"
    remedy = f"Keep only the columns {named}"
    found = suggest_remedy("additional_column", what, remedy, KeepColumns(columns=kept), necessary=True)
    return replace(found, questions=questions)


def _with_meaning(rows: Sequence[Row], columns: Collection[str]) -> list[str]:
    return [column for column in columns if find_meaning(column, _list_values(rows, column)) is not None]


def _list_values(rows: Sequence[Row], column: str) -> list[object]:
    return [value for row in rows if not is_empty(value := cells_of(row).get(column))]


def _lost_column(rows: Sequence[Row], column: str) -> Problem:
    count = len(_list_values(rows, column))
    value = find_meaning(column, _list_values(rows, column))
    what = f"`{column}` would be left out, and {count} of {len(rows)} rows have it; {describe_meaning(column, value)}"
    hint = f"in a spec: {suggest_in_row(column, value, FIELDS)}"
    return Problem(where=Place(file=rows[0].file), path=column, what=what, hint=hint, rule="mapping.lost-key")


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
    nested = next(((row, name) for row, name in cells if isinstance(cells_of(row).get(name), list | dict)), None)
    if nested:
        return RuleResult(problem=_describe_nested(*nested))
    lines = tuple(dict.fromkeys(row.line for row, _ in cells))
    columns = [column for column in FIELDS if any(column == other for _, other in cells)]
    names = " and ".join(f"`{column}`" for column in columns)
    step = FillTemplate(templates=tuple((column, f"{{{column}}}") for column in columns))
    what = f"values of {names} are not text"
    return suggest_remedy("text", what, f"Write {names} as text", step, necessary=True, lines=lines)


def _describe_nested(row: Row, column: str) -> Problem:
    kind = "a list" if isinstance(cells_of(row)[column], list) else "an object"
    what, hint = f"is {kind}, not text", "write it as the text that the model should read or answer"
    return Problem(where=Place(file=row.file, line=row.line), path=column, what=what, hint=hint, rule="row.nested-cell")


def find_task(rows: Sequence[Row]) -> RuleResult:
    """Report that the rows look like classification."""
    if guess_rows_task(rows) is not TaskKind.CLASSIFICATION:
        return NO_RESULT
    counts = Counter(column_texts(rows, COMPLETION)).most_common()
    least, most = counts[-1][1], counts[0][1]
    what = f"looks like classification: {len(counts)} different completions, {least} to {most} rows each"
    return RuleResult(findings=(FileFinding(name="format_inferrer", what=what),))


def find_duplicates(rows: Sequence[Row]) -> RuleResult:
    """Drop rows that are equal to an earlier row, in every column that is left."""
    others = tuple(column for column in list_columns(rows) if column not in FIELDS)
    return _drop_rows(rows, Deduplicate(columns=(*FIELDS, *others)), "duplicated_rows", "equal to an earlier row")


def find_long(rows: Sequence[Row]) -> RuleResult:
    """Drop rows of more characters than the old models could read."""
    if guess_rows_task(rows) is TaskKind.OPEN_ENDED:
        return NO_RESULT
    step = DropLong(characters=MAX_CHARACTERS, columns=FIELDS)
    return _drop_rows(rows, step, "long_examples", f"longer than {MAX_CHARACTERS} characters")


def _drop_rows(rows: Sequence[Row], step: RemedyStep, name: str, which: str) -> RuleResult:
    left = Counter(row.line for row in run_step(step, rows).rows)
    lines = tuple(row.line for row in rows if not left[row.line])
    if not lines:
        return NO_RESULT
    what = f"{_count(len(lines))} {which}"
    return suggest_remedy(name, what, f"Drop {what}", step, lines=lines)


def _count(rows: int) -> str:
    return f"{rows} {'row' if rows == 1 else 'rows'}"
