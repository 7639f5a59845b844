"""Models as the old API showed them, with the truth in the fields it had for it: `root` is the engine that answers.

`parent` is what a model was trained from, by the name that was asked for; an alias of a trained model has that model
there. Names that the operator gave are listed beside the real ones, and never instead of them.
"""

import sqlite3
from collections.abc import Iterator

from reconciler.domain.errors import UsageError
from reconciler.service.engines.registry import Shelf, lacks
from reconciler.service.legacy.base_aliases import OPTION
from reconciler.service.legacy.records import old_names
from reconciler.service.legacy.wire import Json, old_model_json
from reconciler.service.routes.wire import base_json, model_json
from reconciler.service.store.models import ModelRecord, find_model


class OldForm:
    """What it takes to show models, read once for a whole list."""

    def __init__(self, db: sqlite3.Connection, shelf: Shelf, organization: str) -> None:
        self._db = db
        self._shelf = shelf
        self._organization = organization
        self._names = old_names(db)

    def tuned(self, model: ModelRecord) -> Json:
        """Show a trained model; in the old form where the old API made it."""
        found = model_json(model, self._organization)
        name = self._names.get(model.id)
        return found if name is None else old_model_json(found, root=model.base, parent=name)

    def aliases(self) -> Iterator[Json]:
        """Show every name that the operator gave to something that is there."""
        found = (self.alias(name) for name in self._shelf.aliases)
        yield from (each for each in found if each is not None)

    def alias(self, name: str) -> Json | None:
        """Show one name that the operator gave; None when it is no such name, or what it stands for is not there."""
        if name not in self._shelf.aliases:
            return None
        engine = self._shelf.of(name)
        if engine:
            return None if lacks(engine) else old_model_json({**base_json(engine), "id": name}, root=engine.base)
        model = find_model(self._db, self._shelf.true_name(name))
        if model is None:
            return None
        return old_model_json({**model_json(model, self._organization), "id": name}, root=model.base, parent=model.id)


def check_bases(db: sqlite3.Connection, shelf: Shelf) -> None:
    """Return when every name stands for something that is there.

    Raises: UsageError
    """
    for name, target in shelf.aliases.items():
        if name in {engine.base for engine in shelf.engines}:
            raise UsageError(f"{OPTION}: {name} is the name of a base already")
        if shelf.of(name) is None and find_model(db, target) is None:
            bases = ", ".join(engine.base for engine in shelf.engines)
            raise UsageError(f"{OPTION}: {name}={target}: there is no base or model {target}; the bases are {bases}")
