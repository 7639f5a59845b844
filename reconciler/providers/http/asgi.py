"""An ASGI application as a transport: the same HTTP, without a socket. Knows HTTP, and knows no application."""

import threading
import weakref
from collections.abc import Iterator

import httpx

from reconciler.providers.http.asgi_loop import AsgiApp, AsgiMessage, Exchange, Home
from reconciler.providers.http.base import ByteStream


class ASGITransport(httpx.BaseTransport):
    """Drives an ASGI application in an event loop of its own thread, streaming both ways.

    Request bodies are drawn from their iterator only as the application asks for them, and an answer's parts are
    produced only as they are read. What the application raises becomes an answer of status 500 that says nothing
    about it; what a request's iterator raises is raised to the caller. Safe to use from several threads.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._home: Home | None = None
        self._closer: weakref.finalize[[], ASGITransport] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        home = self._at_home()
        assert isinstance(request.stream, httpx.SyncByteStream)
        exchange = home.call(home.begin(request.stream, _scope(request)))
        limit = _read_limit(request)
        try:
            started = _when_started(home, exchange, limit)
            exchange.check()
        except BaseException:
            home.leave(exchange)
            raise
        return httpx.Response(
            started["status"],
            headers=list(started.get("headers", [])),
            stream=ByteStream(lambda: _parts(home, exchange, limit), lambda: home.leave(exchange)),
        )

    def close(self) -> None:
        """End the application's lifespan, its loop and its thread."""
        with self._lock:
            if self._closer is not None:
                self._closer()

    def _at_home(self) -> Home:
        with self._lock:
            if self._home is None:
                self._home = Home(self._app)
                # Who forgets to close is not left with a thread that outlives its loop.
                self._closer = weakref.finalize(self, self._home.close)
                self._home.start()
            return self._home


def _when_started(home: Home, exchange: Exchange, limit: float | None) -> AsgiMessage:
    while True:
        seen = exchange.signs_of_life
        try:
            return home.call(exchange.started(), limit)
        except TimeoutError:
            # As on a socket, the time to answer begins when the request has been sent.
            if exchange.signs_of_life == seen and not exchange.is_drawing:
                raise httpx.ReadTimeout("the service did not answer in time") from None


def _parts(home: Home, exchange: Exchange, limit: float | None) -> Iterator[bytes]:
    while True:
        try:
            part = home.call(exchange.next_part(), limit)
        except TimeoutError:
            raise httpx.ReadTimeout("the service fell silent in the middle of its answer") from None
        exchange.check()
        if part is None:
            return
        yield part


def _scope(request: httpx.Request) -> AsgiMessage:
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }


def _read_limit(request: httpx.Request) -> float | None:
    limit = request.extensions.get("timeout", {}).get("read")
    return None if limit is None else float(limit)
