"""Runs the jobs of a store, one at a time: `python -m reconciler.service.jobs.worker STORE`.

It has no parent process: when the command that started it ends, the jobs go on. A service that finds a job without
a worker starts one. A job whose worker died starts again once; if that worker dies too, the job fails.
"""

import argparse
import os
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reconciler.domain.errors import UnusablePlaceError
from reconciler.foundation.locks import try_lock, unlock
from reconciler.foundation.stop import Stop
from reconciler.service.engines.registry import DEFAULT_ENGINES, INSTALL, load_engines, missing_packages
from reconciler.service.jobs.checks import WaitingChecks
from reconciler.service.jobs.launcher import note_worker_started
from reconciler.service.jobs.runner import JobRun
from reconciler.service.jobs.updates import fail_job, validating_message
from reconciler.service.store.database import Store, open_store
from reconciler.service.store.fine_tunes import update_queue_events
from reconciler.service.store.jobs import (
    QUEUED,
    VALIDATING,
    WARN,
    JobRecord,
    active_jobs,
    add_event,
    change_job,
    get_job,
)
from reconciler.service.store.models import list_models

POLL_SECONDS = 0.05
IDLE_SECONDS = 10.0
MOST_ATTEMPTS = 2

_OWN_NAME = re.compile(r"ft(job)?-[A-Za-z0-9_-]{1,64}(\.[0-9]{1,9})?")


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """Runs the jobs of a store until none is left."""

    store: Store
    lock: int
    engines: tuple[str, ...]
    idle_seconds: float
    stop: Stop
    clock: Callable[[], float] = time.time

    def work(self) -> None:
        """Run jobs until none has arrived for a while, or the worker is asked to stop."""
        while not self.stop.is_set():
            self._until_idle()
            unlock(self.lock)
            # A job may have arrived while we still held the lock, and its creator relied on this worker.
            if self.stop.is_set() or not _waiting(self.store) or not try_lock(self.lock):
                return

    def _until_idle(self) -> None:
        deadline = time.monotonic() + self.idle_seconds
        is_first = True
        while not self.stop.is_set():
            job = claim(self.store, int(self.clock()))
            if is_first:
                # Not sooner: a worker that always dies on the way here must not be started for ever.
                note_worker_started(self.store)
                is_first = False
            if job:
                self._do(job)
                deadline = time.monotonic() + self.idle_seconds
            elif time.monotonic() < deadline:
                self.stop.wait(POLL_SECONDS)
            else:
                return

    def _do(self, job: JobRecord) -> None:
        checks = WaitingChecks(self.store, self._make_run, self.clock)
        attempt = self._make_run(job, lambda: checks.look(job.id))
        if attempt is None:
            return
        try:
            ended = attempt.run()
        except (OSError, ValueError, LookupError) as error:
            # The disk is full, a file is missing, the report cannot be read: this job ends, and the next one runs.
            self._fail(job, f"The job could not be run: {error}")
            return
        finally:
            checks.close()
        if not ended:
            with self.store.write() as db:
                if change_job(db, job.id, attempts=job.attempts - 1, status=QUEUED, estimated_finish=None):
                    add_event(db, job.id, int(self.clock()), "The worker was asked to stop: the job waits", level=WARN)

    def _make_run(self, job: JobRecord, on_poll: Callable[[], None] = lambda: None) -> JobRun | None:
        engine = self._engine(job)
        if engine is None:
            return None
        return JobRun(store=self.store, job=job, engine=engine, clock=self.clock, stop=self.stop, on_poll=on_poll)

    def _engine(self, job: JobRecord) -> str | None:
        for module in self.engines:
            for engine in load_engines((module,)).engines:
                if engine.base == job.base:
                    if not missing_packages(engine):
                        return module
                    self._fail(
                        job, f"{job.base} needs {', '.join(missing_packages(engine))}, not installed here: {INSTALL}"
                    )
                    return None
        self._fail(job, f"The worker does not know the base model {job.base}")
        return None

    def _fail(self, job: JobRecord, message: str) -> None:
        with self.store.write() as db:
            fail_job(db, job.id, int(self.clock()), "server_error", self.store.without_paths(message))


def claim(store: Store, now: int) -> JobRecord | None:
    """Take the oldest waiting job. A job whose workers died twice fails instead. Only the lock's holder may call it."""
    if not _waiting(store):
        return None
    with store.write() as db:
        for job in active_jobs(db):
            if job.attempts >= MOST_ATTEMPTS:
                fail_job(
                    db, job.id, now, "server_error", f"The worker died {job.attempts} times while it did this job."
                )
                continue
            change_job(db, job.id, attempts=job.attempts + 1)
            if job.attempts:
                change_job(db, job.id, status=QUEUED, estimated_finish=None)
                add_event(db, job.id, now, "The worker stopped in the middle: the job begins again", level=WARN)
            elif job.status == VALIDATING:
                add_event(db, job.id, now, validating_message(job))
            update_queue_events(db, now)
            return get_job(db, job.id)
    return None


def clean(store: Store) -> None:
    """Remove what dead workers left behind: the folders of their attempts, and weights that no model names.

    Shape:  folders whose names are no ids of ours are not ours, and stay
    """
    with store.read() as db:
        kept = {model.job for model in list_models(db)}
    for folder in (*store.jobs.iterdir(), *(each for each in store.models.iterdir() if each.name not in kept)):
        if _OWN_NAME.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker. Return at once when another one has the store."""
    parser = argparse.ArgumentParser(prog="python -m reconciler.service.jobs.worker")
    parser.add_argument("store", type=Path)
    parser.add_argument("--lock", type=int, help="the open lock file, inherited and held")
    parser.add_argument("--engine", action="append", dest="engines", help="the module of an engine to offer")
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    options = parser.parse_args(arguments)
    store = open_store(options.store)
    lock = _take(store, options.lock)
    if lock is None:
        return 0
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engines = tuple(options.engines or DEFAULT_ENGINES)
    worker = Worker(store=store, lock=lock, engines=engines, idle_seconds=options.idle_seconds, stop=stop)
    try:
        clean(store)
        worker.work()
    except (sqlite3.OperationalError, FileNotFoundError):
        # The store was removed: there is nothing left to do.
        if store.database.exists():
            raise
    finally:
        os.close(lock)
    return 0


def _take(store: Store, inherited: int | None) -> int | None:
    if inherited is None:
        inherited = os.open(store.worker_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(inherited):
            os.close(inherited)
            return None
    os.set_inheritable(inherited, False)
    os.ftruncate(inherited, 0)
    os.pwrite(inherited, f"{os.getpid()}\n".encode(), 0)
    return inherited


def _waiting(store: Store) -> bool:
    with store.read() as db:
        return bool(active_jobs(db))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UnusablePlaceError as error:
        sys.exit(str(error))
