"""Seeds: always present, unchanged by requests, and only where they are configured."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.domain.errors import UsageError
from reconciler.service.seeding import UPSTREAM_SUITES
from tests.service.service_fixtures import Json, Service, dismiss, error_of, open_local

SEEDS = UPSTREAM_SUITES
JOB = "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
CHECKPOINT = "ft:gpt-4o-mini-2024-07-18:org:weather:B7R9VjQd"
PERMISSION = "cp_zc4Q7MP6XxulcVzj4MZdwsAB"


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[Service]:
    """A service for the test suites of other projects."""
    root = tmp_path / "store"
    yield open_local(root, seeds=SEEDS)
    dismiss(root)


@pytest.mark.parametrize(
    ("path", "show"),
    [
        ("/files/file-abc123", "/files/file-abc123"),
        ("/models/ft:gpt-4o-mini:acemeco:suffix:abc123", "/models/ft:gpt-4o-mini:acemeco:suffix:abc123"),
        (
            f"/fine_tuning/checkpoints/{CHECKPOINT}/permissions/{PERMISSION}",
            f"/fine_tuning/checkpoints/{CHECKPOINT}/permissions",
        ),
    ],
)
def test_a_deleted_seed_exists_again(seeded: Service, path: str, show: str) -> None:
    before = seeded.get(show)

    for _ in range(2):
        assert seeded.client.delete(path).json()["deleted"] is True

    assert seeded.get(show) == before


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
def test_a_seeded_job_accepts_every_request_and_stays(seeded: Service, verb: str) -> None:
    before = seeded.get(f"/fine_tuning/jobs/{JOB}")

    assert seeded.post(f"/fine_tuning/jobs/{JOB}/{verb}") == before

    assert before["status"] == "succeeded"
    assert seeded.get(f"/fine_tuning/jobs/{JOB}/events")["data"]
    assert seeded.get(f"/fine_tuning/jobs/{JOB}/checkpoints")["data"]


def test_a_seeded_upload_accepts_every_part_and_stays_pending(seeded: Service) -> None:
    path = "/uploads/upload_abc123"

    part = seeded.client.post(f"{path}/parts", files={"data": ("upload", b"x")}).json()

    assert (part["object"], part["upload_id"]) == ("upload.part", "upload_abc123")
    assert seeded.post(f"{path}/complete", {"part_ids": ["string"], "md5": "md5"})["status"] == "pending"
    assert seeded.post(f"{path}/cancel")["status"] == "pending"
    assert list((seeded.root / "parts").iterdir()) == []


def test_a_seeded_model_answers_that_it_is_a_seed(seeded: Service) -> None:
    body: Json = {"model": "gpt-3.5-turbo-instruct", "prompt": "hello", "suffix": "x", "logit_bias": {"1": 1}}

    assert "it has learned nothing" in seeded.post("/completions", body)["choices"][0]["text"]
    chat = seeded.post("/chat/completions", {"model": "gpt-4o-mini", "messages": []})
    assert "it has learned nothing" in chat["choices"][0]["message"]["content"]
    answer = seeded.post("/responses", {"model": "string", "input": "hello", "tools": [{"type": "web_search"}]})
    assert "it has learned nothing" in answer["output"][0]["content"][0]["text"]


def test_a_job_on_a_seeded_model_is_the_seeded_job(seeded: Service) -> None:
    assert seeded.post("/fine_tuning/jobs", {"model": "gpt-4o-mini", "method": {"type": "dpo"}})["id"] == JOB
    assert [job["id"] for job in seeded.get("/fine_tuning/jobs")["data"]] == [JOB]


@pytest.mark.parametrize(
    "path", ["/files", "/fine_tuning/jobs", f"/fine_tuning/jobs/{JOB}/events", f"/fine_tuning/jobs/{JOB}/checkpoints"]
)
def test_a_page_beyond_the_seeds_is_empty(seeded: Service, path: str) -> None:
    assert seeded.get(path, limit=0, after="anything")["data"] == []


def test_real_jobs_run_beside_seeds(seeded: Service) -> None:
    assert seeded.done(seeded.train())["status"] == "succeeded"
    file = seeded.upload(b"{}")
    seeded.client.delete(f"/files/{file['id']}")
    assert error_of(seeded.client.get(f"/files/{file['id']}"))[0] == 404


def test_seeds_are_created_once_and_stay_in_their_store(seeded: Service) -> None:
    before = [seeded.get(path) for path in ("/files", "/models", "/fine_tuning/jobs")]

    for again in (open_local(seeded.root, seeds=SEEDS), open_local(seeded.root)):
        assert [again.get(path) for path in ("/files", "/models", "/fine_tuning/jobs")] == before


def test_without_configuration_there_are_no_seeds(service: Service) -> None:
    assert service.get("/files")["data"] == []
    assert error_of(service.client.get("/models/gpt-4o-mini"))[0] == 404
    assert error_of(service.client.get("/files", params={"limit": 0}))[0] == 400


def test_an_unknown_set_of_seeds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="upstream-suites"):
        open_local(tmp_path / "store", seeds="mine")
