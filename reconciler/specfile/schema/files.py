"""Where the JSON Schemas are: beside the package in a checkout, inside it once installed."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.domain.errors import UsageError

_ENDING = ".schema.json"
_PACKAGE = Path(__file__).resolve().parents[2]
_INSTALLED, _CHECKOUT = _PACKAGE / "schemas", _PACKAGE.parent / "schemas"


def schema_names() -> tuple[str, ...]:
    """The names of all published schemas, sorted."""
    return tuple(sorted(path.name.removesuffix(_ENDING) for path in _folder().glob(f"*{_ENDING}")))


def schema_text(name: str) -> str:
    """The text of one published schema.

    Raises: UsageError for a name that is none of theirs
    """
    if name not in schema_names():
        raise UsageError(f"there is no schema '{name}'; there are {', '.join(schema_names())}")
    return (_folder() / f"{name}{_ENDING}").read_text(encoding="utf-8")


@cache
def schema(name: str) -> dict[str, Any]:
    """One published schema, read once, with its references written out; not to be changed.

    Cost:   a schema that refers to itself has no end written out; those that documents are checked with do not
    """
    whole = json.loads(schema_text(name))
    found: dict[str, Any] = _written_out(whole, whole.get("$defs", {}))
    return found


@cache
def kinds(name: str) -> dict[str, dict[str, Any]]:
    """The parts of a schema that each describe one kind of document, by kind."""
    return {kind: part for kind, part in schema(name).get("$defs", {}).items() if "kind" in part.get("properties", ())}


def _written_out(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_written_out(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        # What stands beside a reference describes this one use of it.
        part = {**definitions[part["$ref"].rpartition("/")[2]], **part}
        del part["$ref"]
    return {key: _written_out(each, definitions) for key, each in part.items()}


def _folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
