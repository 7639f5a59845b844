"""Tests over real sockets on this machine."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest

from reconciler.domain.errors import TemporaryError
from reconciler.domain.observed import FileId, JobId
from reconciler.domain.ports import Done, Refused, Unknown
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http import marks_of
from tests.factories import a_dataset, a_model

pytestmark = pytest.mark.loopback
MODEL = a_model()
JOB = json.dumps(
    {"id": "ftjob-1", "status": "queued", "training_file": "file-1", "metadata": marks_of("acme", MODEL, ())}
).encode()


class Listener:
    """Answers every request, and records what arrived on each connection."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections: list[list[bytes]] = []
        self.ended = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            asked: list[bytes] = []
            self.connections.append(asked)
            self._threads.append(threading.Thread(target=self._serve, args=(connection, asked), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket, asked: list[bytes]) -> None:
        with connection:
            stream = connection.makefile("rb")
            while head := read_head(stream):
                length = next((int(line[15:]) for line in head.splitlines() if line.startswith(b"content-length:")), 0)
                asked.append(head + b"\r\n" + stream.read(length))
                answer = self._answer(asked[-1])
                connection.sendall(answer)
                if b"connection: close" in head.lower() or b"connection: close" in answer.lower():
                    break
            stream.close()
        self.ended.release()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[bytes], bytes]], tuple[HttpProvider, Listener]]]:
    made: list[tuple[HttpProvider, Listener]] = []

    def begin(answer: Callable[[bytes], bytes]) -> tuple[HttpProvider, Listener]:
        listener = Listener(answer)
        made.append((opened(listener.port), listener))
        return made[-1]

    yield begin
    for provider, listener in made:
        provider.close()
        listener.close()


def read_head(stream: BinaryIO) -> bytes:
    """Return the lines up to the empty one; none when the connection has ended."""
    lines: list[bytes] = []
    while (line := stream.readline()).strip():
        lines.append(line)
    return b"".join(lines)


Listen = Callable[[Callable[[bytes], bytes]], tuple[HttpProvider, Listener]]


def opened(port: int) -> HttpProvider:
    environ = {"RECONCILER_LOCAL_URL": f"http://127.0.0.1:{port}", "RECONCILER_LOCAL_KEY": "a-local-key"}
    return open_provider("local", project="acme", environ=environ, sleep=lambda _: None)


def fine(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_reads_share_a_connection_and_every_create_has_its_own(listen: Listen) -> None:
    provider, listener = listen(lambda asked: fine(JOB))
    provider.job(JobId("ftjob-1"))
    provider.job(JobId("ftjob-1"))
    for _ in range(2):
        assert isinstance(provider.create_job(MODEL, FileId("file-1"), None, ()), Done)

    # The first read also requests the name of the job's file, which has to agree with the job's marks.
    assert [len(asked) for asked in listener.connections] == [3, 1, 1]
    for (asked,) in listener.connections[1:]:
        head = asked.partition(b"\r\n\r\n")[0].lower()
        assert b"connection: close" in head
        assert b"authorization: bearer a-local-key" in head


def test_after_a_refused_connection_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with opened(port) as provider:
        outcome = provider.create_job(MODEL, FileId("file-1"), None, ())
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.error, TemporaryError)
        assert f"127.0.0.1:{port}" in str(outcome.error)
        with pytest.raises(TemporaryError):
            provider.job(JobId("ftjob-1"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        fine(JOB)[:-20],
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n',
        b"garbage\r\n\r\n",
    ],
)
def test_after_a_broken_answer_the_outcome_is_unknown_and_nothing_is_repeated(listen: Listen, answer: bytes) -> None:
    """The connection ends after one answer, as the request asks."""
    provider, listener = listen(lambda asked: answer)

    assert isinstance(provider.create_job(MODEL, FileId("file-1"), None, ()), Unknown)
    assert len(listener.connections) == 1


def test_a_broken_upload_is_never_complete(listen: Listen) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"x" * 100
        raise OSError("the disk is gone")

    provider, listener = listen(lambda asked: fine(b"{}"))
    with pytest.raises(OSError, match="the disk is gone"):
        provider.upload(a_dataset(), breaking())
    assert listener.ended.acquire(timeout=10)
    (asked,) = listener.connections
    assert all(not each.endswith(b"--\r\n") for each in asked)


def test_an_upload_arrives_byte_for_byte(listen: Listen) -> None:
    dataset = a_dataset()
    content = bytes(range(250)) * (dataset.measure.size_bytes // 250)
    echo = {
        "id": "file-1",
        "filename": dataset.stamp.filename,
        "bytes": dataset.measure.size_bytes,
        "purpose": "fine-tune",
    }
    provider, listener = listen(lambda asked: fine(json.dumps(echo).encode()))
    outcome = provider.upload(dataset, (content[start : start + 999] for start in range(0, len(content), 999)))
    assert isinstance(outcome, Done)
    assert content in listener.connections[0][0]
