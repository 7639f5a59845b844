"""Columns become rows in the API's form. Takes the rows of one file; those that need no mapping pass through."""

from collections.abc import Callable, Iterator
from itertools import chain

import msgspec

from reconciler.dataset.formats import drain, mapping_hint
from reconciler.dataset.report import SHOWN_PER_FILE, Report
from reconciler.dataset.row import Row
from reconciler.dataset.templates import Template
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import ColumnMapping, DatasetSpec, Format, Turn
from reconciler.foundation.suggest import did_you_mean, list_words

_PAIR = ColumnMapping(prompt="{prompt}", completion="{completion}")
_TURNS = ColumnMapping(turns=(Turn(role="user", content="{prompt}"), Turn(role="assistant", content="{completion}")))


class _Plan(msgspec.Struct, frozen=True):
    """The templates of a mapping by the field they fill, and how the texts become a row."""

    templates: tuple[tuple[str, Template], ...]
    build: Callable[[list[str]], dict[str, object]]


def mapped(rows: Iterator[Row], spec: DatasetSpec, is_table: bool, report: Report) -> Iterator[Row]:
    """Return the rows of one file in the API's form; those that cannot be are reported.

    Shape:  a table without a mapping is read by its columns `prompt` and `completion`
    """
    first = next(rows, None)
    if first is None:
        return iter(())
    mapping = spec.mapping or (_implied(first, spec, report) if is_table else None)
    if mapping is None and not is_table:
        return chain((first,), rows)
    plan = _plan(mapping, spec, report) if mapping else None
    if plan is None:
        drain(rows)
        return iter(())
    return _filled(chain((first,), rows), plan, spec, report)


def _filled(rows: Iterator[Row], plan: _Plan, spec: DatasetSpec, report: Report) -> Iterator[Row]:
    # A column that no row has is a mistake in the spec, told once. Rows of JSON may leave keys out, so only the end
    # of the file tells which columns those are; what their absence leaves empty waits until then.
    unseen = {column for _, template in plan.templates for column in template.columns}
    there: tuple[str, ...] = ()
    waiting: list[Problem] = []
    for row in rows:
        cells = row.value
        if not isinstance(cells, dict):
            report.drop(
                _problem(row, "row.not-an-object", "", "the row is not an object with a key for each column", "")
            )
            continue
        there = there or tuple(cells)
        unseen = unseen.difference(cells) if unseen else unseen
        empty = next(((path, template) for path, template in plan.templates if template.is_empty(cells)), None)
        if empty is None:
            yield Row(row.file, row.line, plan.build([template.render(cells) for _, template in plan.templates]))
        elif unseen.isdisjoint(empty[1].columns):
            report.drop(_empty(row, *empty))
        else:
            report.dropped += 1
            waiting = [*waiting, _empty(row, *empty)][:SHOWN_PER_FILE]
    if unseen and there:
        for path, template in plan.templates:
            for column in sorted(unseen.intersection(template.columns)):
                report.tell(_unknown_column(spec, path, template, column, there))
    else:
        for problem in waiting:
            report.tell(problem)


def _plan(mapping: ColumnMapping, spec: DatasetSpec, report: Report) -> _Plan | None:
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
            report.stop(Problem(where=spec.place, path=path, what=what, hint=hint, rule="mapping.template"))
    if len(templates) < len(sources):
        return None
    return _Plan(tuple(templates), _turns(mapping.turns) if mapping.turns else _pair)


def _pair(texts: list[str]) -> dict[str, object]:
    return {"prompt": texts[0], "completion": texts[1]}


def _turns(turns: tuple[Turn, ...]) -> Callable[[list[str]], dict[str, object]]:
    fixed = [({"role": turn.role}, {} if turn.weight is None else {"weight": turn.weight}) for turn in turns]

    def build(texts: list[str]) -> dict[str, object]:
        return {
            "messages": [{**role, "content": text, **weight} for (role, weight), text in zip(fixed, texts, strict=True)]
        }

    return build


def _implied(first: Row, spec: DatasetSpec, report: Report) -> ColumnMapping | None:
    columns = tuple(first.value) if isinstance(first.value, dict) else ()
    unused = [column for column in columns if column not in {"prompt", "completion"}]
    if len(columns) - len(unused) == 2:
        if unused:
            what = f"only `prompt` and `completion` are used; {list_words(unused)} left out"
            where = Place(file=first.file, line=1)
            report.tell(Problem(where=where, what=what, rule="mapping.unused", severity=Severity.WARNING))
        return _TURNS if spec.format is Format.CHAT else _PAIR
    report.stop(
        Problem(
            where=spec.place,
            what=f"`{first.file}` has no columns `prompt` and `completion`; its columns are {list_words(columns)}",
            hint=mapping_hint(columns),
            rule="mapping.missing",
        )
    )
    return None


def _empty(row: Row, path: str, template: Template) -> Problem:
    if template.columns:
        noun = "the column" if len(template.columns) == 1 else "all of the columns"
        what = f"empty, because {noun} {list_words(template.columns)} {'is' if len(template.columns) == 1 else 'are'}"
    else:
        what = "empty, because the template is"
    return _problem(row, "row.empty-cell", path, what, "fill the cell, or drop the row")


def _unknown_column(spec: DatasetSpec, path: str, template: Template, column: str, there: tuple[str, ...]) -> Problem:
    return Problem(
        where=spec.place,
        path=path,
        what=f"the template `{template.source}` names the column `{column}`; the columns are: {list_words(there)}",
        hint=did_you_mean(column, there),
        rule="mapping.unknown-column",
    )


def _problem(row: Row, rule: str, path: str, what: str, hint: str) -> Problem:
    return Problem(where=Place(file=row.file, line=row.line), path=path, what=what, hint=hint, rule=rule)
