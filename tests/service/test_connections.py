"""Connections to the server, by raw sockets: slow, silent, broken and many callers keep none of the others out."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from starlette.responses import StreamingResponse

from reconciler.service import ServiceSettings, open_service
from reconciler.service.connection import ConnectionLimits
from reconciler.service.event_log import OncePerKind
from reconciler.service.uvicorn_server import make_server, open_listener
from reconciler.service.web_guard import WebGuard
from tests.service.service_fixtures import ECHO, plain_rows

pytestmark = pytest.mark.loopback

HURRIED = ConnectionLimits(most=8, head_seconds=0.3, body_seconds=0.3, body_bytes_a_second=1_000_000, write_seconds=0.3)
PATIENT = ConnectionLimits(most=8, head_seconds=20, body_seconds=20, write_seconds=20)
GET = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer key\r\n"
ANSWERED = "HTTP/1.1 200"


@contextmanager
def serving(app: Any, limits: ConnectionLimits) -> Iterator[int]:
    """Serve an application from a thread; yield its port."""
    ready = threading.Event()
    with open_listener("127.0.0.1", 0) as listener:
        server = make_server(app, ready.set, limits)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert ready.wait(20)
            yield int(listener.getsockname()[1])
        finally:
            server.force_exit = server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root: Path = tmp_path_factory.mktemp("connections") / "store"
    return open_service(root, ServiceSettings(engines=ECHO), api_key="key")


@pytest.fixture(scope="module")
def hurried(app: Any) -> Iterator[int]:
    with serving(app, HURRIED) as port:
        yield port


@pytest.fixture(scope="module")
def patient(app: Any) -> Iterator[int]:
    with serving(app, PATIENT) as port:
        yield port


@pytest.fixture(scope="module")
def without_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root: Path = tmp_path_factory.mktemp("without-key") / "store"
    with serving(WebGuard(open_service(root, ServiceSettings(engines=ECHO))), PATIENT) as port:
        yield port


def connect(port: int, *, receive_bytes: int = 0) -> socket.socket:
    there = socket.create_connection(("127.0.0.1", port), timeout=20)
    if receive_bytes:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    return there


def rest_of(there: socket.socket) -> str:
    """Return what arrives until the server closes the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while block := there.recv(65536):
            found += block
    return found.decode()


def ask(port: int, request: bytes) -> str:
    with connect(port) as there:
        there.sendall(request)
        return rest_of(there)


def closing(request: bytes) -> bytes:
    return request + b"Connection: close\r\n\r\n"


def error_in(answer: str) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition("\r\n\r\n")
    found: dict[str, Any] = json.loads(body)["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return int(head.split()[1]), found


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /v1/models", GET, GET + b"X: " + b"y" * 1000], ids=range(5))
def test_a_request_that_does_not_arrive_is_given_up(hurried: int, begun: bytes) -> None:
    assert ask(hurried, begun) == ""


def test_a_head_that_drips_has_one_deadline(hurried: int) -> None:
    with connect(hurried) as there:
        there.sendall(GET)
        there.settimeout(0.05)
        for _ in range(200):
            try:
                there.sendall(b"X: y\r\n")
                if not there.recv(1):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("it waited for ten seconds")


def test_a_second_request_that_does_not_arrive_is_given_up(hurried: int) -> None:
    with connect(hurried) as there:
        there.sendall(GET + b"\r\n")
        assert there.recv(65536).startswith(ANSWERED.encode())
        there.sendall(GET)
        assert ANSWERED not in rest_of(there)


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_body_that_does_not_arrive_is_given_up(hurried: int, framing: bytes) -> None:
    request = b"POST /v1/fine_tuning/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\n" + framing + b"\r\n\r\n"
    assert ask(hurried, request) == ""


def test_a_body_after_a_refusal_is_not_read_for_ever(hurried: int) -> None:
    with connect(hurried) as there:
        there.sendall(b"POST /v1/files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert rest_of(there).startswith("HTTP/1.1 401")


def test_a_caller_that_does_not_read_its_answer_is_given_up() -> None:
    given_up = threading.Event()

    async def blocks() -> Any:
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)
        finally:
            given_up.set()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(blocks())(scope, receive, send)

    with serving(stream, HURRIED) as port, connect(port, receive_bytes=4096) as there:
        there.sendall(GET + b"\r\n")
        assert given_up.wait(20)


def test_silent_connections_keep_no_one_out(patient: int) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(patient)) for _ in range(40)]
        for _ in range(3):
            assert ask(patient, closing(GET)).startswith(ANSWERED)
        assert rest_of(silent[0]) == ""


