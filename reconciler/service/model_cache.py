"""Keeps the models that were asked last loaded, so that only the first answer waits for its weights."""

from collections import OrderedDict
from threading import Lock

from reconciler.service.engines.port import Answerer
from reconciler.service.engines.registry import Shelf, lacks
from reconciler.service.errors import ApiError, no_model
from reconciler.service.optional_deps import INSTALL
from reconciler.service.store.database import Store
from reconciler.service.store.models import ModelRecord, find_model, weights_of

KEPT = 4


class Answers:
    """Loaded models, by id."""

    def __init__(self, store: Store, shelf: Shelf) -> None:
        self._store = store
        self._shelf = shelf
        self._loaded: OrderedDict[str, Answerer] = OrderedDict()
        self._turn = Lock()

    def of(self, model: str) -> Answerer:
        """Return a model, ready to be asked.

        Raises: ApiError when there is none of that name, or it cannot be asked here
        Cost:   the first time, the engine's libraries and the weights are loaded
        """
        if self._shelf.of(model):
            message = (
                f"The base model '{model}' has learned nothing and has no answers: fine-tune it, and ask the result."
            )
            raise ApiError(400, message, param="model", code="model_not_trained")
        with self._store.read() as db:
            record = find_model(db, self._shelf.true_name(model))
        if record is None:
            raise no_model(model)
        with self._turn:
            if record.id not in self._loaded:
                self._loaded[record.id] = self._load(record)
            self._loaded.move_to_end(record.id)
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
            return self._loaded[record.id]

    def _load(self, record: ModelRecord) -> Answerer:
        engine = self._shelf.of(record.base)
        if engine is None:
            message = f"The model '{record.id}' was made from '{record.base}', which this service does not offer."
            raise ApiError(400, message, param="model", code="model_not_available")
        if lacks(engine):
            message = f"The model '{record.id}' needs {', '.join(lacks(engine))}, not installed here: {INSTALL}"
            raise ApiError(400, message, param="model", code="model_not_available")
        try:
            return engine.load(weights_of(self._store, record))
        except FileNotFoundError as error:
            # Deleted by another process since we looked.
            raise no_model(record.id) from error
