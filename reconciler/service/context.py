"""What every request handler receives: store, engines, models, clock, and the function that starts a worker."""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

import msgspec

from reconciler.service.engines.port import LoadedModel
from reconciler.service.engines.registry import INSTALL, EngineRegistry, missing_packages
from reconciler.service.errors import ApiError, no_model_error
from reconciler.service.limits import BodyMemory, DiskSpace, Limits
from reconciler.service.store.database import Store
from reconciler.service.store.models import ModelRecord, find_model, weights_path

KEPT = 4


class ModelCache:
    """The models that were used last, loaded, so that only the first answer waits for the weights."""

    def __init__(self, store: Store, registry: EngineRegistry) -> None:
        self._store = store
        self._registry = registry
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._turn = Lock()

    def get(self, model: str) -> LoadedModel:
        """Return a model, loaded.

        Raises: ApiError when no model has that name, or it cannot be loaded here
        Cost:   the first time, the engine's libraries and the weights are loaded
        """
        if self._registry.find(model):
            message = (
                f"The base model '{model}' has learned nothing and has no answers: fine-tune it, and ask the result."
            )
            raise ApiError(400, message, param="model", code="model_not_trained")
        with self._store.read() as db:
            record = find_model(db, self._registry.resolve(model))
        if record is None:
            raise no_model_error(model)
        with self._turn:
            if record.id not in self._loaded:
                self._loaded[record.id] = self._load(record)
            self._loaded.move_to_end(record.id)
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
            return self._loaded[record.id]

    def _load(self, record: ModelRecord) -> LoadedModel:
        engine = self._registry.find(record.base)
        if engine is None:
            message = f"The model '{record.id}' was made from '{record.base}', which this service does not offer."
            raise ApiError(400, message, param="model", code="model_not_available")
        if missing_packages(engine):
            message = (
                f"The model '{record.id}' needs {', '.join(missing_packages(engine))}, not installed here: {INSTALL}"
            )
            raise ApiError(400, message, param="model", code="model_not_available")
        try:
            return engine.load(weights_path(self._store, record))
        except FileNotFoundError as error:
            # Deleted by another process since we looked.
            raise no_model_error(record.id) from error


class ServiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """One opened store, with what is needed to serve it.

    Shape:  `show_paused` is whether a paused job has the status `paused`, or `queued` for older clients; `seeded` is
            whether the store holds seeds; page cursors are then checked less strictly, as the suites expect
    """

    store: Store
    organization: str
    models: ModelCache
    registry: EngineRegistry
    start_worker: Callable[[int], None]
    clock: Callable[[], float] = time.time
    limits: Limits = Limits()
    bodies: BodyMemory = msgspec.field(default_factory=lambda: BodyMemory(Limits().bodies_bytes))
    show_paused: bool = False
    seeded: bool = False

    @property
    def disk(self) -> DiskSpace:
        return DiskSpace(self.store.root, self.limits.free_bytes)

    def now(self) -> int:
        """Return the time for what is created now, in whole seconds."""
        return int(self.clock())

    def wake(self) -> None:
        """Make sure that a worker runs. Cheap when one does."""
        self.start_worker(self.now())

    def wake_after_write(self) -> None:
        """Make sure that a worker runs for a job that was just stored, as far as that is possible now.

        An error would say that the job was not stored. The next look at the job raises it, or starts the worker.
        """
        with suppress(OSError, sqlite3.Error):
            self.wake()
