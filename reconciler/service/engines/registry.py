"""Finds engines by the names of their modules. Imports only what the caller names, never what a store names."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import cast

import msgspec

from reconciler.domain.errors import ReconcilerError
from reconciler.service.engines.port import Engine

DEFAULT_ENGINES = ("reconciler.service.engines.tfidf_logreg",)


class EngineRegistry(msgspec.Struct, frozen=True):
    """The engines that a service offers.

    Shape:  `aliases` are further names that the operator gave, each to a base or to a model that was trained here
    """

    engines: tuple[Engine, ...]
    aliases: Mapping[str, str] = msgspec.field(default_factory=dict)

    def find(self, base: str) -> Engine | None:
        """Return the engine of a base model, by its own name or an alias; None when there is none."""
        return next((engine for engine in self.engines if engine.base == self.resolve(base)), None)

    def resolve(self, model: str) -> str:
        """Return what an alias stands for; any other name stands for itself."""
        return self.aliases.get(model, model)

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name of a base, aliases last."""
        return (*(engine.base for engine in self.engines), *(name for name in self.aliases if self.find(name)))


def load_engines(modules: tuple[str, ...], aliases: Mapping[str, str] | None = None) -> EngineRegistry:
    """Import engines by module name. The libraries of an engine are imported only when it trains or loads."""
    return EngineRegistry(tuple(cast(Engine, import_module(module).ENGINE) for module in modules), aliases or {})


def missing_packages(engine: Engine) -> tuple[str, ...]:
    """Name the packages that an engine needs and that are not installed."""
    return tuple(package for package in engine.requires if not is_installed(package))


INSTALL = "pip install 'finetune-reconciler[local]'"


class EngineMissingError(ReconcilerError, ImportError):
    """A part of the local service is not installed. Run the command in the message."""


def require_packages(*packages: str) -> None:
    """Check that packages can be imported, without importing them.

    Raises: EngineMissingError, naming what is missing and the command that installs it
    """
    missing = [package for package in packages if not is_installed(package)]
    if missing:
        raise EngineMissingError(f"the local service needs {', '.join(missing)}, not installed here: {INSTALL}")


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    return find_spec(package) is not None