def test_callers_that_go_on_sending_after_a_refusal_keep_no_one_out(patient: int) -> None:
    """Without the key, a request is refused before its body is read, and the body may never end."""
    with ExitStack() as stack:
        for _ in range(40):
            there = stack.enter_context(connect(patient))
            there.sendall(b"POST /v1/files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            assert there.recv(65536).startswith(b"HTTP/1.1 401")
        assert ask(patient, closing(GET)).startswith(ANSWERED)


def test_a_connection_beyond_the_busy_ones_is_refused_in_the_words_of_the_api() -> None:
    go, arrived = threading.Event(), threading.Semaphore(0)

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        arrived.release()
        while not go.is_set():
            await asyncio.sleep(0.01)
        await StreamingResponse(iter([b"done"]))(scope, receive, send)

    with serving(busy, PATIENT) as port, ExitStack() as stack:
        callers = [stack.enter_context(connect(port)) for _ in range(PATIENT.most)]
        for each in callers:
            each.sendall(closing(GET))
        for _ in callers:
            assert arrived.acquire(timeout=20)
        status, error = error_in(ask(port, b""))
        go.set()
        assert [rest_of(each)[:12] for each in callers] == [ANSWERED] * PATIENT.most
    assert (status, error["code"], error["type"]) == (503, "server_is_overloaded", "service_unavailable_error")


@pytest.mark.parametrize(
    "request_",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        GET + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        GET + b"A B: c\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
    ],
    ids=range(9),
)
def test_what_is_no_http_is_refused_in_the_words_of_the_api(patient: int, request_: bytes) -> None:
    with connect(patient) as there:
        with contextlib.suppress(ConnectionError):
            there.sendall(request_)
        answer = rest_of(there)
    # The system may drop the answer to a request that was not read whole.
    if answer or len(request_) < 1000:
        assert error_in(answer)[0] == 400


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"y" * 70_000,
        GET.replace(b"models", b"models?a=" + b"x" * 66_000),
        GET + b"\r\n".join(b"X%d: y" % at for at in range(9_000)),
        GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    ],
    ids=["a long header", "a long line", "many headers", "two lengths"],
)
def test_a_head_that_is_too_large_or_ambiguous_is_refused_and_ends_the_connection(patient: int, head: bytes) -> None:
    with connect(patient) as there:
        there.sendall(head.rstrip() + b"\r\n\r\n" + (b"0\r\n\r\n" + closing(GET) if b"chunked" in head else b""))
        answer = rest_of(there)
    assert error_in(answer)[0] == 400
    assert ANSWERED not in answer


@pytest.mark.parametrize("key", [b"key", b"other"], ids=["too large", "without the key"])
def test_a_caller_that_is_still_sending_can_read_the_refusal_of_its_body(patient: int, key: bytes) -> None:
    """The caller sends all of its body before it reads, as simple clients do."""
    size = 24 << 20
    head = b"POST /v1/fine_tuning/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key
    framing = b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % size
    with connect(patient) as there:
        there.sendall(closing(head + framing) + b" " * size)
        there.shutdown(socket.SHUT_WR)
        answer = rest_of(there)
    assert error_in(answer)[0] == (413 if key == b"key" else 401)


def test_requests_sent_at_once_are_answered_in_order(patient: int) -> None:
    other = GET.replace(b"/v1/models", b"/v1/files")
    answer = ask(patient, GET + b"\r\n" + other + b"\r\n" + GET + b"\r\n" + closing(other))
    assert answer.count(ANSWERED) == 4


def test_a_broken_chunk_ends_the_connection_only(patient: int) -> None:
    request = b"POST /v1/files HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    ask(patient, request)
    assert ask(patient, closing(GET)).startswith(ANSWERED)


@pytest.mark.parametrize("scheme", [b"http", b"https", b"HTTP"])
def test_a_request_in_absolute_form_is_one_for_its_path(patient: int, scheme: bytes) -> None:
    absolute = GET.replace(b"/v1/models", scheme + b"://example.org:80/v1/models?a=b")
    answer = ask(patient, closing(absolute))
    assert answer.startswith(ANSWERED), answer
    without_the_key = absolute.replace(b"Bearer key", b"Bearer other")
    assert error_in(ask(patient, closing(without_the_key)))[0] == 401


