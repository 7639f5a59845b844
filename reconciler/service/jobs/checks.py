"""Checks the rows of waiting jobs while another job runs, so that a queue shows `queued`, and broken rows fail at once.

One check runs at a time, in a process of its own. A check that does not end in a report decides nothing: the job keeps
its place, and its own process says what is wrong when its turn comes.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from reconciler.service.engines.reporting import read_report_line
from reconciler.service.jobs.runner import JobRun
from reconciler.service.jobs.updates import VALIDATED_MESSAGE, fail_job, validating_message
from reconciler.service.store.database import Store
from reconciler.service.store.jobs import (
    QUEUED,
    VALIDATING,
    JobRecord,
    add_event,
    change_job,
    find_unchecked_job,
    get_job,
)

LOOK_SECONDS = 0.2

Report = dict[str, Any]


class WaitingChecks:
    """The checks of the jobs that wait. `look` is called again and again while a job runs, and returns at once."""

    def __init__(
        self,
        store: Store,
        make_run: Callable[[JobRecord], JobRun | None],
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._make_run = make_run
        self._clock = clock
        self._monotonic = monotonic
        self._seen: set[str] = set()
        self._current: JobCheck | None = None
        self._looked = -LOOK_SECONDS

    def look(self, running: str) -> None:
        """Go on with the check in progress, or begin the next one."""
        now = self._monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._look(running)
        except (OSError, ValueError, LookupError):
            # The disk is full, a report cannot be read: the job that runs must not fail for it.
            self.close()

    def _look(self, running: str) -> None:
        if self._current is None:
            self._begin(running)
        elif not self._is_wanted(self._current.run.job):
            self.close()
        elif self._current.has_ended:
            report = self._current.report()
            job = self._current.run.job
            self.close()
            if report is not None:
                store_check(self._store, job, report, int(self._clock()))

    def close(self) -> None:
        """End the check in progress, whatever it has found."""
        if self._current is not None:
            self._current.close()
            self._current = None

    def _begin(self, running: str) -> None:
        with self._store.read() as db:
            job = find_unchecked_job(db, {running, *self._seen})
        if job is None:
            return
        self._seen.add(job.id)
        run = self._make_run(job)
        if run is not None:
            self._current = JobCheck(run)

    def _is_wanted(self, job: JobRecord) -> bool:
        with self._store.read() as db:
            return get_job(db, job.id).status == VALIDATING


class JobCheck:
    """The process that checks the rows of one job."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self._stack = ExitStack()
        try:
            folder = self._stack.enter_context(run.folder())
            self._report = folder / "check.jsonl"
            self._child = self._start(folder)
        except BaseException:
            self._stack.close()
            raise

    @property
    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def report(self) -> Report | None:
        """Return what the engine reported; None when it did not get that far."""
        if self._child.returncode:
            return None
        for line in self._report.read_bytes().splitlines():
            report: Report = read_report_line(line)
            if report["kind"] in {"validated", "refused"}:
                return report
        return None

    def close(self) -> None:
        """End the process and remove its folder."""
        self._stack.close()

    def _start(self, folder: Path) -> "subprocess.Popen[bytes]":
        output = self._stack.enter_context(self._report.open("wb"))
        child = self._stack.enter_context(self.run.start_child(folder, output, "--check"))
        self._stack.callback(_end, child)
        return child


def store_check(store: Store, job: JobRecord, report: Report, now: int) -> None:
    """Store what a check has found, unless the job was cancelled, paused or begun since."""
    with store.write() as db:
        found = get_job(db, job.id)
        if found.status != VALIDATING or found.attempts != job.attempts or found.pauses != job.pauses:
            return
        add_event(db, job.id, now, validating_message(job))
        if report["kind"] == "refused":
            fail_job(db, job.id, now, report["code"], store.without_paths(report["message"]), report["param"])
            return
        change_job(db, job.id, status=QUEUED, hyperparameters=json.dumps(report["hyperparameters"]))
        add_event(db, job.id, now, VALIDATED_MESSAGE)


def _end(child: "subprocess.Popen[bytes]") -> None:
    # Its own session is its own process group, so that every process that it started ends with it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
