"""The format of a dataset's rows: as the spec states it, or as most of the first rows show it."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from msgspec.structs import replace

from reconciler.dataset.hints import write_step
from reconciler.dataset.recognise import Recognition, recognise_format, recognise_row, recognise_rows
from reconciler.dataset.recognise.forms import API_FORMS
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row
from reconciler.domain.errors import Problem
from reconciler.domain.prepare import Filter
from reconciler.domain.spec import DatasetSpec, Format
from reconciler.foundation.text import list_words

LOOKED_AT = 50
"""Rows from which the format is found: one odd row at the start decides nothing."""

_HOLDERS = {
    Format.CHAT: "messages",
    Format.COMPLETION: "completion",
    Format.PREFERENCE: "preferred_output",
    Format.REINFORCEMENT: "messages",
}
_KEYS = {
    Format.CHAT: frozenset({"messages"}),
    Format.COMPLETION: frozenset({"prompt", "completion"}),
    Format.PREFERENCE: frozenset({"input", "preferred_output", "non_preferred_output"}),
    Format.REINFORCEMENT: frozenset({"messages"}),
}


def detect_format(
    rows: Iterator[Row], spec: DatasetSpec, report: RowReport, *, check_rows: bool = True
) -> tuple[Format, Iterator[Row]]:
    """Return the format, and the rows from the first on; no rows, and a problem, when they are not in the API's form.

    Shape:  without `check_rows`, chat that only has more or other keys than the API's passes too
    """
    if spec.mapping:
        return spec.format or (Format.CHAT if spec.mapping.turns else Format.COMPLETION), rows
    head = list(islice(rows, LOOKED_AT))
    if not head:
        return spec.format or Format.CHAT, rows
    found = recognise_rows([row.value for row in head], spec.used_as)
    every = chain(head, rows)
    stated = spec.format or (found.format if found else None)
    if check_rows and found and _is_another_api_form(found, spec):
        stated_so = replace(found, advice=f"write `format: {found.format}`, or name files in the form of {spec.format}")
        report.stop_reading(_other_form(head, every, stated_so, spec))
        return spec.format or Format.CHAT, iter(())
    if stated and (found is None or found.form is None or found.format is not None or not _is_certain(found, spec)):
        return stated, every
    passes = recognise_format(head[0].value, spec.used_as)
    if not check_rows and passes:
        return spec.format or passes, every
    if found is None or found.form is None:
        odd = next((row for row in head if recognise_row(row.value, spec.used_as) is None), head[0])
        report.stop_reading(_unknown_format(odd, found))
        read_to_end(every)
    else:
        report.stop_reading(_other_form(head, every, found, spec))
    return spec.format or Format.CHAT, iter(())


def peek_format(rows: Iterator[Row], spec: DatasetSpec) -> Format | None:
    """Return the format that the first rows show; None where they have another form, or none."""
    head = [row.value for row in islice(rows, LOOKED_AT)]
    found = recognise_rows(head, spec.used_as)
    if found is None or found.format is None:
        return (spec.format or Format.CHAT) if not head else None
    return None if _is_another_api_form(found, spec) else spec.format or found.format


def read_to_end(rows: Iterator[Row]) -> None:
    """Read the other rows only for the problems of their reading, so that one run reports all of them."""
    deque(rows, maxlen=0)


def find_other_form(row: Row, row_format: Format) -> Problem | None:
    """Return the one problem of a row in another form, without a key of the dataset's; None for all others."""
    value, own = row.value, _KEYS[row_format]
    if not isinstance(value, dict) or not own.isdisjoint(value):
        return None
    form = recognise_row(value, row_format)
    if form is None:
        return None
    what = f"the row has another form ({form}), and the dataset's rows are {row_format}"
    keep = write_step(Filter(column=_HOLDERS[row_format], present=True))
    hint = f"leave such rows out with the step `{keep}`, and put them into a Dataset of their own"
    found = API_FORMS.get(form)
    if found:
        hint += f"; where most rows have this form, state the format {found} instead"
    return row.problem("format.mixed", "", what, hint)


def _is_another_api_form(found: Recognition, spec: DatasetSpec) -> bool:
    # Chat and reinforcement rows have the same keys, and the checks of a row say what differs.
    formats = {found.format, spec.format}
    return len(formats) == 2 and not formats & {None, Format.REINFORCEMENT} and found.rows == found.seen


def _is_certain(found: Recognition, spec: DatasetSpec) -> bool:
    # Where the spec states a format, its checks say what is wrong with a row, except where all rows have another form.
    return found.rows == found.seen and spec.format is not Format.REINFORCEMENT


def _other_form(head: list[Row], every: Iterator[Row], found: Recognition, spec: DatasetSpec) -> Problem:
    first = next(row for row in head if recognise_row(row.value, spec.used_as) is found.form)
    count = total = 0
    for row in every:
        total += 1
        count += recognise_row(row.value, spec.used_as) is found.form
    what = f"{count} of {total} rows are {found.form}: {found.reason}"
    others = [row for row in head if recognise_row(row.value, spec.used_as) not in (found.form, None)]
    key = _own_key([row.value for row in head], found, spec) if others and found.steps else None
    if key is None:
        return first.problem("format.other", "", what, found.hint)
    other = recognise_row(others[0].value, spec.used_as)
    what = f"{what}; line {others[0].line} has another form ({other})"
    hint = replace(found, steps=(Filter(column=key, present=True), *found.steps)).hint
    return first.problem("format.other", "", what, f"{hint}; put the other rows into a Dataset of their own")


def _own_key(values: Sequence[object], found: Recognition, spec: DatasetSpec) -> str | None:
    """Return a key that all rows of the form have, and no other row."""
    rows = [value for value in values if isinstance(value, dict)]
    inside = [row for row in rows if recognise_row(row, spec.used_as) is found.form]
    keys = (
        set(inside[0])
        .intersection(*inside)
        .difference(*(row for row in rows if recognise_row(row, spec.used_as) is not found.form))
    )
    return next((key for key in inside[0] if key in keys), None)


def _unknown_format(row: Row, found: Recognition | None) -> Problem:
    value = row.value
    if not isinstance(value, dict):
        return row.problem("row.not-an-object", "", *describe_other_row(value))
    keys = f"rows have neither `messages` nor `prompt` and `completion`; their keys are {list_words(tuple(value))}"
    what = keys if value else "the row is an empty object"
    hint = found.advice if found else "write each row as an object with a question and an answer"
    return row.problem("format.unknown", "", what, hint)


def describe_other_row(value: object) -> tuple[str, str]:
    """Return what is wrong with a row that is no object, and its hint."""
    if not isinstance(value, list):
        return "the row is a single value, not an object", "write each row as an object with a key for each text"
    what = "the row is a list, not an object"
    if value and all(isinstance(turn, dict) and {"role", "from", "author"} & turn.keys() for turn in value):
        return f"{what}: it holds turns", 'write each row as an object with its turns: {"messages": [{"role": …}, …]}'
    return what, "if the file is one list of rows, name it .json"
