"""Turn each violation of a schema into a problem: its place, what is wrong, and a hint."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reconciler.domain.errors import Problem
from reconciler.foundation.text import slug
from reconciler.specfile.schema.files import kinds
from reconciler.specfile.schema.messages import (
    advice,
    describe_schema,
    looks_like_a_key,
    name_faults,
    nearest_field,
    or_nearest,
    quote,
    show_value,
    way_out,
)
from reconciler.specfile.yaml import Document, Path, dotted_path

Schema = Mapping[str, Any]


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A keyword of a schema that a value does not satisfy.

    Shape:  `wanted` is the keyword's value; `of_key` if `found` is the name of a field and not its value
    """

    path: Path
    keyword: str
    wanted: Any
    found: Any
    schema: Schema
    of_key: bool = False

    @property
    def wants_text(self) -> bool:
        return self.keyword == "type" and "string" in self.wanted


def problems_of(violation: Violation, document: Document, name: str) -> Iterator[tuple[Path, Problem]]:
    """Yield the problems of one violation, each with the path of its field."""
    path = violation.path
    if violation.keyword == "additionalProperties":
        for key in violation.found.keys() - violation.schema["properties"].keys():
            yield (*path, key), _unknown(document, (*path, key), violation.schema["properties"], name)
    elif violation.keyword == "required":
        for key in set(violation.wanted) - violation.found.keys():
            yield (*path, key), _missing(document, (*path, key), violation.schema, name)
    elif violation.keyword == "dependentRequired":
        for key in violation.wanted.keys() & violation.found.keys():
            for need in set(violation.wanted[key]) - violation.found.keys():
                what, hint = f"needs '{need}' beside it", advice(need, violation.schema["properties"][need])
                yield (*path, key), document.problem((*path, key), what, hint, "spec.missing", at_key=True)
    elif violation.keyword == "not":
        path = (*path, violation.found) if violation.of_key else path
        what, hint = violation.schema["title"], violation.schema["description"]
        yield path, document.problem(path, what, hint, "spec.not-here", at_key=True)
    else:
        yield path, _value(violation, document)


def _value(violation: Violation, document: Document) -> Problem:
    path = violation.path
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    in_list = isinstance(path[-1], int) if path else False
    if violation.keyword in {"minLength", "minItems"}:
        return document.problem(path, "must not be empty", advice(key, violation.schema, in_list=in_list), "spec.value")
    if violation.keyword == "maxItems":
        what = f"must have at most {violation.wanted} items, has {len(violation.found)}"
        return document.problem(path, what, "split it, or use fewer", "spec.value")
    what = f"must be {describe_schema(violation.schema)}, is {show_value(violation.found, document.written.get(path))}"
    if violation.keyword == "pattern" and not looks_like_a_key(violation.found):
        # A text without faults of a name breaks another rule than that of names, and its field says which.
        name, faults = slug(violation.found), name_faults(violation.found)
        if name and faults:
            return document.problem(path, what, f"it has {faults}: call it '{name}'", "spec.name")
    if violation.keyword == "enum" and isinstance(violation.found, str):
        what += or_nearest(violation.found, [each for each in violation.wanted if isinstance(each, str)])
    return document.problem(path, what, way_out(key, violation.schema, violation.found, in_list=in_list), "spec.value")


def _unknown(document: Document, path: Path, known: Schema, name: str) -> Problem:
    key, kind = str(path[-1]), document.text("kind") or ""
    near = nearest_field(key, known) or _inside(key, known)
    what = f"unknown field, did you mean '{near}'?" if near else "unknown field"
    hint = f"the fields here are {', '.join(known)}"
    if len(path) > 1 and key in kinds(name).get(kind, {}).get("properties", ()):
        what, hint = "unknown field", f"'{key}' is a field of the {kind} itself: move it there"
    return document.problem(path, what, hint, "spec.unknown-key", at_key=True)


def _inside(key: str, known: Schema) -> str | None:
    """Return the field one level deeper that was probably meant: `hyperparameters.n_epochs` for `n_epochs`."""
    for outer in known:
        if near := nearest_field(key, known[outer].get("properties", ())):
            return f"{outer}.{near}"
    return None


def _missing(document: Document, path: Path, where: Schema, name: str) -> Problem:
    key = str(path[-1])
    hint = advice(key, where["properties"][key])
    if path == ("kind",):
        hint = _kind_hint(document, name) or hint
    return Problem(
        where=document.key_place(path[:-1]),
        what="this is missing",
        path=dotted_path(path),
        hint=hint,
        rule="spec.missing",
    )


def _kind_hint(document: Document, name: str) -> str | None:
    if near := next((each for each in document.data if nearest_field(each, ("kind",))), None):
        return f"did you mean it where {quote(near)} is written?"
    fitting = [kind for kind, part in kinds(name).items() if document.data.keys() <= part["properties"].keys()]
    return f"its fields are those of a {fitting[0]}: add 'kind: {fitting[0]}'" if len(fitting) == 1 else None
