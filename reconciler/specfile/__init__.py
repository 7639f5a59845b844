"""Specs: YAML text in, `Specs` out, or everything that is wrong with it. Knows neither the service nor the data.

What is handed on here is loaded when it is first used, so that a command that reads no spec pays for no parser.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.specfile.files import find_workspace, lock_name
    from reconciler.specfile.lockfile import read_lock, write_lock
    from reconciler.specfile.prices import read_prices
    from reconciler.specfile.read import read_specs
    from reconciler.specfile.roots import find_roots
    from reconciler.specfile.schema.files import schema_names, schema_text
    from reconciler.specfile.schema.validate import breach_in
    from reconciler.specfile.writer.init_tree import write_starter

__all__ = [
    "breach_in",
    "find_roots",
    "find_workspace",
    "lock_name",
    "read_lock",
    "read_prices",
    "read_specs",
    "schema_names",
    "schema_text",
    "write_lock",
    "write_starter",
]

_HOMES = {
    "breach_in": "schema.validate",
    "find_roots": "roots",
    "find_workspace": "files",
    "lock_name": "files",
    "read_lock": "lockfile",
    "read_prices": "prices",
    "read_specs": "read",
    "schema_names": "schema.files",
    "schema_text": "schema.files",
    "write_lock": "lockfile",
    "write_starter": "writer.init_tree",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
