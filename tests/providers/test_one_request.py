"""A create is one request on its own connection, whatever the answer; observed from the server's side."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from reconciler.domain.observed import FileId, JobId
from reconciler.domain.ports import Done, Refused, Unknown
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http import marks_of
from tests.factories import a_model

pytestmark = pytest.mark.loopback

MODEL = a_model()
JOB = json.dumps(
    {"id": "ftjob-1", "status": "queued", "training_file": "file-1", "metadata": marks_of("acme", MODEL, ())}
).encode()
RESET = struct.pack("ii", 1, 0)


@dataclass
class Received:
    """What arrived on one connection, byte for byte."""

    arrived: bytearray = field(default_factory=bytearray)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def lines(self) -> list[str]:
        """The request lines among what arrived."""
        return [line for line in self.arrived.decode("latin-1").split("\r\n") if line.endswith(" HTTP/1.1")]


Answer = Callable[[socket.socket], object]
"""What is done to a connection when a create has arrived on it."""


class Wire:
    """Answers reads at once and keeps their connections; treats a create as the test defines."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections: list[Received] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(Received())
            self._threads.append(
                threading.Thread(target=self._serve, args=(connection, self.connections[-1]), daemon=True)
            )
            self._threads[-1].start()

    def _serve(self, connection: socket.socket, received: Received) -> None:
        taken = 0
        with connection:
            try:
                while more := connection.recv(65536):
                    received.arrived += more
                    while length := whole(bytes(received.arrived[taken:])):
                        is_create = received.arrived[taken : taken + 5] == b"POST "
                        taken += length
                        if is_create:
                            self._answer(connection)
                        else:
                            connection.sendall(response(b"200 OK", JOB))
            except OSError:
                pass
        received.ended.set()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)


def whole(arrived: bytes) -> int:
    """Return the length of the first request, or 0 while it is incomplete."""
    head, end, body = arrived.partition(b"\r\n\r\n")
    if not end:
        return 0
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + 4 + sum(lengths) if len(body) >= sum(lengths) else 0


