"""What every request handler is given: the store, the engines, the clock, and the worker's bell."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.server.answers import Answers
from reconciler.server.engines.shelf import DEFAULT_ENGINES, Shelf
from reconciler.server.store.home import Store
from reconciler.server.work.supervise import ensure_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the service takes at once.

    Units:  bytes
    """

    file_bytes: int = 512 * 1024 * 1024
    body_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One opened store, with what it takes to serve it."""

    store: Store
    organization: str
    answers: Answers
    shelf: Shelf
    engines: tuple[str, ...] = DEFAULT_ENGINES
    clock: Callable[[], float] = time.time
    limits: Limits = Limits()

    def now(self) -> int:
        """The time to write on what is made now, in whole seconds."""
        return int(self.clock())

    def wake(self) -> None:
        """Make sure that a worker runs; cheap when one does."""
        ensure_worker(self.store, self.engines, self.now())
