"""Paused jobs: the process is stopped, the next job runs, and a resumed job begins again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.service_fixtures import Service, dismiss, error_of, open_local, plain_rows, wait_until, worker_of

RUN_STEP = "Step 1/3: training loss=1.0000"


@pytest.fixture
def showing(tmp_path: Path) -> Iterator[Service]:
    """A service that shows the status `paused`."""
    root = tmp_path / "store"
    yield open_local(root, show_paused=True)
    dismiss(root)


def act(service: Service, job: dict[str, object], verb: str) -> dict[str, object]:
    return service.post(f"/fine_tuning/jobs/{job['id']}/{verb}")


def test_a_paused_job_stops_and_begins_again_when_it_is_resumed(showing: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = showing.train(plain_rows(f"wait for {go}"))
    showing.until(job, "running")

    paused = act(showing, job, "pause")

    assert (paused["status"], paused["finished_at"], paused["error"]) == ("paused", None, None)
    wait_until(lambda: not list((showing.root / "jobs").iterdir()))
    go.touch()
    other = showing.done(showing.train())
    assert other["status"] == "succeeded"
    assert showing.job(job)["status"] == "paused"

    assert act(showing, job, "resume")["status"] == "queued"

    assert showing.done(job)["status"] == "succeeded"
    lines = showing.messages(job)
    assert lines.count(RUN_STEP) == 2
    assert lines.index("The job is paused; resumed, it begins again from the start") < lines.index(
        "The job is resumed: it begins again from the start"
    )


def test_a_job_resumed_before_its_process_was_stopped_begins_again(showing: Service, tmp_path: Path) -> None:
    """The first process is another attempt; neither its end nor its kill affects the second."""
    go = tmp_path / "go"
    job = showing.train(plain_rows(f"wait for {go}"))
    showing.until(job, "running")

    for _ in range(3):
        act(showing, job, "pause")
        act(showing, job, "resume")
    wait_until(lambda: showing.messages(job).count(RUN_STEP) >= 2)
    go.touch()

    assert showing.done(job)["status"] == "succeeded"


def test_a_paused_job_needs_no_worker_and_is_cancelled_without_one(showing: Service, tmp_path: Path) -> None:
    job = showing.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    showing.until(job, "running")
    act(showing, job, "pause")
    dismiss(showing.root)

    assert showing.job(job)["status"] == "paused"
    assert worker_of(showing.root) is None
    assert act(showing, job, "cancel")["status"] == "cancelled"
    assert act(showing, job, "resume")["status"] == "cancelled"


def test_the_file_of_a_paused_job_is_kept(showing: Service, tmp_path: Path) -> None:
    job = showing.train(plain_rows(f"wait for {tmp_path / 'never'}"))
    act(showing, job, "pause")

    assert error_of(showing.client.delete(f"/files/{job['training_file']}"))[0] == 409
    act(showing, job, "cancel")


def test_clients_without_that_status_see_a_queued_job(service: Service, tmp_path: Path) -> None:
    job = service.train(plain_rows(f"wait for {tmp_path / 'never'}"))

    assert act(service, job, "pause")["status"] == "queued"
    assert act(service, job, "pause")["status"] == "queued"
    assert [each["status"] for each in service.get("/fine_tuning/jobs")["data"]] == ["queued"]
    assert service.messages(job)[-1].startswith("The job is paused")
    act(service, job, "cancel")


def test_resuming_a_running_job_shows_it_unchanged(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = service.train(plain_rows(f"wait for {go}"))
    service.until(job, "running")

    assert act(service, job, "resume")["status"] == "running"
    go.touch()
    assert service.done(job)["status"] == "succeeded"
