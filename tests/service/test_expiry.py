"""Files expire at their time by the store's clock, on every route at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.service_fixtures import NOW, Json, Service, dismiss, error_of, open_local, plain_rows

DAY = 24 * 3600


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    """A service whose clock the test sets."""
    root = tmp_path / "store"
    yield open_local(root, clock=clock)
    dismiss(root)


def upload(service: Service, purpose: str = "fine-tune", **fields: str) -> Json:
    sent = {"purpose": purpose, **{f"expires_after[{name}]": value for name, value in fields.items()}}
    found: Json = service.client.post("/files", files={"file": ("rows.jsonl", plain_rows())}, data=sent).json()
    return found


def test_a_file_disappears_when_it_expires(service: Service, clock: Clock) -> None:
    file, kept = upload(service, anchor="created_at", seconds="3600"), upload(service)
    assert file["expires_at"] == NOW + 3600
    assert "expires_at" not in kept
    clock.now += 3599
    assert service.get(f"/files/{file['id']}") == file

    clock.now += 1

    for answer in (
        service.client.get(f"/files/{file['id']}"),
        service.client.get(f"/files/{file['id']}/content"),
        service.client.delete(f"/files/{file['id']}"),
    ):
        assert error_of(answer)[0] == 404
    assert service.get("/files")["data"] == [kept]
    asked = {"model": "test-echo", "training_file": file["id"]}
    assert error_of(service.client.post("/fine_tuning/jobs", json=asked))[0] == 400
    assert [path.name for path in (service.root / "files").iterdir()] == [kept["id"]]


def test_a_file_that_a_job_needs_expires_after_the_job(service: Service, clock: Clock, tmp_path: Path) -> None:
    go = tmp_path / "go"
    file = service.client.post(
        "/files",
        files={"file": ("rows.jsonl", plain_rows(f"wait for {go}"))},
        data={"purpose": "fine-tune", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"},
    ).json()
    job = service.post("/fine_tuning/jobs", {"model": "test-echo", "training_file": file["id"]})
    clock.now += DAY
    assert service.get(f"/files/{file['id']}") == file

    go.touch()
    service.done(job)

    assert error_of(service.client.get(f"/files/{file['id']}"))[0] == 404


def test_batch_files_expire_by_themselves(service: Service) -> None:
    assert upload(service, "batch")["expires_at"] == NOW + 30 * DAY


@pytest.mark.parametrize("purpose", ["assistants", "vision", "user_data", "evals"])
def test_every_purpose_is_accepted(service: Service, purpose: str) -> None:
    assert upload(service, purpose)["purpose"] == purpose


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"anchor": "created_at"}, "expires_after.seconds"),
        ({"seconds": "3600"}, "expires_after.anchor"),
        ({"anchor": "now", "seconds": "3600"}, "expires_after.anchor"),
        ({"anchor": "created_at", "seconds": "3599"}, "expires_after.seconds"),
        ({"anchor": "created_at", "seconds": "2592001"}, "expires_after.seconds"),
        ({"anchor": "created_at", "seconds": "soon"}, "expires_after.seconds"),
        ({"anchor": "created_at", "seconds": "3600", "zone": "utc"}, "expires_after[zone]"),
    ],
)
def test_an_invalid_expiry_is_refused(service: Service, fields: dict[str, str], param: str) -> None:
    sent = {"purpose": "evals", **{f"expires_after[{name}]": value for name, value in fields.items()}}

    status, error = error_of(service.client.post("/files", files={"file": ("a", b"x")}, data=sent))

    assert (status, error["param"]) == (400, param)
    assert service.get("/files")["data"] == []
