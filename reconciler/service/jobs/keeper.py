"""Starts the worker of a store again when it has died, while the store is served on a port.

A request does so too, but none may come: of a job whose end a webhook reports, for example.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import msgspec

from reconciler.foundation.locks import is_lock_free
from reconciler.service.jobs.launcher import PATIENCE, count_failed_starts, ensure_worker
from reconciler.service.store.database import Store, StoreError
from reconciler.service.store.jobs import active_jobs

LOG = logging.getLogger("reconciler.service")

LOOK_SECONDS = 1.0


class WorkerKeeper(msgspec.Struct, frozen=True, kw_only=True):
    """Looks after the worker of a store."""

    store: Store
    engines: tuple[str, ...]
    clock: Callable[[], float]

    def is_needed(self) -> bool:
        """Return whether a job waits and no worker runs."""
        with self.store.read() as db:
            return bool(active_jobs(db)) and is_lock_free(self.store.worker_lock)

    def run(self, wait: Callable[[float], bool]) -> None:
        """Start a worker whenever two looks in a row found that one is needed, until `wait` returns true.

        After one look, a request may just be about to start it. The pause doubles with each start after which no
        worker took up its work; after a few of these the jobs fail, as when requests start it.
        """
        failures, was_needed = 0, False
        while not wait(LOOK_SECONDS * 2**failures):
            try:
                is_needed = self.is_needed()
                if is_needed and was_needed:
                    LOG.warning("The worker of the jobs has ended, and jobs wait: it is started again.")
                    ensure_worker(self.store, self.engines, int(self.clock()))
                was_needed = is_needed and not was_needed
                failures = count_failed_starts(self.store)
            except (sqlite3.Error, StoreError, OSError) as error:
                # A store that is busy, full or missing is tried again.
                LOG.warning("The worker of the jobs cannot be started: %s", error)
                failures = min(failures + 1, PATIENCE)


@contextmanager
def keep_worker(store: Store, engines: tuple[str, ...], clock: Callable[[], float]) -> Iterator[None]:
    """Start the worker again whenever it dies in the meantime."""
    stop = Event()
    keeper = WorkerKeeper(store=store, engines=engines, clock=clock)
    thread = Thread(target=keeper.run, args=(stop.wait,), name="worker keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1.0)
