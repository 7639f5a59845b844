"""The steps of a `prepare` list: built from a document, and the rules that a schema cannot state."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.domain.errors import Problem
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    ChoosePair,
    Convert,
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropEmptyTurns,
    DropLong,
    DropTurnKeys,
    EnsureLeadingSpace,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    KeepColumns,
    Limit,
    LowerCase,
    MendCalls,
    MendImages,
    Numbers,
    Operation,
    PairLabels,
    PlaceImages,
    Preparation,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    Sample,
    SetColumns,
    Strip,
    Target,
    TurnWeight,
)
from reconciler.specfile.patterns import pattern_fault, template_fault
from reconciler.specfile.schema.messages import quote
from reconciler.specfile.yaml import Document, Path, dotted_path, read_fields

OPERATIONS: dict[str, Callable[[Any], Operation]] = {
    "rename": lambda value: Rename(tuple(value.items())),
    "drop_columns": lambda value: DropColumns(tuple(value)),
    "keep_columns": lambda value: KeepColumns(tuple(value)),
    "set": lambda value: SetColumns(tuple(value.items())),
    "template": lambda value: FillTemplate(tuple(value.items())),
    "lower_case": lambda value: LowerCase(tuple(value)),
    "strip": lambda value: Strip(tuple(value)),
    "add_prefix": lambda value: AddPrefix(value["column"], value["text"]),
    "add_suffix": lambda value: AddSuffix(value["column"], value["text"]),
    "remove_prefix": lambda value: RemovePrefix(value["column"], value["text"]),
    "remove_suffix": lambda value: RemoveSuffix(value["column"], value["text"]),
    "ensure_leading_space": lambda value: EnsureLeadingSpace(tuple(value)),
    "drop_empty": lambda value: DropEmpty(() if value is True else tuple(value)),
    "deduplicate": lambda value: Deduplicate(() if value is True else tuple(value)),
    "drop_long": lambda value: read_fields(value, DropLong),
    "filter": lambda value: _read_filter(value),
    "sample": lambda value: read_fields(value, Sample),
    "limit": lambda value: Limit(int(value)),
    "join_messages": lambda value: JoinMessages() if value is True else read_fields(value, JoinMessages),
    "drop_empty_turns": lambda value: DropEmptyTurns(tuple(value)),
    "drop_turn_keys": lambda value: DropTurnKeys(tuple(value)),
    "turn_weight": lambda value: read_fields(value, TurnWeight),
    "mend_calls": lambda _: MendCalls(),
    "mend_images": lambda _: MendImages(),
    "place_images": PlaceImages,
    "choose_pair": lambda value: read_fields(value, ChoosePair),
    "pair_labels": lambda value: read_fields({**value, "desired": tuple(value["desired"])}, PairLabels),
    "convert": lambda value: Convert(source=Form(value["from"]), target=Target(value.get("to", Target.CHAT))),
}


def read_steps(document: Document) -> tuple[Preparation, ...]:
    """Return the steps of one Dataset, in order, each with its place."""
    found = document.get("prepare")
    return tuple(
        _read_step(document, at, name, value)
        for at, item in enumerate(found if isinstance(found, list) else ())
        if isinstance(item, dict)
        for name, value in item.items()
    )


def _read_step(document: Document, at: int, name: str, value: object) -> Preparation:
    path = ("prepare", at, name)
    return Preparation(operation=OPERATIONS[name](value), place=document.key_place(path), path=dotted_path(path))


def _read_filter(value: dict[str, Any]) -> Filter:
    return Filter(
        column=value["column"],
        equals=value.get("equals"),
        not_equals=value.get("not_equals"),
        is_in=tuple(value["in"]) if "in" in value else None,
        matches=value.get("matches"),
        least=value.get("min"),
        most=value.get("max"),
        present=value.get("present"),
        numbers=Numbers(value["numbers"]) if "numbers" in value else None,
    )


def prepare_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the steps of a Dataset, one by one."""
    steps = document.get("prepare")
    for at, step in enumerate(steps if isinstance(steps, list) else ()):
        for name, value in step.items() if isinstance(step, dict) else ():
            if not isinstance(value, dict):
                continue
            path: Path = ("prepare", at, name)
            if name == "template":
                yield from _template_problems(document, path, value)
            elif name == "rename":
                yield from _rename_problems(document, path, value)
            elif name == "filter":
                yield from _filter_problems(document, path, value)
            elif name == "convert" and value.get("from") == Form.PREFERENCE and "to" in value:
                what = "pairs of answers become preference rows"
                yield document.problem((*path, "to"), what, "remove it", "spec.prepare", at_key=True)


def _template_problems(document: Document, path: Path, value: Mapping[str, object]) -> Iterator[Problem]:
    for column, template in value.items():
        if isinstance(template, str) and (fault := template_fault(template)):
            yield document.problem((*path, column), *fault, "spec.template")


def _rename_problems(document: Document, path: Path, value: Mapping[str, object]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for old, new in value.items():
        if isinstance(new, str) and first.setdefault(new, old) != old:
            what = f"two columns cannot both have the name {quote(new)}; {quote(first[new])} already has it"
            yield document.problem((*path, old), what, "give each its own name", "spec.prepare")


def _filter_problems(document: Document, path: Path, value: Mapping[str, object]) -> Iterator[Problem]:
    least, most = value.get("min"), value.get("max")
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        what = "no number is at least 'min' and at most 'max'"
        yield document.problem((*path, "max"), what, "swap them", "spec.prepare")
    pattern = value.get("matches")
    if isinstance(pattern, str) and (fault := pattern_fault(pattern)):
        yield document.problem((*path, "matches"), *fault, "spec.prepare")
