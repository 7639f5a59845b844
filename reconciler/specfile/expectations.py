"""What a Dataset expects and allows: built from a document, and the rules that a schema cannot state."""

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.domain.errors import Problem, Severity
from reconciler.domain.expectations import (
    Allowance,
    Expectation,
    Matches,
    MaxRatio,
    MaxRows,
    MaxTokens,
    MinRows,
    OneOf,
    Requirement,
    Unique,
)
from reconciler.specfile.patterns import pattern_fault
from reconciler.specfile.yaml import Document, dotted_path

WANTED: dict[str, Callable[[Any], Requirement]] = {
    "min_rows": lambda value: MinRows(int(value)),
    "max_rows": lambda value: MaxRows(int(value)),
    "unique": lambda value: Unique(value),
    "matches": lambda value: Matches(value["field"], value["pattern"]),
    "one_of": lambda value: OneOf(value["field"], tuple(value["values"])),
    "max_ratio": lambda value: MaxRatio(value["field"], float(value["ratio"])),
    "max_tokens": lambda value: MaxTokens(int(value)),
}


def read_expectations(document: Document) -> tuple[Expectation, ...]:
    """Return what one Dataset expects, in order, each with its place."""
    return tuple(
        Expectation(
            wanted=WANTED[name](item[name]),
            severity=Severity(item.get("severity", Severity.ERROR)),
            place=document.key_place(("expect", at, name)),
            path=dotted_path(("expect", at, name)),
        )
        for at, item in enumerate(_items(document, "expect"))
        for name in item
        if name in WANTED
    )


def read_allowances(document: Document) -> tuple[Allowance, ...]:
    """Return the findings that one Dataset allows, in order."""
    return tuple(
        Allowance(rule=item["rule"], reason=item["reason"], lines=tuple(int(line) for line in item.get("lines", ())))
        for item in _items(document, "allow")
    )


def expectation_problems(document: Document) -> Iterator[Problem]:
    """Yield the expectations that no dataset can meet."""
    least = most = None
    for at, item in enumerate(_items(document, "expect")):
        value = item.get("matches")
        pattern = value.get("pattern") if isinstance(value, dict) else None
        if isinstance(pattern, str) and (fault := pattern_fault(pattern)):
            yield document.problem(("expect", at, "matches", "pattern"), *fault, "spec.expect")
        least = _number(item.get("min_rows"), least)
        most = _number(item.get("max_rows"), most)
        if least is not None and most is not None and least > most:
            what = f"no number of rows is at least {least} and at most {most}"
            yield document.problem(("expect", at), what, "swap them", "spec.expect")
            return


def _number(found: object, otherwise: int | None) -> int | None:
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else otherwise


def _items(document: Document, field: str) -> list[dict[str, Any]]:
    found = document.get(field)
    return [item if isinstance(item, dict) else {} for item in found] if isinstance(found, list) else []
