"""Builds the steps of a `prepare` list from a document that is known to be right. One line for each step's name."""

from collections.abc import Callable
from typing import Any

from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    Convert,
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropLong,
    EnsureLeadingSpace,
    FillTemplate,
    Filter,
    Form,
    JoinMessages,
    KeepColumns,
    Limit,
    LowerCase,
    Operation,
    Preparation,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    Sample,
    SetColumns,
    Strip,
    Target,
)
from reconciler.specfile.yaml.document import Document, dotted

OPERATIONS: dict[str, Callable[[Any], Operation]] = {
    "rename": lambda said: Rename(tuple(said.items())),
    "drop_columns": lambda said: DropColumns(tuple(said)),
    "keep_columns": lambda said: KeepColumns(tuple(said)),
    "set": lambda said: SetColumns(tuple(said.items())),
    "template": lambda said: FillTemplate(tuple(said.items())),
    "lower_case": lambda said: LowerCase(tuple(said)),
    "strip": lambda said: Strip(tuple(said)),
    "add_prefix": lambda said: AddPrefix(said["column"], said["text"]),
    "add_suffix": lambda said: AddSuffix(said["column"], said["text"]),
    "remove_prefix": lambda said: RemovePrefix(said["column"], said["text"]),
    "remove_suffix": lambda said: RemoveSuffix(said["column"], said["text"]),
    "ensure_leading_space": lambda said: EnsureLeadingSpace(tuple(said)),
    "drop_empty": lambda said: DropEmpty(() if said is True else tuple(said)),
    "deduplicate": lambda said: Deduplicate(() if said is True else tuple(said)),
    "drop_long": lambda said: _drop_long(said),
    "filter": lambda said: _filter(said),
    "sample": lambda said: _sample(said),
    "limit": lambda said: Limit(int(said)),
    "join_messages": lambda said: JoinMessages() if said is True else JoinMessages(**said),
    "convert": lambda said: Convert(source=Form(said["from"]), target=Target(said.get("to", Target.CHAT))),
}


def preparations(document: Document) -> tuple[Preparation, ...]:
    """Return the steps of one Dataset, in order, each with its place."""
    found = document.get("prepare")
    return tuple(
        _preparation(document, at, name, said)
        for at, item in enumerate(found if isinstance(found, list) else ())
        if isinstance(item, dict)
        for name, said in item.items()
    )


def _preparation(document: Document, at: int, name: str, said: object) -> Preparation:
    path = ("prepare", at, name)
    return Preparation(operation=OPERATIONS[name](said), place=document.key_place(path), path=dotted(path))


def _drop_long(said: dict[str, Any]) -> DropLong:
    characters, tokens = said.get("characters"), said.get("tokens")
    return DropLong(
        characters=None if characters is None else int(characters),
        tokens=None if tokens is None else int(tokens),
        columns=tuple(said.get("columns", ())),
    )


def _filter(said: dict[str, Any]) -> Filter:
    return Filter(
        column=said["column"],
        equals=said.get("equals"),
        not_equals=said.get("not_equals"),
        is_in=tuple(said["in"]) if "in" in said else None,
        matches=said.get("matches"),
        least=said.get("min"),
        most=said.get("max"),
        present=said.get("present"),
    )


def _sample(said: dict[str, Any]) -> Sample:
    rows = said.get("rows")
    return Sample(rows=None if rows is None else int(rows), share=said.get("share"), seed=int(said.get("seed", 0)))