def send(port: int, method: str, path: str, *headers: str, body: str = "") -> tuple[int, str]:
    lines = (f"{method} {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body)
    answer = ask(port, "\r\n".join(lines).encode())
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:80", "[::1]"])
def test_without_a_key_the_own_hosts_are_answered(without_key: int, host: str) -> None:
    assert send(without_key, "GET", "/v1/models", f"Host: {host}")[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil",
        "",
        "[::",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_key_other_hosts_are_refused(without_key: int, method: str, host: str) -> None:
    status, answer = send(without_key, method, "/v1/models", f"Host: {host}", "Authorization: Bearer any")
    assert status in {400, 403}
    assert "host_not_allowed" in answer or host == ""


def test_the_host_of_an_absolute_form_counts(without_key: int) -> None:
    for host, status in (("evil.example", 403), ("localhost", 200)):
        found = send(without_key, "GET", f"http://{host}/v1/models", "Host: 127.0.0.1")
        assert found[0] == status


JOBS = "/v1/fine_tuning/jobs"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        # What a page can send without asking first.
        ("POST", JOBS, ["Content-Type: text/plain"], 415),
        ("POST", JOBS, ["Content-Type: application/x-www-form-urlencoded"], 415),
        ("POST", JOBS, ["Content-Type: multipart/form-data; boundary=x"], 401),
        ("POST", JOBS, [], 401),
        ("POST", f"{JOBS}/ftjob-x/cancel", [], 401),
        ("POST", "/v1/files", ["Content-Type: multipart/form-data; boundary=x"], 401),
        ("POST", JOBS, ["Content-Type: text/plain; application/json"], 415),
        # What a browser says of a page.
        ("GET", "/v1/models", ["Origin: https://evil.example"], 403),
        ("GET", "/v1/models", ["Origin: null"], 403),
        ("POST", JOBS, ["Origin: http://localhost:3000", "Content-Type: application/json"], 403),
        ("GET", "/v1/models", ["Sec-Fetch-Site: cross-site"], 403),
        ("GET", "/v1/models", ["Sec-Fetch-Site: same-site"], 403),
        # What clients send.
        ("GET", "/v1/models", ["Sec-Fetch-Site: none"], 200),
        ("GET", "/v1/models", [], 200),
        ("POST", JOBS, ["Content-Type: application/json"], 400),
        ("POST", JOBS, ["Content-Type: Application/JSON; charset=utf-8"], 400),
        ("POST", JOBS, ["Content-Type: text/plain", "Authorization: Bearer any"], 415),
        ("POST", f"{JOBS}/ftjob-x/cancel", ["Authorization: Bearer any"], 404),
        ("POST", "/v1/files", ["Content-Type: multipart/form-data; boundary=x", "Authorization: Bearer any"], 400),
        ("DELETE", "/v1/files/file-x", [], 404),
    ],
)
def test_without_a_key_no_web_page_can_change_anything(
    without_key: int, method: str, path: str, headers: list[str], status: int
) -> None:
    assert send(without_key, method, path, "Host: 127.0.0.1", *headers, body="{}")[0] == status


def test_without_a_key_the_official_client_works(without_key: int) -> None:
    with openai.OpenAI(base_url=f"http://127.0.0.1:{without_key}/v1", api_key="any", max_retries=0) as client:
        file = client.files.create(file=("rows.jsonl", plain_rows()), purpose="batch")
        assert client.files.retrieve(file.id).filename == "rows.jsonl"
        upload = client.uploads.create(filename="a", purpose="batch", bytes=1, mime_type="text/jsonl")
        part = client.uploads.parts.create(upload.id, data=b"x")
        assert client.uploads.complete(upload.id, part_ids=[part.id]).status == "completed"
        with pytest.raises(openai.NotFoundError):
            client.fine_tuning.jobs.cancel("ftjob-none")
        with pytest.raises(openai.BadRequestError):
            client.fine_tuning.jobs.create(model="test-echo", training_file="")
        assert client.files.delete(file.id).deleted


def record(line: int, error: Exception | None = None) -> logging.LogRecord:
    details = None if error is None else (type(error), error, None)
    return logging.LogRecord("uvicorn.error", 30, "file.py", line, "it %s", ("broke",), details)


def test_a_kind_of_event_is_written_once_a_minute() -> None:
    now = [0.0]
    rule = OncePerKind(lambda: now[0])

    assert [rule.filter(record(1)) for _ in range(1500)] == [True, *[False] * 1499]
    assert rule.filter(record(2))
    now[0] = 60.0
    later = record(1)
    assert rule.filter(later)
    assert later.getMessage() == "it broke (1499 more of this kind since the last line)"


def test_kinds_are_bounded_and_what_callers_send_cannot_act_on_a_terminal() -> None:
    rule = OncePerKind(lambda: 0.0)
    first = record(1, ValueError("\x1b[2Jgone\r"))

    assert rule.filter(first)
    assert first.getMessage().endswith("ValueError: \\x1b[2Jgone\\x0d\n")
    assert sum(rule.filter(record(line)) for line in range(1000)) <= 257
    assert not rule.filter(record(5000))
