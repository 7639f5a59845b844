"""The worker: killed, sent home, doubled, kept from starting; its jobs are never stuck and never lost."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from reconciler.service.store import Store
from tests.service.service_fixtures import ECHO, House, dismiss, is_alive, open_house, plain_rows, wait_until, worker_of


def test_a_job_whose_worker_was_killed_begins_again(house: House, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = house.train(plain_rows(f"wait for {go}"))
    house.until(job, "running")
    worker = worker_of(house.root)
    assert worker

    os.kill(worker, signal.SIGKILL)
    go.touch()

    assert house.done(job)["status"] == "succeeded"
    assert "The worker stopped in the middle: the job begins again" in house.said(job)
    assert worker_of(house.root) != worker


def test_a_job_that_costs_two_workers_fails(house: House, tmp_path: Path) -> None:
    """Whatever kills workers must not do so for ever."""
    job = house.train(plain_rows(f"wait for {tmp_path / 'never'}"))

    def begun(attempt: int) -> bool:
        return house.said(job).count("Step 1/3: training loss=1.0000") == attempt

    for attempt in (1, 2):
        wait_until(partial(begun, attempt))
        worker = worker_of(house.root)
        assert worker
        os.kill(worker, signal.SIGKILL)

    failed = house.done(job)

    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")
    assert "The worker died 2 times" in failed["error"]["message"]
    assert house.done(house.train())["status"] == "succeeded"


def test_training_ends_with_its_worker(house: House, tmp_path: Path) -> None:
    """A worker that is killed leaves no process behind that would train beside the next one."""
    job = house.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    house.until(job, "running")
    worker = worker_of(house.root)
    assert worker
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert len(children) == 1

    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: not is_alive(int(children[0])), seconds=5)
    house.post(f"/fine_tuning/jobs/{job['id']}/cancel")


def test_a_worker_that_is_sent_home_leaves_its_job_to_the_next(house: House, tmp_path: Path) -> None:
    """As often as the machine is shut down: this costs a job nothing but time."""
    go = tmp_path / "go"
    job = house.train(plain_rows(f"wait for {go}"))
    for _ in range(3):
        house.until(job, "running")
        dismiss(house.root)

    go.touch()

    assert house.done(job)["status"] == "succeeded"


def test_a_job_survives_the_process_that_asked_for_it(tmp_path: Path) -> None:
    root, rows = tmp_path / "store", tmp_path / "rows.jsonl"
    rows.write_bytes(plain_rows())
    asking = (
        "import pathlib, sys\n"
        "from tests.service.service_fixtures import open_house\n"
        "house = open_house(pathlib.Path(sys.argv[1]))\n"
        "print(house.train(pathlib.Path(sys.argv[2]).read_bytes())['id'])\n"
    )
    command = [sys.executable, "-W", "error", "-c", asking, str(root), str(rows)]

    asked = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])

    house = open_house(root)
    assert asked.stderr == ""
    assert house.done({"id": asked.stdout.strip()})["status"] == "succeeded"
    dismiss(root)


def test_a_worker_goes_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    house = open_house(tmp_path / "store")
    command = [sys.executable, "-m", "reconciler.service.jobs.worker", str(house.root), "--idle-seconds", "0.1"]

    assert subprocess.run(command, timeout=20, check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_second_worker_goes_at_once(house: House, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = house.train(plain_rows(f"wait for {go}"))
    house.until(job, "running")
    command = [sys.executable, "-m", "reconciler.service.jobs.worker", str(house.root), "--engine", ECHO[0]]

    second = subprocess.run(command, timeout=20, check=False, cwd=Path(__file__).parents[2])

    assert second.returncode == 0
    assert house.job(job)["status"] == "running"
    go.touch()
    assert house.done(job)["status"] == "succeeded"


def test_workers_that_never_come_up_fail_the_job(house: House, tmp_path: Path) -> None:
    """A job is never stuck, even where Python itself cannot be started any more."""
    broken = open_house(house.root, engines=("tests.service.echo",))
    dismiss(house.root)
    (house.root / "worker.log").write_text("Traceback\nImportError: no such luck\n")
    with Store(house.root).write() as db:
        db.execute("UPDATE about SET value = '5' WHERE key = 'unanswered_starts'")

    job = broken.train()

    ended = broken.job(job)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "server_error")
    assert ended["error"]["message"] == "No worker could be started: ImportError: no such luck"
    assert broken.done(broken.train())["status"] == "succeeded"


def test_a_worker_that_lacks_the_engine_says_so(house: House) -> None:
    """Two services with different engines may share a store; whoever's worker runs answers for both."""
    other = open_house(house.root, engines=("reconciler.service.engines.tfidf_logreg",))
    job = house.train(plain_rows("wait for nobody"))
    dismiss(house.root)
    wait_until(lambda: other.job(job)["status"] == "failed")

    assert other.job(job)["error"]["message"] == "The worker does not know the base model test-echo"


def test_a_worker_takes_no_keys_along(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    go = tmp_path / "go"
    job = house.train(plain_rows(f"wait for {go}"))
    house.until(job, "running")

    environment = Path(f"/proc/{worker_of(house.root)}/environ").read_bytes()

    assert b"PATH=" in environment
    assert b"canary" not in environment
    go.touch()
    house.done(job)


def test_a_worker_clears_away_what_dead_ones_left(house: House) -> None:
    kept = house.done(house.train())
    dismiss(house.root)
    (house.root / "jobs" / "ftjob-dead.1").mkdir()
    (house.root / "models" / "ftjob-dead").mkdir()

    house.done(house.train())

    assert list((house.root / "jobs").iterdir()) == []
    assert not (house.root / "models" / "ftjob-dead").exists()
    assert house.post("/completions", {"model": kept["fine_tuned_model"], "prompt": "x"})["choices"]


def test_a_store_that_is_removed_takes_its_worker_with_it(house: House) -> None:
    house.done(house.train())
    worker = worker_of(house.root)
    assert worker

    shutil.rmtree(house.root)

    wait_until(lambda: not is_alive(worker), seconds=5)
