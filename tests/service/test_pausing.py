"""Pausing: a job's process is stopped, its turn passes, and resumed it begins again from the start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.service_fixtures import House, dismiss, error_of, open_house, plain_rows, wait_until, worker_of

RUN_STEP = "Step 1/3: training loss=1.0000"


@pytest.fixture
def frank(tmp_path: Path) -> Iterator[House]:
    """A service that says `paused` of what is paused."""
    root = tmp_path / "store"
    yield open_house(root, show_paused=True)
    dismiss(root)


def act(house: House, job: dict[str, object], verb: str) -> dict[str, object]:
    return house.post(f"/fine_tuning/jobs/{job['id']}/{verb}")


def test_a_paused_job_stops_and_begins_again_when_it_is_resumed(frank: House, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = frank.train(plain_rows(f"wait for {go}"))
    frank.until(job, "running")

    paused = act(frank, job, "pause")

    assert (paused["status"], paused["finished_at"], paused["error"]) == ("paused", None, None)
    wait_until(lambda: not list((frank.root / "jobs").iterdir()))
    go.touch()
    other = frank.done(frank.train())
    assert other["status"] == "succeeded"
    assert frank.job(job)["status"] == "paused"

    assert act(frank, job, "resume")["status"] == "queued"

    assert frank.done(job)["status"] == "succeeded"
    said = frank.said(job)
    assert said.count(RUN_STEP) == 2
    assert said.index("The job is paused; resumed, it begins again from the start") < said.index(
        "The job is resumed: it begins again from the start"
    )


def test_a_job_resumed_before_its_process_was_stopped_is_still_begun_again(frank: House, tmp_path: Path) -> None:
    """The first process is another attempt: neither its end nor its being killed decides about the second."""
    go = tmp_path / "go"
    job = frank.train(plain_rows(f"wait for {go}"))
    frank.until(job, "running")

    for _ in range(3):
        act(frank, job, "pause")
        act(frank, job, "resume")
    wait_until(lambda: frank.said(job).count(RUN_STEP) >= 2)
    go.touch()

    assert frank.done(job)["status"] == "succeeded"


def test_a_paused_job_needs_no_worker_and_is_cancelled_without_one(frank: House, tmp_path: Path) -> None:
    job = frank.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    frank.until(job, "running")
    act(frank, job, "pause")
    dismiss(frank.root)

    assert frank.job(job)["status"] == "paused"
    assert worker_of(frank.root) is None
    assert act(frank, job, "cancel")["status"] == "cancelled"
    assert act(frank, job, "resume")["status"] == "cancelled"


def test_the_file_of_a_paused_job_is_kept(frank: House, tmp_path: Path) -> None:
    job = frank.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    act(frank, job, "pause")

    assert error_of(frank.client.delete(f"/files/{job['training_file']}"))[0] == 409
    act(frank, job, "cancel")


def test_clients_that_know_no_such_status_are_told_that_it_waits(house: House, tmp_path: Path) -> None:
    job = house.train(plain_rows(f"wait for {tmp_path / 'never'}"))

    assert act(house, job, "pause")["status"] == "queued"
    assert act(house, job, "pause")["status"] == "queued"
    assert [each["status"] for each in house.get("/fine_tuning/jobs")["data"]] == ["queued"]
    assert house.said(job)[-1].startswith("The job is paused")
    act(house, job, "cancel")


def test_a_job_that_runs_is_not_resumed_but_shown(house: House, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = house.train(plain_rows(f"wait for {go}"))
    house.until(job, "running")

    assert act(house, job, "resume")["status"] == "running"
    go.touch()
    assert house.done(job)["status"] == "succeeded"
