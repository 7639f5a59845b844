"""Files: exact bytes, exact names, pages, and refusals."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from reconciler.service import open_service
from tests.service.service_fixtures import NOW, Service, chat, error_of, jsonl, open_local, plain_rows


def test_a_file_comes_back_byte_for_byte(service: Service) -> None:
    content = b'\xef\xbb\xbf{"messages": []}\r\n{"prompt":"\xc3\xa4",\t"completion":""}'

    file = service.upload(content, name="naïve rows.jsonl")

    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": len(content),
        "created_at": NOW,
        "filename": "naïve rows.jsonl",
        "purpose": "fine-tune",
        "status": "processed",
    }
    assert service.get(f"/files/{file['id']}") == file
    assert service.client.get(f"/files/{file['id']}/content").content == content


@pytest.mark.parametrize("name", ["../../escape.jsonl", "/etc/passwd", "..", "a\\b", "x" * 1024, "café ☕.jsonl"])
def test_a_file_name_is_never_used_as_a_path(service: Service, name: str) -> None:
    """The test includes names that look like paths."""
    shown = service.upload(b"{}\n", name=name)["filename"]

    # The HTTP client writes a backslash as its escape, and the service reads it back.
    assert shown == name
    assert {path.name for path in service.root.parent.iterdir()} == {"store"}
    assert len(list((service.root / "files").iterdir())) == 1


def test_only_the_owner_can_read_a_store(service: Service) -> None:
    service.upload(plain_rows())

    modes = {path: path.stat().st_mode & 0o777 for path in (service.root, *service.root.rglob("*"))}

    assert {path.name for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == set()


def test_files_of_other_purposes_are_stored_unchecked(service: Service) -> None:
    assert service.upload(b"\x00\xff no rows", name="picture.png", purpose="vision")["purpose"] == "vision"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'{"a":1}\n[1]\n', 2),
        (b'{"a":1}\n\n{"a":1}\n', 2),
        (b'{"a":1}\n{"a":1\n', 2),
        (b"not json", 1),
        (b'{"a":1}\n{"a":"\xff"}\n', 2),
        (b'{"a":NaN}\n', 1),
        (b'{"a":1,"a":2}\n', 1),
        (b'{"a":"\\ud800"}\n', 1),
    ],
)
def test_a_training_file_is_checked_line_by_line(service: Service, content: bytes, line: int) -> None:
    response = service.client.post("/files", files={"file": ("rows.jsonl", content)}, data={"purpose": "fine-tune"})

    status, error = error_of(response)
    assert status == 400
    assert error["message"].startswith("Expected file to have JSONL format, where every line is a valid JSON dict")
    assert f"Line {line} " in error["message"]
    assert service.get("/files")["data"] == []
    assert list((service.root / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("files", "data", "param"),
    [
        ({"file": ("a.jsonl", b"")}, {"purpose": "fine-tune"}, "file"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "lunch"}, "purpose"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "fine-tune-results"}, "purpose"),
        ({"file": ("a.jsonl", b"{}")}, {}, "purpose"),
        ({"file": ("", b"{}")}, {"purpose": "fine-tune"}, "file"),
        ({"other": ("a.jsonl", b"{}")}, {"purpose": "fine-tune"}, "file"),
        ({"file": ("x" * 1025, b"{}")}, {"purpose": "fine-tune"}, "file"),
        ({"file": ("a.jsonl", b"{}")}, {"purpose": "fine-tune", "colour": "red"}, "colour"),
        (
            {"file": ("a.jsonl", b"{}")},
            {"purpose": "fine-tune", "expires_after[anchor]": "created_at"},
            "expires_after.seconds",
        ),
    ],
)
def test_an_invalid_upload_is_refused(
    service: Service, files: dict[str, tuple[str, bytes]], data: dict[str, str], param: str
) -> None:
    status, error = error_of(service.client.post("/files", files=files, data=data))

    assert (status, error["param"]) == (400, param)
    assert service.get("/files")["data"] == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data; boundary=" + "x" * 300, b""),
    ],
)
def test_a_body_that_is_not_an_upload_is_refused(service: Service, kind: str, body: bytes) -> None:
    status, _ = error_of(service.client.post("/files", content=body, headers={"content-type": kind}))

    assert status == 400


def test_several_files_in_one_upload_are_refused(service: Service) -> None:
    files = [("file", ("a.jsonl", b"{}")), ("file", ("b.jsonl", b"{}"))]

    assert error_of(service.client.post("/files", files=files, data={"purpose": "fine-tune"}))[0] == 400


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    small = open_local(tmp_path / "store", file_bytes=100)

    small.upload(b'{"a":1}'.ljust(100))
    response = small.client.post("/files", files={"file": ("a", b" " * 101)}, data={"purpose": "vision"})

    assert error_of(response)[0] == 413
    assert len(small.get("/files")["data"]) == 1
    assert list((small.root / "incoming").iterdir()) == []


@pytest.mark.parametrize("size", [str(10**9), "9" * 5000], ids=["1e9", "digits"])
def test_an_announced_size_beyond_the_limit_is_refused_unread(tmp_path: Path, size: str) -> None:
    small = open_local(tmp_path / "store", file_bytes=100)
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": size}

    assert error_of(small.client.post("/files", content=b"--x", headers=headers))[0] == 413


def test_files_are_listed_newest_first_in_pages(service: Service) -> None:
    """All files are created in one second, so only the order of creation distinguishes them."""
    ids = [service.upload(b"{}\n", name=f"{number}.jsonl")["id"] for number in range(5)]

    first = service.get("/files", limit=2)
    second = service.get("/files", limit=2, after=first["last_id"])
    third = service.get("/files", limit=2, after=second["last_id"])

    pages = [first, second, third]
    assert [[file["id"] for file in page["data"]] for page in pages] == [ids[4:2:-1], ids[2:0:-1], ids[:1]]
    assert [page["has_more"] for page in pages] == [True, True, False]
    assert (second["first_id"], second["last_id"]) == (ids[2], ids[1])
    assert [file["id"] for file in service.get("/files", order="asc", limit=3)["data"]] == ids[:3]


def test_files_are_listed_by_purpose(service: Service) -> None:
    rows, other = service.upload(b"{}\n"), service.upload(b"?", purpose="user_data")

    assert service.get("/files", purpose="fine-tune")["data"] == [rows]
    assert service.get("/files", purpose="user_data")["data"] == [other]


def test_a_reader_may_delete_while_paging(service: Service) -> None:
    """The usual clean-up loop: read a page, delete it, ask for what comes after it."""
    ids = [service.upload(b"{}\n")["id"] for _ in range(4)]
    page = service.get("/files", limit=2)
    for file in page["data"]:
        service.client.delete(f"/files/{file['id']}")

    rest = service.get("/files", limit=2, after=page["last_id"])

    assert [file["id"] for file in rest["data"]] == [ids[1], ids[0]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=10001", "limit=many", "limit=-1", "limit=٣", "order=up", "after=file-nobody"]
)
def test_an_invalid_page_is_refused(service: Service, query: str) -> None:
    status, error = error_of(service.client.get(f"/files?{query}"))

    assert (status, error["param"]) == (400, query.partition("=")[0])


def test_a_deleted_file_is_not_found(service: Service) -> None:
    file = service.upload(b"{}\n")["id"]

    answer = service.client.delete(f"/files/{file}").json()

    assert answer == {"id": file, "object": "file", "deleted": True}
    assert list((service.root / "files").iterdir()) == []
    for response in (
        service.client.get(f"/files/{file}"),
        service.client.get(f"/files/{file}/content"),
        service.client.delete(f"/files/{file}"),
    ):
        assert error_of(response) == (
            404,
            {
                "message": f"No such File object: {file}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            },
        )


def test_a_file_that_a_job_needs_is_not_deleted(service: Service, tmp_path: Path) -> None:
    go = tmp_path / "go"
    validation = service.upload(jsonl([chat("a", "b")]))["id"]
    job = service.train(plain_rows(f"wait for {go}"), validation_file=validation)

    refused = [error_of(service.client.delete(f"/files/{file}")) for file in (job["training_file"], validation)]

    assert [(status, error["message"]) for status, error in refused] == [
        (409, "File is still processing. Check back later.")
    ] * 2
    go.touch()
    service.done(job)
    assert service.client.delete(f"/files/{validation}").status_code == 200


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_an_upload_may_arrive_in_any_pieces(service: Service, size: int) -> None:
    """The body arrives in pieces as over a network, and the field comes after the file."""
    content = b'{"text": "--frontier\\r\\n is no end"}\r\n' * 40
    parts = (
        b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n'
        + content
        + b'\r\n--frontier\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--frontier--\r\n'
    )

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(parts), size):
            yield parts[start : start + size]

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(open_service(service.root))
        headers = {"content-type": "multipart/form-data; boundary=frontier"}
        async with httpx.AsyncClient(transport=transport, base_url="http://local/v1") as client:
            return await client.post("/files", content=pieces(), headers=headers)

    file = asyncio.run(send()).json()["id"]

    assert service.client.get(f"/files/{file}/content").content == content


def send_form(
    service: Service, head: bytes, before: bytes = b"", boundary: str = "B", size: int = 1 << 20
) -> httpx.Response:
    """Send a form whose file has this head, in blocks of this size."""
    mark = b"--B"
    purpose = mark + b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    body = before + purpose + mark + b"\r\n" + head + b"\r\n\r\nhello\r\n" + mark + b"--\r\n"

    async def blocks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(open_service(service.root))
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://local/v1") as client:
            return await client.post("/files", content=blocks(), headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (b"filename*=UTF-8''na%C3%AFve%20rows.jsonl", "naïve rows.jsonl"),
        (b"filename=\"plain.jsonl\"; filename*=utf-8'en'%e2%82%ac.jsonl", "€.jsonl"),
        (b"filename*=iso-8859-1''%A3.jsonl; filename=\"plain.jsonl\"", "£.jsonl"),
        (b"filename=\"plain.jsonl\"; filename*=nothing''%A3.jsonl", "plain.jsonl"),
        (b"filename=\"a; filename*=UTF-8''other.jsonl\"", "a; filename*=UTF-8''other.jsonl"),
        (b"filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
    ],
)
def test_an_extended_file_name_is_read(service: Service, names: bytes, wanted: str) -> None:
    response = send_form(service, b'Content-Disposition: form-data; name="file"; ' + names)
    assert (response.status_code, response.json()["filename"]) == (200, wanted)
    assert [path.name for path in (service.root / "files").iterdir()] == [response.json()["id"]]


@pytest.mark.parametrize(
    "before",
    [
        b"\r\n",
        b"This is a message in several parts.\r\n",
        b"--\r\n--Bar\r\n --B\r\n",
        b"--B but not alone\r\n",
        b"x" * 60_000 + b"\r\n",
    ],
    ids=range(5),
)
@pytest.mark.parametrize("size", [3, 1 << 20])
def test_what_stands_before_the_first_boundary_is_skipped(service: Service, before: bytes, size: int) -> None:
    response = send_form(service, b'Content-Disposition: form-data; name="file"; filename="a"', before, size=size)
    assert response.status_code == 200, response.text
    assert service.client.get(f"/files/{response.json()['id']}/content").content == b"hello"


def test_a_body_without_a_boundary_is_refused_early(service: Service) -> None:
    head = b'Content-Disposition: form-data; name="file"; filename="a"'
    status, error = error_of(send_form(service, head, b"x" * 70_000, boundary="C"))
    assert (status, "boundary" in error["message"]) == (400, True)
