"""A road between a client and a service that cuts, delays, repeats and truncates what it is told to."""

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


class Mishap(StrEnum):
    """What can become of a request and its answer on the road."""

    NONE = "none"
    LOST = "lost"
    UNANSWERED = "unanswered"
    TRUNCATED = "truncated"
    DELAYED = "delayed"
    REPEATED = "repeated"


@dataclass(frozen=True)
class Seen:
    """A request that came by: which one it was, and what it wanted."""

    number: int
    method: str
    path: str

    @property
    def is_create(self) -> bool:
        return self.method == "POST" and self.path.partition("?")[0].endswith("/fine_tuning/jobs")


Fate = Callable[[Seen], Mishap]
"""Decides what becomes of a request. It may also act, such as kill whoever asked."""


class Road:
    """A proxy on this machine. `fate` may be changed at any time; `seen` is everything that came by."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.fate: Fate = lambda _: Mishap.NONE
        self.after: Callable[[Seen], None] = lambda _: None
        self.seen: list[Seen] = []
        self._lock = threading.Lock()

    def note(self, method: str, path: str) -> Seen:
        """Return the next request its number."""
        with self._lock:
            seen = Seen(len(self.seen), method, path)
            self.seen.append(seen)
            return seen

    def forget(self) -> None:
        """Begin to count anew, with nothing going wrong."""
        with self._lock:
            self.seen.clear()
        self.fate = lambda _: Mishap.NONE
        self.after = lambda _: None


@contextmanager
def road_to(target: str) -> Iterator[tuple[Road, str]]:
    """Open a road to a service; gives it, and the base URL at its near end."""
    road = Road(target)

    class Handler(_Handler):
        pass

    Handler.road = road
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield road, f"http://127.0.0.1:{server.server_address[1]}{road.target.path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    road: Road
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
        seen = self.road.note(self.command, self.path)
        mishap = self.road.fate(seen)
        if mishap is Mishap.LOST:
            self._cut()
            return
        if mishap is Mishap.DELAYED:
            time.sleep(DELAY_SECONDS)
        if mishap is Mishap.REPEATED:
            self._ask(body)
        status, headers, answer = self._ask(body)
        self.road.after(seen)
        if mishap is Mishap.UNANSWERED:
            self._cut()
            return
        self._answer(status, headers, answer, cut=mishap is Mishap.TRUNCATED)

    def _body(self) -> bytes:
        length = int(self.headers.get("content-length") or 0)
        return self.rfile.read(length)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        target = self.road.target
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
            # Whoever asked is gone, perhaps because we have just killed it.
            self.close_connection = True
        if cut:
            self._cut()

    def _cut(self) -> None:
        """Break the connection off in the middle, so that the other end sees a reset and no orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
