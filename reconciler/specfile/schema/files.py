"""The published JSON Schemas: beside the package in a checkout, inside it when installed."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.domain.errors import UsageError

_ENDING = ".schema.json"
_PACKAGE = Path(__file__).resolve().parents[2]
_INSTALLED, _CHECKOUT = _PACKAGE / "schemas", _PACKAGE.parent / "schemas"


def schema_names() -> tuple[str, ...]:
    """Return the names of all published schemas, sorted."""
    return tuple(sorted(path.name.removesuffix(_ENDING) for path in _folder().glob(f"*{_ENDING}")))


def schema_text(name: str) -> str:
    """Return the text of one published schema.

    Raises: UsageError when there is no schema of that name
    """
    if name not in schema_names():
        raise UsageError(f"there is no schema '{name}'; there are {', '.join(schema_names())}")
    return (_folder() / f"{name}{_ENDING}").read_text(encoding="utf-8")


@cache
def schema(name: str) -> dict[str, Any]:
    """Return one published schema with its references replaced. It is read once, and must not be changed.

    Cost:   endless for a schema that refers to itself; none that checks documents does
    """
    whole = json.loads(schema_text(name))
    found: dict[str, Any] = _replace_references(whole, whole.get("$defs", {}))
    return found


@cache
def kinds(name: str) -> dict[str, dict[str, Any]]:
    """Return the parts of a schema that describe one kind of document each, by kind."""
    return {kind: part for kind, part in schema(name).get("$defs", {}).items() if "kind" in part.get("properties", ())}


def _replace_references(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_replace_references(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        # The fields beside a reference describe this use of it.
        part = {**definitions[part["$ref"].rpartition("/")[2]], **part}
        del part["$ref"]
    return {key: _replace_references(each, definitions) for key, each in part.items()}


def _folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
