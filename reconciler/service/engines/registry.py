"""Finds engines by the names of their modules. Only what the caller names is imported, never what a store says."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import msgspec

from reconciler.service.engines.port import Engine
from reconciler.service.optional_deps import is_installed

DEFAULT_ENGINES = ("reconciler.service.engines.tfidf_logreg",)


class Shelf(msgspec.Struct, frozen=True):
    """The engines that a service offers.

    Shape:  `aliases` are further names that the operator gave, each to a base or to a model that was trained here
    """

    engines: tuple[Engine, ...]
    aliases: Mapping[str, str] = msgspec.field(default_factory=dict)

    def of(self, base: str) -> Engine | None:
        """Return the engine of a base model, by its own name or an alias; None when there is none."""
        return next((engine for engine in self.engines if engine.base == self.true_name(base)), None)

    def true_name(self, model: str) -> str:
        """Return what an alias stands for; any other name stands for itself."""
        return self.aliases.get(model, model)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of a base, aliases last."""
        return (*(engine.base for engine in self.engines), *(name for name in self.aliases if self.of(name)))


def open_shelf(modules: tuple[str, ...], aliases: Mapping[str, str] | None = None) -> Shelf:
    """Import engines by module name; what they are built on is imported only once they work."""
    return Shelf(tuple(cast(Engine, import_module(module).ENGINE) for module in modules), aliases or {})


def lacks(engine: Engine) -> tuple[str, ...]:
    """Name the packages that an engine needs and that are not installed."""
    return tuple(package for package in engine.requires if not is_installed(package))
