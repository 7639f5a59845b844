"""Finds engines by the names of their modules. Only what the caller names is imported, never what a store says."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from reconciler.server.engines.port import Engine
from reconciler.server.missing import is_installed

DEFAULT_ENGINES = ("reconciler.server.engines.tfidf_logreg",)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The engines that a service offers."""

    engines: tuple[Engine, ...]

    def of(self, base: str) -> Engine | None:
        """Give the engine of a base model; None when there is none."""
        return next((engine for engine in self.engines if engine.base == base), None)


def open_shelf(modules: tuple[str, ...]) -> Shelf:
    """Import engines by module name; what they are built on is imported only once they work."""
    return Shelf(tuple(cast(Engine, import_module(module).ENGINE) for module in modules))


def lacks(engine: Engine) -> tuple[str, ...]:
    """Name the packages that an engine needs and that are not installed."""
    return tuple(package for package in engine.requires if not is_installed(package))
