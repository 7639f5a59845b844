"""A proxy between a client and a service that cuts, delays, repeats and truncates as a test decides."""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

DELAY_SECONDS = 0.3


class NetworkFault(StrEnum):
    """What can happen to a request and its answer on the network."""

    NONE = "none"
    LOST = "lost"
    UNANSWERED = "unanswered"
    TRUNCATED = "truncated"
    DELAYED = "delayed"
    REPEATED = "repeated"


@dataclass(frozen=True)
class SeenRequest:
    """A request that the proxy saw, with its number."""

    number: int
    method: str
    path: str

    @property
    def is_create(self) -> bool:
        return self.method == "POST" and self.path.partition("?")[0].endswith("/fine_tuning/jobs")


Decision = Callable[[SeenRequest], NetworkFault]
"""Decides the fault of a request. It may also act, such as kill the client."""


class FaultyProxy:
    """A proxy on this machine. `decide` may be changed at any time; `seen` are all requests."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.decide: Decision = lambda _: NetworkFault.NONE
        self.after: Callable[[SeenRequest], None] = lambda _: None
        self.seen: list[SeenRequest] = []
        self._lock = threading.Lock()

    def note(self, method: str, path: str) -> SeenRequest:
        """Record a request under the next number."""
        with self._lock:
            seen = SeenRequest(len(self.seen), method, path)
            self.seen.append(seen)
            return seen

    def forget(self) -> None:
        """Forget all requests and decide on no faults."""
        with self._lock:
            self.seen.clear()
        self.decide = lambda _: NetworkFault.NONE
        self.after = lambda _: None


@contextmanager
def open_proxy(target: str) -> Iterator[tuple[FaultyProxy, str]]:
    """Open a proxy to a service; yield it, and its base URL."""
    proxy = FaultyProxy(target)

    class Handler(_Handler):
        pass

    Handler.proxy = proxy
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_address[1]}{proxy.target.path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the name it overrides)
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self._body()
        seen = self.proxy.note(self.command, self.path)
        fault = self.proxy.decide(seen)
        if fault is NetworkFault.LOST:
            self._cut()
            return
        if fault is NetworkFault.DELAYED:
            time.sleep(DELAY_SECONDS)
        if fault is NetworkFault.REPEATED:
            self._ask(body)
        status, headers, answer = self._ask(body)
        self.proxy.after(seen)
        if fault is NetworkFault.UNANSWERED:
            self._cut()
            return
        self._answer(status, headers, answer, cut=fault is NetworkFault.TRUNCATED)

    def _body(self) -> bytes:
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(length)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        target = self.proxy.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
            connection.request(self.command, self.path, body, {**kept, "connection": "close"})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], answer: bytes, *, cut: bool) -> None:
        dropped = {"connection", "transfer-encoding", "content-length", "date", "server"}
        try:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in dropped:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2] if cut else answer)
            self.wfile.flush()
        except OSError:
            # The client is gone, perhaps because the test has just killed it.
            self.close_connection = True
        if cut:
            self._cut()

    def _cut(self) -> None:
        """Break the connection off in the middle, so that the other end sees a reset and no orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
