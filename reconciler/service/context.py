"""What every request handler is given: the store, the engines, the clock, and the worker's bell."""

import time
from collections.abc import Callable

import msgspec

from reconciler.service.engines.registry import DEFAULT_ENGINES, Shelf
from reconciler.service.jobs.launcher import ensure_worker
from reconciler.service.model_cache import Answers
from reconciler.service.store.database import Store


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much the service takes at once.

    Units:  bytes; `requests_per_minute` None is as many as come
    """

    file_bytes: int = 512 * 1024 * 1024
    part_bytes: int = 64 * 1024 * 1024
    upload_bytes: int = 8 * 1024 * 1024 * 1024
    body_bytes: int = 16 * 1024 * 1024
    requests_per_minute: int | None = None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One opened store, with what it takes to serve it.

    Shape:  `show_paused` is whether a paused job says so, or `queued` as clients of old expect; `seeded` is whether the
            store holds seeds, and lists are read as kindly as the suites that need them ask
    """

    store: Store
    organization: str
    answers: Answers
    shelf: Shelf
    engines: tuple[str, ...] = DEFAULT_ENGINES
    clock: Callable[[], float] = time.time
    limits: Limits = Limits()
    show_paused: bool = False
    seeded: bool = False

    def now(self) -> int:
        """The time to write on what is made now, in whole seconds."""
        return int(self.clock())

    def wake(self) -> None:
        """Make sure that a worker runs; cheap when one does."""
        ensure_worker(self.store, self.engines, self.now())
