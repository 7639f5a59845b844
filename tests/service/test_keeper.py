"""The keeper of the worker: a job goes on after its worker died, without a request, and not for ever."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.service.jobs.keeper import LOOK_SECONDS, WorkerKeeper
from reconciler.service.jobs.launcher import PATIENCE, count_failed_starts
from reconciler.service.store.database import Store
from reconciler.service.store.jobs import get_job
from tests.service.service_fixtures import ECHO, NOW, Json, Service, plain_rows, wait_until, worker_of


def keeper_of(service: Service) -> WorkerKeeper:
    return WorkerKeeper(store=Store(service.root), engines=ECHO, clock=lambda: NOW)


def run_keeper(service: Service, looks: int, between: Callable[[], object] = lambda: None) -> list[float]:
    """Let a keeper look so often, without waiting. Return the pauses that it made."""
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        between()
        pauses.append(seconds)
        return len(pauses) > looks

    keeper_of(service).run(wait)
    return pauses


def status_of(service: Service, job: Json) -> str:
    """Return the status as it is stored: a request would start a worker."""
    with Store(service.root).read() as db:
        return get_job(db, job["id"]).status


def kill_worker(service: Service) -> int:
    worker = worker_of(service.root)
    assert worker
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker_of(service.root) is None)
    return worker


def test_a_worker_that_was_killed_is_started_again_without_a_request(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    service.until(job, "running")
    kill_worker(service)
    go.touch()

    with caplog.at_level(logging.WARNING, "reconciler.service"):
        run_keeper(service, looks=2)

    wait_until(lambda: status_of(service, job) == "succeeded")
    assert [record.getMessage() for record in caplog.records] == [
        "The worker of the jobs has ended, and jobs wait: it is started again."
    ]


def test_a_worker_that_runs_or_has_nothing_to_do_is_left_alone(service: Service, tmp_path: Path) -> None:
    assert not keeper_of(service).is_needed()
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    service.until(job, "running")

    assert not keeper_of(service).is_needed()
    worker = kill_worker(service)
    assert keeper_of(service).is_needed()

    run_keeper(service, looks=1)  # a request may just be about to start it
    assert worker_of(service.root) is None
    assert worker


def test_workers_that_always_die_are_started_ever_later_until_the_job_fails(service: Service, tmp_path: Path) -> None:
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    service.until(job, "running")
    kill_worker(service)
    with Store(service.root).write() as db:
        db.execute("ALTER TABLE models RENAME TO elsewhere")

    pauses = run_keeper(
        service, looks=2 * (PATIENCE + 1), between=lambda: wait_until(lambda: worker_of(service.root) is None)
    )

    assert status_of(service, job) == "failed"
    assert max(pauses) == LOOK_SECONDS * 2**PATIENCE
    assert pauses[-1] == LOOK_SECONDS


def test_a_store_that_is_missing_is_looked_at_ever_later(service: Service) -> None:
    service.root.rename(service.root.with_name("elsewhere"))

    pauses = run_keeper(service, looks=PATIENCE + 2)

    assert pauses == sorted(pauses)
    assert pauses[-1] == LOOK_SECONDS * 2**PATIENCE
    service.root.with_name("elsewhere").rename(service.root)


def test_a_worker_that_dies_before_its_first_job_counts_as_not_started(service: Service) -> None:
    """Such a worker would be started for ever, if it had said before that it runs."""
    store = Store(service.root)
    with store.write() as db:
        db.execute("UPDATE about SET value = '1' WHERE key = 'unanswered_starts'")
        db.execute("ALTER TABLE models RENAME TO elsewhere")

    command = [sys.executable, "-m", "reconciler.service.jobs.worker", str(service.root), "--engine", ECHO[0]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode, ended.stderr
    assert count_failed_starts(store) == 1
