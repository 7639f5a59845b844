"""Map columns to rows in the API's form, by templates such as `{subject}: {body}`. A brace itself is written twice."""

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import chain, islice

import msgspec

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.format_detection import LOOKED_AT, read_to_end
from reconciler.dataset.left_out import LeftOut
from reconciler.dataset.recognise import RowForm, recognise_rows
from reconciler.dataset.report import SHOWN_PER_FILE, RowReport
from reconciler.dataset.sources import Row, UnreadCell, advise_column, spec_problem
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Format, Turn
from reconciler.foundation.text import list_words, yaml_quoted, yaml_scalar

MOST_CHARACTERS = 8 << 20
"""Characters of a row that templates and steps may make. What services train on is a hundredth of it."""

_MOST_REPORTED = 20
"""Columns that no row has, of one template, that are reported."""

_PLACEHOLDERS = frozenset(
    {
        *("NaN", "nan", "NaT", "NULL", "null", "<NA>", "\\N", "#N/A", "#N/A N/A", "#NAME?", "#REF!", "#VALUE!"),
        *("#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#GETTING_DATA"),
    }
)
"""What pandas, databases and spreadsheets write into a cell without a value."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PAIR = ColumnMapping(prompt="{prompt}", completion="{completion}")
_TURNS = ColumnMapping(turns=(Turn(role="user", content="{prompt}"), Turn(role="assistant", content="{completion}")))


_PLAIN_TABLES = frozenset({RowForm.TABLE, RowForm.CONTEXT})


class RowTooLargeError(Exception):
    """A row that would have more characters than `MOST_CHARACTERS`."""


class Template(msgspec.Struct, frozen=True):
    """A text and the columns in it.

    Shape:  each of `pieces` is a text and the column that follows it, None at the end
    """

    source: str
    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, source: str) -> "Template":
        """Return the template of a text.

        Raises: ValueError, with a message for its author, when a brace is alone or names no column
        """
        pieces: list[tuple[str, str | None]] = []
        text, end = "", 0
        for found in _PIECE.finditer(source):
            text += source[end : found.start()]
            end = found.end()
            if found[0] in {"{{", "}}"}:
                text += found[0][0]
            elif found[1]:
                pieces.append((text, found[1]))
                text = ""
            else:
                raise ValueError("no column between the braces" if found[0] == "{}" else f"a `{found[0]}` stands alone")
        return cls(source, (*pieces, (text + source[end:], None)))

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for _, column in self.pieces if column is not None)

    def render(self, cells: dict[str, object], most: int = MOST_CHARACTERS) -> str:
        """Return the text with the cells of a row in it; a missing or null cell is empty.

        Raises: RowTooLargeError, before the text is made
        """
        texts, left = [], most
        for text, column in self.pieces:
            for each in (text, "" if column is None else value_to_text(cells.get(column))):
                left -= len(each)
                if left < 0:
                    raise RowTooLargeError
                texts.append(each)
        return "".join(texts)

    def is_empty(self, cells: dict[str, object]) -> bool:
        """Return whether a row has no text for this template: its columns are all empty, or it has none and no text."""
        columns = self.columns
        return not any(value_to_text(cells.get(column)) for column in columns) if columns else not self.render(cells)


class _RowBuilder(msgspec.Struct, frozen=True):
    """The templates of a mapping by the field they fill, and how the texts become a row.

    Shape:  `may_be_empty` are the positions of system texts, whose turn is left out where their columns are empty
    """

    templates: tuple[tuple[str, Template], ...]
    build: Callable[[list[str]], dict[str, object]]
    may_be_empty: frozenset[int] = frozenset()


def map_rows(
    rows: Iterator[Row], spec: DatasetSpec, is_table: bool, report: RowReport, left_out: LeftOut
) -> Iterator[Row]:
    """Return the rows of one file in the API's form; those that cannot be mapped are reported.

    Shape:  a table without a mapping is read by its columns `prompt` and `completion`; other rows without a mapping are
            returned as they are. `left_out` counts the columns that the mapping does not use
    """
    first = next(rows, None)
    if first is None:
        return iter(())
    head = [first, *islice(rows, LOOKED_AT - 1)] if is_table and not spec.mapping else [first]
    mapping = spec.mapping or (_find_implied_mapping(head, spec, report) if is_table else None)
    if mapping is None and not is_table:
        return chain(head, rows)
    builder = _make_builder(mapping, spec, report) if mapping else None
    if builder is None:
        read_to_end(rows)
        return iter(())
    return _fill_rows(chain(head, rows), builder, spec, is_table, report, left_out)


def _fill_rows(
    rows: Iterator[Row], builder: _RowBuilder, spec: DatasetSpec, is_table: bool, report: RowReport, left_out: LeftOut
) -> Iterator[Row]:
    # A column that no row has is a mistake in the spec, and is reported once. Rows of JSON may leave keys out, so only
    # the end of the file shows which columns those are; the problem of a cell that they leave empty waits until then.
    used = frozenset(column for _, template in builder.templates for column in template.columns)
    unseen = set(used)
    there: tuple[str, ...] = ()
    waiting: list[Problem] = []
    for row in rows:
        cells = row.value
        if not isinstance(cells, dict):
            what = "the row is not an object with a key for each column"
            report.drop_row(row.problem("row.not-an-object", "", what))
            continue
        there = there or tuple(cells)
        left_out.note(cells, used)
        left_out.end_row()
        unseen = unseen.difference(cells) if unseen else unseen
        blank = [at for at, (_, template) in enumerate(builder.templates) if template.is_empty(cells)]
        empty = next((builder.templates[at] for at in blank if at not in builder.may_be_empty), None)
        if empty is None and blank and not unseen.isdisjoint(builder.templates[blank[0]][1].columns):
            empty = builder.templates[blank[0]]
        if empty is None:
            texts = _render_all(row, builder, report)
            for path, column in _find_nested(builder, cells):
                report.add(_nested_cell(row, path, column, cells[column]))
            if texts is not None:
                if is_table:
                    _report_placeholders(row, builder, report)
                yield Row(row.file, row.line, builder.build(_leave_out(blank, texts, row, builder, report)))
        elif (unread := _find_unread(empty[1], cells)) is not None:
            report.supersede(unread.cause)
            report.drop_row(_unread_field(row, *empty, unread))
        elif unseen.isdisjoint(empty[1].columns):
            report.drop_row(_empty_field(row, *empty))
        else:
            report.dropped += 1
            waiting = [*waiting, _empty_field(row, *empty)][:SHOWN_PER_FILE]
    if not (unseen and there):
        for problem in waiting:
            report.add(problem)
        return
    left_out.forget()
    for path, template in builder.templates:
        for column in sorted(unseen.intersection(template.columns))[:_MOST_REPORTED]:
            what = f"the template `{template.source}` names the column `{column}`; the columns are: {list_words(there)}"
            if not report.is_misread(column):
                hint = advise_column(spec, column, there)
                report.add(spec_problem(spec, "mapping.unknown-column", path, what, hint))


def has_placeholder(cells: Collection[object]) -> bool:
    """Return whether a cell holds only a word that programs write into a cell without a value."""
    return any(isinstance(cell, str) and cell in _PLACEHOLDERS for cell in cells)


def _report_placeholders(row: Row, builder: _RowBuilder, report: RowReport) -> None:
    cells = row.value
    assert isinstance(cells, dict), "rows of other kinds are reported before"
    for path, template in builder.templates:
        for column in template.columns:
            cell = cells.get(column)
            if isinstance(cell, str) and cell in _PLACEHOLDERS:
                what = f"the cell of `{column}` is `{cell}`, as programs write a cell without a value"
                drop = f"`filter: {{column: {yaml_scalar(column)}, not_equals: {yaml_quoted(cell)}}}`"
                hint = f"fill the cell, or drop such rows: {drop}; where the text is meant, allow this rule"
                report.add(row.problem("row.placeholder", path, what, hint, Severity.WARNING))


def _find_nested(builder: _RowBuilder, cells: dict[str, object]) -> Iterator[tuple[str, str]]:
    for path, template in builder.templates:
        for _, column in template.pieces:
            if column is not None and isinstance(cells.get(column), list | dict):
                yield path, column


def _nested_cell(row: Row, path: str, column: str, value: object) -> Problem:
    kind = "a list" if isinstance(value, list) else "an object"
    what = f"the column `{column}` holds {kind}, which is written as JSON into the text"
    hint = "write the cell as the text that the model should read or answer; where that is JSON, allow this rule"
    return row.problem("row.nested-cell", path, what, hint, Severity.WARNING)


def _leave_out(blank: list[int], texts: list[str], row: Row, builder: _RowBuilder, report: RowReport) -> list[str]:
    for at in blank:
        path, template = builder.templates[at]
        what = f"empty, because {_describe_columns(template)}: such rows get no system turn"
        report.add(row.problem("row.empty-system", path, what, severity=Severity.WARNING))
        texts[at] = ""
    return texts


def _render_all(row: Row, builder: _RowBuilder, report: RowReport) -> list[str] | None:
    cells, left, texts = row.value, MOST_CHARACTERS, list[str]()
    assert isinstance(cells, dict), "rows of other kinds are reported before"
    for path, template in builder.templates:
        try:
            texts.append(template.render(cells, left))
        except RowTooLargeError:
            what = f"with this template the row would have more than {MOST_CHARACTERS >> 20} million characters"
            report.drop_row(row.problem("row.too-large", path, what, "name fewer columns, or drop the row"))
            return None
        left -= len(texts[-1])
    return texts


def _make_builder(mapping: ColumnMapping, spec: DatasetSpec, report: RowReport) -> _RowBuilder | None:
    if mapping.turns:
        fields = (spec.find_field(f"messages[{at}].content") for at in range(len(mapping.turns)))
        sources = [(field.path, turn.content) for field, turn in zip(fields, mapping.turns, strict=True)]
    else:
        sources = [("prompt", mapping.prompt or ""), ("completion", mapping.completion or "")]
    templates = []
    for path, source in sources:
        try:
            templates.append((path, Template.parse(source)))
        except ValueError as error:
            what = f"the template `{source}` is not clear: {error}"
            hint = "write columns as {column}, and a brace itself twice: {{ or }}"
            report.stop_reading(spec_problem(spec, "mapping.template", path, what, hint))
    if len(templates) < len(sources):
        return None
    optional = frozenset(at for at, turn in enumerate(mapping.turns) if turn.role in ("system", "developer"))
    build = partial(_build_turns, mapping.turns) if mapping.turns else _build_pair
    return _RowBuilder(tuple(templates), build, optional)


def _build_pair(texts: list[str]) -> dict[str, object]:
    return {"prompt": texts[0], "completion": texts[1]}


def _build_turns(turns: tuple[Turn, ...], texts: list[str]) -> dict[str, object]:
    return {
        "messages": [
            {"role": turn.role, "content": text, **({} if turn.weight is None else {"weight": turn.weight})}
            for turn, text in zip(turns, texts, strict=True)
            if text
        ]
    }


def _find_implied_mapping(head: list[Row], spec: DatasetSpec, report: RowReport) -> ColumnMapping | None:
    first = head[0]
    columns = tuple(first.value) if isinstance(first.value, dict) else ()
    found = recognise_rows([row.value for row in head], spec.used_as)
    unused = [column for column in columns if column not in {"prompt", "completion"}]
    if len(columns) - len(unused) == 2 and (found is None or found.form is RowForm.COMPLETION):
        if unused:
            what = f"only `prompt` and `completion` are used; {list_words(unused)} left out"
            report.add(first._replace(line=1).problem("mapping.unused", "", what, severity=Severity.WARNING))
        return _TURNS if spec.format is Format.CHAT else _PAIR
    as_json = tuple(column for column in columns if all(_holds_turns(row.value, column) for row in head))
    if as_json:
        what = f"the cells of {list_words(as_json)} in `{first.file}` hold turns as JSON, and a table holds texts only"
        hint = f"write the rows as JSON Lines, in a file named .jsonl, with the value of {list_words(as_json)} as JSON"
        report.stop_reading(first.problem("mapping.missing", as_json[0], what, hint))
        return None
    what = f"`{first.file}` has no columns `prompt` and `completion`; its columns are {list_words(columns)}"
    if found and found.form and found.format is None and (found.form not in _PLAIN_TABLES or not found.lines):
        what = f"the rows of `{first.file}` are {found.form}: {found.reason}"
    report.stop_reading(spec_problem(spec, "mapping.missing", "", what, found.hint if found else ""))
    return None


def _holds_turns(cells: object, column: str) -> bool:
    text = cells.get(column) if isinstance(cells, dict) else None
    if not isinstance(text, str) or not text.lstrip().startswith("["):
        return False
    try:
        turns = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return bool(turns) and all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)


def _empty_field(row: Row, path: str, template: Template) -> Problem:
    what = f"empty, because {_describe_columns(template)}"
    columns = ", ".join(template.columns)
    hint = (
        f"fill the cell, or drop such rows: `drop_empty: [{columns}]`" if columns else "write a text, or name a column"
    )
    return row.problem("row.empty-cell", path, what, hint)


def _find_unread(template: Template, cells: dict[str, object]) -> UnreadCell | None:
    return next((cell for name in template.columns if isinstance(cell := cells.get(name), UnreadCell)), None)


def _unread_field(row: Row, path: str, template: Template, cell: UnreadCell) -> Problem:
    columns = template.columns
    noun = "the column" if len(columns) == 1 else "a column of"
    what = f"empty, because {noun} {list_words(columns)} holds {cell.held}"
    hint = f"{cell.cause.hint}; or drop such rows: `drop_empty: [{', '.join(columns)}]`"
    return row.problem("row.empty-cell", path, what, hint)


def _describe_columns(template: Template) -> str:
    columns = template.columns
    noun, verb = ("the column", "is") if len(columns) == 1 else ("all of the columns", "are")
    return f"{noun} {list_words(columns)} {verb}" if columns else "the template is"


def value_to_text(value: object) -> str:
    """Return a value as text: strings as they are, null as nothing, everything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else write_canonical_text(value)
