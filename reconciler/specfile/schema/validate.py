"""Check a document against a published schema. The schema decides, and the messages are ours.

A text field takes a number as its author wrote it: `3.10` stays `3.10`.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from msgspec.structs import replace

from reconciler.domain.errors import Problem
from reconciler.specfile.schema.files import kinds, schema
from reconciler.specfile.schema.violation import Violation, problems_of
from reconciler.specfile.yaml import Document, Path, dotted_path

_FIRST = ("not", "required", "dependentRequired")
"""These are reported first. Only the first problem of a field is reported, because others follow from it."""


def validate_document(document: Document, name: str) -> tuple[Document, tuple[Problem, ...]]:
    """Return a document as its schema reads it, and a problem for each violation.

    Cost:   loads jsonschema at the first call
    """
    violations = _violations(document, name)
    meant_as_text = [each.path for each in violations if each.wants_text and each.path in document.written]
    if meant_as_text:
        document = _as_written(document, meant_as_text)
        violations = _violations(document, name)
    found: dict[Path, Problem] = {}
    for violation in sorted(violations, key=_rank):
        for path, problem in problems_of(violation, document, name):
            if not _is_void(path, document):
                found.setdefault(path, problem)
    return document, tuple(problem for path, problem in found.items() if not _follows(path, problem, found))


def _follows(path: Path, problem: Problem, found: Mapping[Path, Problem]) -> bool:
    """Return whether a problem follows from an unknown field: the field that was meant is missing, or nothing fits."""
    if problem.rule == "spec.missing":
        meant = f"'{path[-1]}'"
        beside = (other for at, other in found.items() if at[:-1] == path[:-1] and other.rule == "spec.unknown-key")
        return any(meant in other.what for other in beside)
    inside = (other for at, other in found.items() if at[:-1] == path and at != path)
    return problem.rule == "spec.value" and any(other.rule == "spec.unknown-key" for other in inside)


def find_violation(value: object, name: str) -> str:
    """Return a sentence about the first violation of a published schema; empty for a valid value.

    Cost:   loads jsonschema at the first call
    """
    error = next(iter(_validator(name, None).iter_errors(value)), None)
    return (
        f"{dotted_path(tuple(error.absolute_path)) or 'the whole'} breaks its schema: {error.validator}"
        if error
        else ""
    )


def _violations(document: Document, name: str) -> list[Violation]:
    kind = document.text("kind")
    validator = _validator(name, kind if kind in kinds(name) else None)
    return [
        Violation(
            path=tuple(error.absolute_path),
            keyword=error.validator,
            wanted=error.validator_value,
            found=error.instance,
            schema=error.schema,
            of_key="propertyNames" in error.schema_path,
        )
        for error in validator.iter_errors(document.data)
    ]


@cache
def _library() -> Any:
    # jsonschema takes about 70 ms to import. Commands that read no document do not pay for it.
    import jsonschema

    return jsonschema


@cache
def _strict() -> Any:
    base = _library().Draft202012Validator
    return _library().validators.extend(base, {"pattern": _pattern, "oneOf": _one_of})


@cache
def _validator(name: str, kind: str | None) -> Any:
    # The whole schema states: if this is a Model, the Model's part applies. With a known kind that part is enough.
    return _strict()(kinds(name)[kind] if kind else schema(name))


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[Exception]:
    # In a schema `$` is the end of the text. In Python it also matches before a last newline.
    if isinstance(instance, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), instance):
        yield _library().ValidationError("pattern")


def _one_of(validator: Any, variants: list[Any], instance: object, _: object) -> Iterator[Exception]:
    # A variant that fixes a field to another value is not meant. If one variant is left, its violations count.
    meant = [each for each in variants if not _is_other(each, instance)]
    if len(meant) == 1:
        yield from validator.descend(instance, meant[0])
    elif sum(validator.evolve(schema=each).is_valid(instance) for each in meant) != 1:
        yield _library().ValidationError("oneOf")


def _is_other(variant: Any, instance: object) -> bool:
    fixed = {key: part["const"] for key, part in variant.get("properties", {}).items() if "const" in part}
    return isinstance(instance, dict) and any(key in instance and instance[key] != fixed[key] for key in fixed)


def _rank(violation: Violation) -> int:
    return _FIRST.index(violation.keyword) if violation.keyword in _FIRST else len(_FIRST)


def _is_void(path: Path, document: Document) -> bool:
    return any(path[:length] in document.void for length in range(len(path) + 1))


def _as_written(document: Document, paths: list[Path]) -> Document:
    data: Any = deepcopy(document.data)
    for path in paths:
        holder = data
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = document.written[path]
    return replace(document, data=data)
