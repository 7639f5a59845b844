"""Columns become rows in the API's form. Takes the rows of one file; those that need no mapping pass through."""

import re
from collections.abc import Callable, Iterator
from itertools import chain

import msgspec

from reconciler.dataset.canonical import write_canonical_text
from reconciler.dataset.format_detection import read_to_end, suggest_mapping
from reconciler.dataset.report import SHOWN_PER_FILE, RowReport
from reconciler.dataset.sources import Row
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Format, Turn
from reconciler.foundation.suggest import did_you_mean, list_words

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PAIR = ColumnMapping(prompt="{prompt}", completion="{completion}")
_TURNS = ColumnMapping(turns=(Turn(role="user", content="{prompt}"), Turn(role="assistant", content="{completion}")))


class Template(msgspec.Struct, frozen=True):
    """A text and the columns in it.

    Shape:  `pieces` are a text each, followed by a column or, at the end, by nothing
    """

    source: str
    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, source: str) -> "Template":
        """Read a template.

        Raises: ValueError, in words for its author, when a brace stands alone or names nothing
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

    def render(self, cells: dict[str, object]) -> str:
        """Fill the columns in; what is missing or null is empty."""
        return "".join(
            [text + ("" if column is None else value_to_text(cells.get(column))) for text, column in self.pieces]
        )

    def is_empty(self, cells: dict[str, object]) -> bool:
        """Return whether a row has nothing for this text: its columns are all empty, or it says nothing at all."""
        columns = self.columns
        return not any(value_to_text(cells.get(column)) for column in columns) if columns else not self.render(cells)


class _RowBuilder(msgspec.Struct, frozen=True):
    """The templates of a mapping by the field they fill, and how the texts become a row."""

    templates: tuple[tuple[str, Template], ...]
    build: Callable[[list[str]], dict[str, object]]


def map_rows(rows: Iterator[Row], spec: DatasetSpec, is_table: bool, report: RowReport) -> Iterator[Row]:
    """Return the rows of one file in the API's form; those that cannot be are reported.

    Shape:  a table without a mapping is read by its columns `prompt` and `completion`
    """
    first = next(rows, None)
    if first is None:
        return iter(())
    mapping = spec.mapping or (_find_implied_mapping(first, spec, report) if is_table else None)
    if mapping is None and not is_table:
        return chain((first,), rows)
    plan = _make_builder(mapping, spec, report) if mapping else None
    if plan is None:
        read_to_end(rows)
        return iter(())
    return _fill_rows(chain((first,), rows), plan, spec, report)


def _fill_rows(rows: Iterator[Row], plan: _RowBuilder, spec: DatasetSpec, report: RowReport) -> Iterator[Row]:
    # A column that no row has is a mistake in the spec, told once. Rows of JSON may leave keys out, so only the end
    # of the file tells which columns those are; what their absence leaves empty waits until then.
    unseen = {column for _, template in plan.templates for column in template.columns}
    there: tuple[str, ...] = ()
    waiting: list[Problem] = []
    for row in rows:
        cells = row.value
        if not isinstance(cells, dict):
            report.drop_row(
                _row_problem(row, "row.not-an-object", "", "the row is not an object with a key for each column", "")
            )
            continue
        there = there or tuple(cells)
        unseen = unseen.difference(cells) if unseen else unseen
        empty = next(((path, template) for path, template in plan.templates if template.is_empty(cells)), None)
        if empty is None:
            yield Row(row.file, row.line, plan.build([template.render(cells) for _, template in plan.templates]))
        elif unseen.isdisjoint(empty[1].columns):
            report.drop_row(_empty_field(row, *empty))
        else:
            report.dropped += 1
            waiting = [*waiting, _empty_field(row, *empty)][:SHOWN_PER_FILE]
    if unseen and there:
        for path, template in plan.templates:
            for column in sorted(unseen.intersection(template.columns)):
                report.add(_unknown_column(spec, path, template, column, there))
    else:
        for problem in waiting:
            report.add(problem)


def _make_builder(mapping: ColumnMapping, spec: DatasetSpec, report: RowReport) -> _RowBuilder | None:
    if mapping.turns:
        sources = [(f"messages[{at}].content", turn.content) for at, turn in enumerate(mapping.turns)]
    else:
        sources = [("prompt", mapping.prompt or ""), ("completion", mapping.completion or "")]
    templates = []
    for path, source in sources:
        try:
            templates.append((path, Template.parse(source)))
        except ValueError as error:
            what = f"the template `{source}` is not clear: {error}"
            hint = "write columns as {column}, and a brace itself twice: {{ or }}"
            report.stop_reading(Problem(where=spec.place, path=path, what=what, hint=hint, rule="mapping.template"))
    if len(templates) < len(sources):
        return None
    return _RowBuilder(tuple(templates), _turns(mapping.turns) if mapping.turns else _pair)


def _pair(texts: list[str]) -> dict[str, object]:
    return {"prompt": texts[0], "completion": texts[1]}


def _turns(turns: tuple[Turn, ...]) -> Callable[[list[str]], dict[str, object]]:
    fixed = [({"role": turn.role}, {} if turn.weight is None else {"weight": turn.weight}) for turn in turns]

    def build(texts: list[str]) -> dict[str, object]:
        return {
            "messages": [{**role, "content": text, **weight} for (role, weight), text in zip(fixed, texts, strict=True)]
        }

    return build


def _find_implied_mapping(first: Row, spec: DatasetSpec, report: RowReport) -> ColumnMapping | None:
    columns = tuple(first.value) if isinstance(first.value, dict) else ()
    unused = [column for column in columns if column not in {"prompt", "completion"}]
    if len(columns) - len(unused) == 2:
        if unused:
            what = f"only `prompt` and `completion` are used; {list_words(unused)} left out"
            where = Place(file=first.file, line=1)
            report.add(Problem(where=where, what=what, rule="mapping.unused", severity=Severity.WARNING))
        return _TURNS if spec.format is Format.CHAT else _PAIR
    report.stop_reading(
        Problem(
            where=spec.place,
            what=f"`{first.file}` has no columns `prompt` and `completion`; its columns are {list_words(columns)}",
            hint=suggest_mapping(columns),
            rule="mapping.missing",
        )
    )
    return None


def _empty_field(row: Row, path: str, template: Template) -> Problem:
    if template.columns:
        noun = "the column" if len(template.columns) == 1 else "all of the columns"
        what = f"empty, because {noun} {list_words(template.columns)} {'is' if len(template.columns) == 1 else 'are'}"
    else:
        what = "empty, because the template is"
    return _row_problem(row, "row.empty-cell", path, what, "fill the cell, or drop the row")


def _unknown_column(spec: DatasetSpec, path: str, template: Template, column: str, there: tuple[str, ...]) -> Problem:
    return Problem(
        where=spec.place,
        path=path,
        what=f"the template `{template.source}` names the column `{column}`; the columns are: {list_words(there)}",
        hint=did_you_mean(column, there),
        rule="mapping.unknown-column",
    )


def _row_problem(row: Row, rule: str, path: str, what: str, hint: str) -> Problem:
    return Problem(where=Place(file=row.file, line=row.line), path=path, what=what, hint=hint, rule=rule)


def value_to_text(value: object) -> str:
    """Write a value as text: strings as they are, null as nothing, everything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else write_canonical_text(value)
