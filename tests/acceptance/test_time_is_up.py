"""`--timeout` bounds the whole command, also while the service answers in the slowest ways."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.acceptance.conftest import Repository

pytestmark = pytest.mark.loopback
ROOT = "specs/quickstart"


def drip(part: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.05):
            connection.sendall(part)

    return answer


def drip_headers(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    drip(b"x-a: b\r\n")(connection, over)


def drip_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{"object":"list","data":[')
    drip(b" ")(connection, over)


def busy(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(
        b"HTTP/1.1 429 Slow\r\nretry-after: 59\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    )


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait()


ANSWERS = {
    "headers": drip_headers,
    "103 without end": drip(b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"),
    "body": drip_body,
    "429": busy,
    "silent": silent,
}


@contextmanager
def serving(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    over, server = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            answer(connection, over)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        over.set()
        server.close()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("asked", [("wait",), ("follow", "support-triage"), ("wait", "ftjob-1")], ids=" ".join)
def test_the_command_ends_with_7_when_its_time_is_up(
    quickstart: Repository,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, ...],
    answer: Callable[[socket.socket, threading.Event], None],
) -> None:
    command, *names = asked
    with serving(answer) as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
        began = time.monotonic()
        result = quickstart.run(command, *names, "--specs", ROOT, "--provider", "openai", "--timeout", "1s")
        took = time.monotonic() - began
    assert result.code == 7
    assert "The time is up" in result.err
    assert took < 5


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_apply_whose_time_is_up_before_its_plan_ends_with_7_and_sends_nothing(
    quickstart: Repository,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[socket.socket, threading.Event], None],
) -> None:
    with serving(answer) as port:
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
        began = time.monotonic()
        result = quickstart.run("apply", ROOT, "--provider", "openai", "--auto-approve", "--json", "--timeout", "1s")
        took = time.monotonic() - began
    assert result.code == 7
    assert "the time is up, and the service has not given all answers, so no plan was made" in result.err
    assert '"exit_code":7' in result.out.replace(" ", "")
    assert took < 8
