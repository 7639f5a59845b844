"""The worker: killed, stopped, started twice, kept from starting; its jobs are never stuck and never lost."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from reconciler.service.store import Store
from tests.service.service_fixtures import (
    ECHO,
    Service,
    dismiss,
    is_alive,
    open_local,
    plain_rows,
    wait_until,
    worker_of,
)


def test_a_job_whose_worker_was_killed_begins_again(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    service.until(job, "running")
    worker = worker_of(service.root)
    assert worker

    os.kill(worker, signal.SIGKILL)
    go.touch()

    assert service.done(job)["status"] == "succeeded"
    assert "The worker stopped in the middle: the job begins again" in service.messages(job)
    assert worker_of(service.root) != worker


def test_a_job_that_costs_two_workers_fails(service: Service, tmp_path: Path) -> None:
    """A job that kills workers must not do so for ever."""
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))

    def begun(attempt: int) -> bool:
        return service.messages(job).count("Step 1/3: training loss=1.0000") == attempt

    for attempt in (1, 2):
        wait_until(partial(begun, attempt))
        worker = worker_of(service.root)
        assert worker
        os.kill(worker, signal.SIGKILL)

    failed = service.done(job)

    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert "The worker died 2 times" in failed["error"]["message"]
    assert service.done(service.train())["status"] == "succeeded"


def test_training_ends_with_its_worker(service: Service, tmp_path: Path) -> None:
    """A killed worker leaves no process that would train at the same time as the next one."""
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    service.until(job, "running")
    worker = worker_of(service.root)
    assert worker
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert len(children) == 1

    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: not is_alive(int(children[0])), seconds=5)
    service.post(f"/fine_tuning/jobs/{job['id']}/cancel")


def test_a_stopped_worker_leaves_its_job_to_the_next(service: Service, tmp_path: Path) -> None:
    """The machine may be shut down any number of times; the job loses only time."""
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    for _ in range(3):
        service.until(job, "running")
        dismiss(service.root)

    go.touch()

    assert service.done(job)["status"] == "succeeded"


def test_a_job_continues_after_the_process_that_created_it(tmp_path: Path) -> None:
    root, rows = tmp_path / "store", tmp_path / "rows.jsonl"
    rows.write_bytes(plain_rows())
    asking = (
        "import pathlib, sys\n"
        "from tests.service.service_fixtures import open_local\n"
        "service = open_local(pathlib.Path(sys.argv[1]))\n"
        "print(service.train(pathlib.Path(sys.argv[2]).read_bytes())['id'])\n"
    )
    command = [sys.executable, "-W", "error", "-c", asking, str(root), str(rows)]

    asked = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])

    service = open_local(root)
    assert asked.stderr == ""
    assert service.done({"id": asked.stdout.strip()})["status"] == "succeeded"
    dismiss(root)


def test_a_worker_ends_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    service = open_local(tmp_path / "store")
    command = [sys.executable, "-m", "reconciler.service.jobs.worker", str(service.root), "--idle-seconds", "0.1"]

    assert subprocess.run(command, timeout=20, check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_second_worker_ends_at_once(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    service.until(job, "running")
    command = [sys.executable, "-m", "reconciler.service.jobs.worker", str(service.root), "--engine", ECHO[0]]

    second = subprocess.run(command, timeout=20, check=False, cwd=Path(__file__).parents[2])

    assert second.returncode == 0
    assert service.job(job)["status"] == "running"
    go.touch()
    assert service.done(job)["status"] == "succeeded"


def test_workers_that_never_start_fail_the_job(service: Service, tmp_path: Path) -> None:
    """A job is never stuck, even if Python itself cannot be started."""
    broken = open_local(service.root, engines=("tests.service.echo",))
    dismiss(service.root)
    (service.root / "worker.log").write_text("Traceback\nImportError: no such luck\n")
    with Store(service.root).write() as db:
        db.execute("UPDATE about SET value = '5' WHERE key = 'unanswered_starts'")

    job = broken.train()

    ended = broken.job(job)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "server_error")
    assert ended["error"]["message"] == "No worker could be started: ImportError: no such luck"
    assert broken.done(broken.train())["status"] == "succeeded"


def test_a_worker_without_the_engine_reports_it(service: Service) -> None:
    """Two services with different engines may share a store, and one worker serves both."""
    other = open_local(service.root, engines=("reconciler.service.engines.tfidf_logreg",))
    job = service.train(plain_rows("wait for nobody"))
    dismiss(service.root)
    wait_until(lambda: other.job(job)["status"] == "failed")

    assert other.job(job)["error"]["message"] == "The worker does not know the base model test-echo"


def test_a_worker_inherits_no_keys(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    service.until(job, "running")

    environment = Path(f"/proc/{worker_of(service.root)}/environ").read_bytes()

    assert b"PATH=" in environment
    assert b"canary" not in environment
    go.touch()
    service.done(job)


def test_a_worker_removes_what_killed_workers_left(service: Service) -> None:
    kept = service.done(service.train())
    dismiss(service.root)
    (service.root / "jobs" / "ftjob-dead.1").mkdir()
    (service.root / "models" / "ftjob-dead").mkdir()

    service.done(service.train())

    assert list((service.root / "jobs").iterdir()) == []
    assert not (service.root / "models" / "ftjob-dead").exists()
    assert service.post("/completions", {"model": kept["fine_tuned_model"], "prompt": "x"})["choices"]


def test_the_worker_of_a_removed_store_ends(service: Service) -> None:
    service.done(service.train())
    worker = worker_of(service.root)
    assert worker

    shutil.rmtree(service.root)

    wait_until(lambda: not is_alive(worker), seconds=5)
