"""Each fault as a client in the same process sees it, and its effect on the service."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.service import ServiceSettings, open_service, read_faults
from reconciler.service.faults.actions import FaultContext, FaultMiddleware, HungUpError
from reconciler.service.faults.fault import TOO_MANY
from reconciler.service.store import Store
from tests.service.service_fixtures import (
    ECHO,
    NOW,
    Service,
    client_of,
    dismiss,
    error_of,
    open_local,
    plain_rows,
    wait_until,
)

Opened = Callable[..., Service]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """A function that opens the service of one store with faults; its clock stands still, `later` seconds on."""
    root = tmp_path / "store"

    def open_with(*faults: str, later: float = 0) -> Service:
        return open_local(root, faults=read_faults(faults), clock=lambda: NOW + later)

    yield open_with
    if root.exists():
        dismiss(root)


def filled(opened: Opened, count: int) -> list[str]:
    """Upload some files; return their ids, newest first."""
    service = opened()
    made = [service.upload(plain_rows(), name=f"{number}.jsonl")["id"] for number in range(count)]
    return made[::-1]


def test_a_lost_reply_before_the_effect_has_none(opened: Opened) -> None:
    service = opened("lost=before,method=POST,nth=1")
    with pytest.raises(HungUpError):
        service.upload(plain_rows())
    assert service.get("/files")["data"] == []
    assert service.upload(plain_rows())["status"] == "processed"


def test_a_lost_reply_after_the_effect_has_it(opened: Opened) -> None:
    service = opened("lost=after,method=POST,nth=1")
    with pytest.raises(HungUpError):
        service.upload(plain_rows())
    assert len(service.get("/files")["data"]) == 1


def test_an_answer_is_cut_off(opened: Opened) -> None:
    service = opened("cut=3,path=/models")
    with pytest.raises(HungUpError):
        service.get("/models")
    assert opened("cut=100000,path=/models").get("/models")["data"]


@pytest.mark.parametrize("code", TOO_MANY)
def test_each_kind_of_429(opened: Opened, code: str) -> None:
    response = opened(f"too-many={code}").client.get("/files")
    status, error = error_of(response)
    assert (status, error["code"], error["type"]) == (429, code, TOO_MANY[code])
    assert "retry-after" not in response.headers


def test_the_given_wait_is_in_the_header_and_never_shorter(opened: Opened) -> None:
    response = opened("too-many=slow_down,retry-after=1.2").client.get("/files")
    assert response.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("error=500", "server_error", None),
        ("error=503", "service_unavailable_error", "server_is_overloaded"),
        ("error=403,code=training_not_available", "invalid_request_error", "training_not_available"),
    ],
)
def test_an_error_in_the_envelope(opened: Opened, fault: str, kind: str, code: str | None) -> None:
    _, error = error_of(opened(fault).client.get("/files"))
    assert (error["type"], error["code"]) == (kind, code)


@pytest.mark.parametrize(("when", "files"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("fault", ["error=502", "gateway=502"])
def test_an_error_instead_of_the_work_or_after_it(opened: Opened, fault: str, when: str, files: int) -> None:
    service = opened(f"{fault},when={when},method=POST")
    sent = service.client.post("/files", files={"file": ("a.jsonl", plain_rows())}, data={"purpose": "fine-tune"})
    assert sent.status_code == 502
    assert len(service.get("/files")["data"]) == files


def test_an_error_of_a_gateway_has_no_envelope(opened: Opened) -> None:
    response = opened("gateway=504").client.get("/files")
    assert response.headers["content-type"].startswith("text/html")
    assert "504 Gateway Timeout" in response.text
    assert "x-request-id" not in response.headers
    assert "599" in opened("gateway=599").client.get("/files").text


def test_latency_waits_before_the_work(tmp_path: Path) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    app = open_service(tmp_path / "store", ServiceSettings(engines=ECHO))
    at = FaultContext(store=Store(tmp_path / "store"), clock=lambda: float(NOW), sleep=sleep)
    client = client_of(FaultMiddleware(app, read_faults(["latency=2.5,path=/files", "latency=1,path=/files"]), at))
    assert client.get("/models").status_code == client.get("/files").status_code == 200
    assert waited == [2.5, 1.0]


def test_new_objects_are_in_no_list_but_can_be_read(opened: Opened) -> None:
    (file,) = filled(opened, 1)
    assert opened("list-lag=5", later=4).get("/files")["data"] == []
    assert opened("list-lag=5", later=4).get(f"/files/{file}")["id"] == file
    page = opened("list-lag=5", later=5).get("/files")
    assert [page["first_id"], page["last_id"]] == [file, file]


def test_a_lagging_list_has_no_empty_page_before_its_end(opened: Opened) -> None:
    """An empty page would tell a client that the list has ended."""
    old = filled(opened, 2)
    service = opened(later=10)
    for _ in range(3):
        service.upload(plain_rows())
    page = opened("list-lag=5", later=10).get("/files", limit=2)
    assert [file["id"] for file in page["data"]] == old[:1]
    assert page["has_more"]
    rest = opened("list-lag=5", later=10).get("/files", limit=2, after=page["last_id"])
    assert [file["id"] for file in rest["data"]] == old[1:]
    assert not rest["has_more"]


def test_a_truncated_list_claims_to_be_complete(opened: Opened) -> None:
    files = filled(opened, 3)
    page = opened("truncated=1").get("/files")
    assert ([file["id"] for file in page["data"]], page["has_more"]) == (files[:1], False)
    assert (page["first_id"], page["last_id"]) == (files[0], files[0])
    short = opened("truncated=9").get("/files", limit=2)
    assert (len(short["data"]), short["has_more"]) == (2, False)
    assert opened("truncated=0").get("/models")["data"] == []


def test_a_repeated_page_never_ends(opened: Opened) -> None:
    files = filled(opened, 3)
    service = opened("repeated-page")
    for after in (files[1], files[2]):
        page = service.get("/files", limit=2, after=after)
        assert ([file["id"] for file in page["data"]], page["has_more"]) == (files[:2], True)
    assert not service.get("/fine_tuning/jobs")["has_more"]


def test_a_new_file_is_not_processed_yet(opened: Opened) -> None:
    service = opened("slow-files=10", later=0)
    file = service.upload(plain_rows())
    assert file["status"] == "uploaded"
    assert service.get("/files")["data"][0]["status"] == "uploaded"
    assert service.get(f"/files/{file['id']}")["status"] == "uploaded"
    assert opened("slow-files=10", later=10).get(f"/files/{file['id']}")["status"] == "processed"


def test_a_file_of_rows_is_never_rewritten(opened: Opened) -> None:
    """The bytes of a file are not a JSON answer, even if they look like one."""
    service = opened("slow-files=10")
    rows = b'{"object": "file", "status": "processed", "created_at": 4000000000}\n'
    file = service.upload(rows)["id"]
    assert service.client.get(f"/files/{file}/content").content == rows


@pytest.mark.parametrize(("code", "param"), [("invalid_training_file", "training_file"), ("server_error", None)])
def test_a_job_fails_with_the_given_code(opened: Opened, code: str, param: str | None) -> None:
    service = opened(f"job-failure={code},nth=2")
    first, second = service.train(), service.train()
    failed = service.job(second)
    assert failed["status"] == "failed"
    assert (failed["error"]["code"], failed["error"]["param"]) == (code, param)
    assert failed["fine_tuned_model"] is None
    assert service.done(first)["status"] == "succeeded"
    wait_until(lambda: service.job(second)["status"] == "failed")


def test_a_refused_job_cannot_fail(opened: Opened) -> None:
    service = opened("job-failure")
    refused = service.client.post("/fine_tuning/jobs", json={"model": "test-echo", "training_file": "file-none"})
    assert error_of(refused)[0] == 400


def test_refusals_and_other_answers_pass_a_rewriting_fault(opened: Opened) -> None:
    service = opened("slow-files=10", "list-lag=10", "truncated=1")
    assert error_of(service.client.get("/files/file-none"))[0] == 404
    assert error_of(service.client.get("/files", params={"limit": "0"}))[0] == 400


def test_faults_act_together_in_their_order(opened: Opened) -> None:
    """A lag removes new objects before the list is truncated, even if it is given last."""
    old = filled(opened, 1)
    opened(later=10).upload(plain_rows())
    assert opened("list-lag=5", "truncated=1", later=10).get("/files")["data"] == []
    page = opened("truncated=1", "list-lag=5", later=10).get("/files")
    assert [file["id"] for file in page["data"]] == old
