"""Uploads in parts: joined in the given order, checked like complete files, and else removed completely."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.service.store import Store
from tests.service.service_fixtures import NOW, Json, Service, error_of, open_local, plain_rows

HOUR = 3600


def announce(service: Service, size: int, **more: Any) -> str:
    """Announce a file; return the id of the upload."""
    asked = {"filename": "big.jsonl", "purpose": "fine-tune", "bytes": size, "mime_type": "text/jsonl", **more}
    return str(service.post("/uploads", asked)["id"])


def send(service: Service, upload: str, data: bytes) -> str:
    """Send a part; return its id."""
    return str(sent(service, upload, data).json()["id"])


def sent(service: Service, upload: str, data: bytes) -> httpx.Response:
    return service.client.post(f"/uploads/{upload}/parts", files={"data": ("upload", data)})


def complete(service: Service, upload: str, *parts: str, **more: str) -> httpx.Response:
    return service.client.post(f"/uploads/{upload}/complete", json={"part_ids": list(parts), **more})


def nothing_left(service: Service) -> bool:
    return not any((*(service.root / "parts").iterdir(), *(service.root / "incoming").iterdir()))


def test_parts_become_a_file_in_the_order_given(service: Service) -> None:
    rows = plain_rows()
    upload = announce(service, len(rows), expires_after={"anchor": "created_at", "seconds": HOUR})
    last, first = send(service, upload, rows[100:]), send(service, upload, rows[:100])

    answer = complete(service, upload, first, last, md5=hashlib.md5(rows).hexdigest().upper()).json()

    assert (answer["object"], answer["status"], answer["bytes"]) == ("upload", "completed", len(rows))
    assert (answer["created_at"], answer["expires_at"]) == (NOW, NOW + HOUR)
    file = answer["file"]
    assert (file["bytes"], file["filename"], file["expires_at"]) == (len(rows), "big.jsonl", NOW + HOUR)
    assert service.client.get(f"/files/{file['id']}/content").content == rows
    assert service.get("/files")["data"] == [file]
    assert nothing_left(service)
    job = service.post("/fine_tuning/jobs", {"model": "test-echo", "training_file": file["id"]})
    assert service.done(job)["status"] == "succeeded"


def test_a_part_is_shown_with_its_upload(service: Service) -> None:
    upload = announce(service, 1)

    part = sent(service, upload, b"x").json()

    assert part == {"id": part["id"], "object": "upload.part", "created_at": NOW, "upload_id": upload}
    assert part["id"].startswith("part_")


@pytest.mark.parametrize(
    ("announced", "more", "param"),
    [
        (5, {}, "part_ids"),
        (3, {}, "part_ids"),
        (4, {"md5": "0" * 32}, "md5"),
        (4, {"surprise": "x"}, "surprise"),
    ],
)
def test_parts_that_differ_from_the_announcement_are_refused_and_can_be_corrected(
    service: Service, announced: int, more: Json, param: str
) -> None:
    upload = announce(service, announced, purpose="user_data")
    part = send(service, upload, b"four")

    status, error = error_of(complete(service, upload, part, **more))

    assert (status, error["param"]) == (400, param)
    assert service.get("/files")["data"] == []
    if announced == 4:
        assert complete(service, upload, part).json()["status"] == "completed"


@pytest.mark.parametrize("chosen", [["part_none"], ["{0}", "{0}"], ["{0}", "part_none"]])
def test_unknown_or_repeated_parts_are_refused(service: Service, chosen: list[str]) -> None:
    upload = announce(service, 8, purpose="user_data")
    part = send(service, upload, b"four")

    status, error = error_of(complete(service, upload, *(each.format(part) for each in chosen)))

    assert (status, error["type"]) == (400, "invalid_request_error")
    assert error["param"].startswith("part_ids")


def test_rows_are_checked_when_the_file_is_complete(service: Service) -> None:
    upload = announce(service, 7)

    status, error = error_of(complete(service, upload, send(service, upload, b"no rows")))

    assert (status, error["code"]) == (400, "invalid_jsonl")
    assert service.get("/files")["data"] == []


@pytest.mark.parametrize("end", ["cancel", "complete", "hour"])
def test_an_upload_that_has_ended_accepts_no_more_parts(tmp_path: Path, end: str) -> None:
    time = [float(NOW)]
    service = open_local(tmp_path / "store", clock=lambda: time[0])
    upload = announce(service, 4, purpose="user_data")
    part = send(service, upload, b"four")
    if end == "hour":
        time[0] += HOUR
    elif end == "cancel":
        assert service.post(f"/uploads/{upload}/cancel")["status"] == "cancelled"
    else:
        complete(service, upload, part)

    word = {"hour": "expired", "cancel": "cancelled", "complete": "completed"}[end]
    for answer in (
        sent(service, upload, b"more"),
        complete(service, upload, part),
        service.client.post(f"/uploads/{upload}/cancel"),
    ):
        status, error = error_of(answer)
        assert (status, error["code"]) == (400, "invalid_upload_status")
        assert f"already {word}" in error["message"]
    assert nothing_left(service)


@pytest.mark.parametrize("path", ["parts", "complete", "cancel"])
def test_an_unknown_upload_is_not_found(service: Service, path: str) -> None:
    files = {"data": ("upload", b"x")} if path == "parts" else None
    body: Json | None = {"part_ids": []} if path == "complete" else None

    assert error_of(service.client.post(f"/uploads/upload_none/{path}", files=files, json=body))[0] == 404


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"filename": None}, "filename"),
        ({"filename": ""}, "filename"),
        ({"purpose": "fun"}, "purpose"),
        ({"mime_type": None}, "mime_type"),
        ({"bytes": None}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": 8 * 1024**3 + 1}, "bytes"),
        ({"bytes": "4"}, "bytes"),
        ({"expires_after": {"anchor": "now", "seconds": HOUR}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_announcement_is_checked(service: Service, change: Json, param: str) -> None:
    asked = {"filename": "a", "purpose": "fine-tune", "bytes": 4, "mime_type": "text/jsonl", **change}

    status, error = error_of(service.client.post("/uploads", json=asked))

    assert (status, error["param"]) == (400, param)


def test_a_part_that_is_too_large_leaves_nothing_behind(service: Service) -> None:
    upload = announce(service, 4)

    status, error = error_of(sent(service, upload, b"x" * (64 * 1024 * 1024 + 1)))

    assert (status, error["param"], error["code"]) == (413, "data", "file_too_large")
    assert nothing_left(service)
    assert error_of(service.client.post(f"/uploads/{upload}/parts", files={"file": ("a", b"x")}))[1]["param"] == "data"


def test_parts_of_a_killed_server_are_removed_and_listed_ones_are_kept(service: Service) -> None:
    upload = announce(service, 4, purpose="user_data")
    part = send(service, upload, b"four")
    (service.root / "parts" / "part_dead").write_bytes(b"half a")

    again = open_local(service.root)

    assert [path.name for path in Store(service.root).parts.iterdir()] == [part]
    assert complete(again, upload, part).json()["status"] == "completed"
