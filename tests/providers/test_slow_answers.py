"""A service that drips its answer, or never comes to it, keeps a call no longer than the call may take."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest

from reconciler.providers.http.transport import BufferedResponse, ByteStream, Deadline
from reconciler.providers.network import NetworkTransport

pytestmark = pytest.mark.loopback

TOTAL = 0.3
SLOWEST = 5.0
"""Seconds: far more than a call may take, and far less than the drips below would need."""

Drip = Callable[[socket.socket], Iterator[bytes]]


def forever(part: bytes, *, after: bytes = b"") -> Drip:
    def drip(_: socket.socket) -> Iterator[bytes]:
        yield after
        while True:
            yield part

    return drip


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

DRIPS: dict[str, Drip] = {
    "silence": forever(b""),
    "status line": forever(b"H"),
    "headers": forever(b"X-More: 1\r\n", after=HEAD),
    "one header": forever(b"x", after=HEAD + b"X-Long: "),
    "1xx answers": forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints": forever(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "body": forever(b"x", after=HEAD + b"Content-Length: 1000000\r\n\r\n"),
    "body without a length": forever(b"x", after=HEAD + b"Connection: close\r\n\r\n"),
    "chunks": forever(b"1\r\nx\r\n", after=CHUNKED),
    "chunk extension": forever(b"y", after=CHUNKED + b"1;x="),
    "chunk size": forever(b"0", after=CHUNKED),
    "trailer": forever(b"X-More: 1\r\n", after=CHUNKED + b"0\r\n"),
}


class Server:
    """Accepts connections and drips the same thing on each of them, until its end."""

    def __init__(self, drip: Drip, *, reads: bool = True) -> None:
        self._drip, self._reads = drip, reads
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            if self._reads:
                connection.recv(65536)
            for part in self._drip(connection):
                connection.sendall(part)
                if self._over.wait(0.02):
                    return

    def close(self) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(SLOWEST)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def begin(drip: Drip, *, reads: bool = True) -> Server:
        made.append(Server(drip, reads=reads))
        return made[-1]

    yield begin
    for server in made:
        server.close()


def call(port: int, request: httpx.Request | None = None, scheme: str = "http") -> float:
    """Call a server under a deadline, and return how long that took; it must end with a timeout."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    network = NetworkTransport(trust, time.monotonic, keeps_connections=False)
    bounded = Deadline(network, connect=SLOWEST, read=SLOWEST, total=TOTAL, clock=time.monotonic)
    whole = BufferedResponse(bounded, 1024 * 1024)
    began = time.monotonic()
    with pytest.raises(httpx.TimeoutException):
        whole.handle_request(request or httpx.Request("GET", f"{scheme}://127.0.0.1:{port}/v1/x"))
    whole.close()
    return time.monotonic() - began


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_no_way_of_dripping_keeps_a_call_longer_than_it_may_take(serve: Callable[..., Server], drip: Drip) -> None:
    assert call(serve(drip).port) < SLOWEST / 2


def test_a_handshake_that_does_not_end_is_bounded(serve: Callable[..., Server]) -> None:
    record = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb"
    assert call(serve(forever(b"\x03", after=record)).port, scheme="https") < SLOWEST / 2
    assert call(serve(forever(b"")).port, scheme="https") < SLOWEST / 2


def test_a_receiver_that_takes_nothing_is_bounded(serve: Callable[..., Server]) -> None:
    server = serve(forever(b""), reads=False)
    body = ByteStream(lambda: iter([b"x" * 1024 * 1024] * 64))
    headers = {"host": "127.0.0.1", "content-length": str(64 * 1024 * 1024)}
    request = httpx.Request("POST", f"http://127.0.0.1:{server.port}/v1/files", headers=headers, stream=body)
    assert call(server.port, request) < SLOWEST / 2


def test_a_receiver_that_takes_bytes_one_by_one_is_bounded(serve: Callable[..., Server]) -> None:
    def take(connection: socket.socket) -> Iterator[bytes]:
        while True:
            connection.recv(64)
            yield b""

    server = serve(take, reads=False)
    body = ByteStream(lambda: iter([b"x" * 64 * 1024 * 1024]))
    headers = {"host": "127.0.0.1", "content-length": str(64 * 1024 * 1024)}
    request = httpx.Request("POST", f"http://127.0.0.1:{server.port}/v1/files", headers=headers, stream=body)
    assert call(server.port, request) < SLOWEST / 2


def test_a_host_that_is_not_there_is_an_error_of_the_connection() -> None:
    network = NetworkTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), time.monotonic)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        network.handle_request(httpx.Request("GET", f"http://127.0.0.1:{port}/"))
    network.close()
