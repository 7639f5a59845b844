"""What all responses have in common: headers, envelopes, keys, and tolerant reading of paths."""

from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from reconciler.service import open_service
from tests.service.service_fixtures import NOW, Service, client_of, error_of, open_local

KEY = "local-key"


def test_every_answer_bears_the_headers_of_the_api(service: Service) -> None:
    answers = [service.client.get(path) for path in ("/models", "/files/nope", "/nowhere")]

    for answer in answers:
        assert answer.headers["openai-version"] == "2020-10-01"
        assert answer.headers["openai-organization"].startswith("org-")
        assert int(answer.headers["openai-processing-ms"]) >= 0
        assert parsedate_to_datetime(answer.headers["date"]).timestamp() == NOW
        assert len(answer.headers.get_list("date")) == 1
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PATCH", "/files", 405), ("DELETE", "/fine_tuning/jobs/x", 405), ("GET", "/", 404)],
)
def test_a_route_that_does_not_exist_is_refused_in_the_envelope(
    service: Service, method: str, path: str, status: int
) -> None:
    found, error = error_of(service.client.request(method, path))

    assert (found, error["type"]) == (status, "invalid_request_error")
    assert method in error["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"model": \xff}', b"[" * 100_000, b'{"model":"\\ud800"}', b'{"n":1e999}']
)
def test_a_body_that_is_not_a_json_object_is_refused(service: Service, body: bytes) -> None:
    status, error = error_of(service.client.post("/fine_tuning/jobs", content=body))

    assert (status, error["type"]) == (400, "invalid_request_error")
    assert "JSON body of your request" in error["message"]


def test_a_body_that_is_too_large_is_refused(service: Service) -> None:
    assert error_of(service.client.post("/completions", content=b" " * (4 * 1024 * 1024 + 1)))[0] == 413


@pytest.mark.parametrize("path", ["//models", "/models/", "//files/", "///fine_tuning//jobs"])
def test_additional_slashes_are_ignored(service: Service, path: str) -> None:
    """A base URL that ends in a slash makes some clients write two in a row."""
    assert service.client.get(f"http://local/v1{path}").status_code == 200


@pytest.mark.parametrize(
    "header", [None, "", KEY, "Bearer", "Bearer ", f"Basic {KEY}", "Bearer other", f"Bearer {KEY}x", "Bearer clé"]
)
def test_without_the_key_every_request_is_refused(tmp_path: Path, header: str | None) -> None:
    service = open_local(tmp_path / "store", api_key=KEY)
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    for method, path in (("GET", "/models"), ("POST", "/files"), ("GET", "/nowhere")):
        status, error = error_of(service.client.request(method, path, headers=headers))  # type: ignore[arg-type]

        assert (status, error["code"]) == (401, "invalid_api_key")
        assert "other" not in error["message"]


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}"])
def test_with_the_key_requests_are_answered(tmp_path: Path, header: str) -> None:
    service = open_local(tmp_path / "store", api_key=KEY)

    assert service.client.get("/models", headers={"authorization": header}).status_code == 200


def test_a_missing_store_is_reported_in_the_envelope(service: Service) -> None:
    (service.root / "service.db").unlink()

    status, error = error_of(service.client.get("/files"))

    assert (status, error["type"]) == (500, "server_error")
    assert "The store cannot be used" in error["message"]


def test_a_trailing_slash_in_the_base_url_works(service: Service) -> None:
    client = client_of(open_service(service.root), base_url="http://local/v1/")

    assert client.get("models").status_code == 200