def response(status: bytes, body: bytes, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    """Return a complete answer that leaves the connection open for another request."""
    lines = (b"HTTP/1.1 " + status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def send_response(answer: bytes) -> Answer:
    return lambda connection: connection.sendall(answer)


def break_off(answer: bytes) -> Answer:
    """Send so much and end the connection."""

    def act(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    return act


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def silent(_: socket.socket) -> None:
    """Read the request and send no answer."""


def error(status: bytes, code: str | None, *headers: bytes, kind: str = "invalid_request_error") -> bytes:
    body = json.dumps({"error": {"message": f"said with {code}", "type": kind, "param": None, "code": code}}).encode()
    return response(status, body, *headers)


HTML = b"<html><body>Try again later</body></html>"
FINE = response(b"200 OK", JOB)

DONE: dict[str, Answer] = {
    "200": send_response(FINE),
    "201": send_response(response(b"201 Created", JOB)),
    "100 first": send_response(b"HTTP/1.1 100 Continue\r\n\r\n" + FINE),
    "103 first": send_response(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + FINE),
    "chunked": send_response(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(JOB), JOB)
    ),
    "200 twice": send_response(FINE + FINE),
    "200 of another job": send_response(response(b"200 OK", b'{"id": "ftjob-2", "status": "queued"}')),
    "200 that asks to be asked again": send_response(
        response(b"200 OK", JOB, b"Retry-After: 0", b"x-should-retry: true")
    ),
}

UNKNOWN: dict[str, Answer] = {
    "200 cut short": break_off(FINE[:-20]),
    "200 of which only the head came": break_off(FINE[: -len(JOB)]),
    "200 of another shape": send_response(response(b"200 OK", b'{"object": "list", "data": []}')),
    "200 of HTML": send_response(response(b"200 OK", HTML, kind=b"text/html")),
    "200 of nothing": send_response(response(b"200 OK", b"")),
    "204": send_response(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "chunks that break off": break_off(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
    "303": send_response(response(b"303 See Other", b"", b"Location: /v1/fine_tuning/jobs")),
    "408": send_response(error(b"408 Request Timeout", "timeout", b"Retry-After: 0")),
    "409": send_response(error(b"409 Conflict", "conflict", b"Retry-After: 0")),
    "425": send_response(error(b"425 Too Early", "early")),
    "499": send_response(error(b"499 Client Closed Request", "closed")),
    "500": send_response(error(b"500 Internal Server Error", "server_error", b"x-should-retry: true")),
    "500 of HTML": send_response(response(b"500 Internal Server Error", HTML, kind=b"text/html")),
    "502": send_response(response(b"502 Bad Gateway", HTML, kind=b"text/html")),
    "503": send_response(error(b"503 Service Unavailable", "overloaded", b"Retry-After: 1")),
    "504": send_response(response(b"504 Gateway Timeout", HTML, b"retry-after-ms: 1", kind=b"text/html")),
    "no answer": break_off(b""),
    "half a head": break_off(b"HTTP/1.1 200 OK\r\nContent-"),
    "garbage": break_off(b"\x00\x01\x02\r\n\r\n"),
    "reset": reset,
    "silence": silent,
}

UNKNOWN |= {
    "400 with a code of a gateway": send_response(error(b"400 Bad Request", "400")),
    "403 of HTML": send_response(response(b"403 Forbidden", HTML, kind=b"text/html")),
    "404 of HTML": send_response(response(b"404 Not Found", HTML, kind=b"text/html")),
    "407": send_response(error(b"407 Proxy Authentication Required", "proxy", b"Proxy-Authenticate: Basic")),
    "413 of HTML": send_response(response(b"413 Content Too Large", HTML, kind=b"text/html")),
    "429 of HTML": send_response(response(b"429 Too Many Requests", HTML, b"Retry-After: soon", kind=b"text/html")),
    "429 with a code of a gateway": send_response(error(b"429 Too Many Requests", "429", kind="None")),
    "301": send_response(response(b"301 Moved Permanently", b"", b"Location: /v1/fine_tuning/jobs")),
    "302": send_response(response(b"302 Found", b"", b"Location: /v1/fine_tuning/jobs")),
    "307": send_response(response(b"307 Temporary Redirect", b"", b"Location: /v1/fine_tuning/jobs")),
    "308": send_response(response(b"308 Permanent Redirect", b"", b"Location: /v1/fine_tuning/jobs")),
}

REFUSED: dict[str, Answer] = {
    "400": send_response(error(b"400 Bad Request", None)),
    "401": send_response(error(b"401 Unauthorized", "invalid_api_key", b'WWW-Authenticate: Bearer realm="x"')),
    "403": send_response(error(b"403 Forbidden", "training_not_available")),
    "429 too fast": send_response(
        error(b"429 Too Many Requests", "rate_limit_exceeded", b"Retry-After: 0", kind="requests")
    ),
    "429 too many jobs": send_response(
        error(b"429 Too Many Requests", "daily_rate_limit_exceeded", b"retry-after-ms: 1")
    ),
    "429 no money": send_response(
        error(b"429 Too Many Requests", "insufficient_quota", b"x-should-retry: true", kind="insufficient_quota")
    ),
    "429 slow down": send_response(
        error(
            b"429 Too Many Requests",
            "slow_down",
            b"Retry-After: Fri, 31 Dec 2021 23:59:59 GMT",
            kind="rate_limit_error",
        )
    ),
    "429 for ever": send_response(
        error(b"429 Too Many Requests", "rate_limit_exceeded", b"Retry-After: 999999999", kind="tokens")
    ),
}

CASES = [
    pytest.param(answer, end, id=f"{name}")
    for end, answers in ((Done, DONE), (Unknown, UNKNOWN), (Refused, REFUSED))
    for name, answer in answers.items()
]


@pytest.fixture
def listen() -> Iterator[Callable[[Answer], tuple[HttpProvider, Wire]]]:
    made: list[tuple[HttpProvider, Wire]] = []

    def begin(answer: Answer) -> tuple[HttpProvider, Wire]:
        wire = Wire(answer)
        environ = {"RECONCILER_LOCAL_URL": f"http://127.0.0.1:{wire.port}", "RECONCILER_LOCAL_KEY": "a-local-key"}
        # Only the wait for a missing answer takes time here.
        opened = open_provider("local", project="acme", environ=environ, sleep=lambda _: None, bounds={"send": 1.0})
        made.append((opened, wire))
        return made[-1]

    yield begin
    for provider, wire in made:
        provider.close()
        wire.close()


@pytest.mark.parametrize(("answer", "end"), CASES)
def test_a_create_is_sent_once_on_its_own_connection(
    listen: Callable[[Answer], tuple[HttpProvider, Wire]], answer: Answer, end: type
) -> None:
    provider, wire = listen(answer)
    provider.job(JobId("ftjob-1"))
    assert isinstance(provider.create_job(MODEL, FileId("file-1"), None, ()), end)

    reading, creating = wire.connections
    assert creating.ended.wait(10), "the connection is closed after the create, and no read uses it"
    assert reading.lines
    assert all(line.startswith("GET ") for line in reading.lines)
    assert len(creating.lines) == 1
    assert creating.lines[0].startswith("POST ")
    assert creating.lines[0].endswith("/fine_tuning/jobs HTTP/1.1")
    assert whole(bytes(creating.arrived)) == len(creating.arrived), "and not a byte after it"


def test_two_concurrent_creates_have_two_connections(
    listen: Callable[[Answer], tuple[HttpProvider, Wire]],
) -> None:
    provider, wire = listen(send_response(FINE))
    threads = [threading.Thread(target=provider.create_job, args=(MODEL, FileId("file-1"), None, ())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [len(connection.lines) for connection in wire.connections] == [1, 1]
