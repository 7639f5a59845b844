"""The network at the bottom of all transports: each read and write ends when its call has no time left.

HTTP libraries bound the silence between two signs of life. A service that sends one byte now and then, an endless row
of 1xx answers, or a chunk header that never ends keeps such a call for ever. So every use of the socket is given what
is left of the call, and no more.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

Limit = Callable[[float | None, type[httpcore.TimeoutException]], float | None]
"""Takes the seconds that one use of the socket may take; returns no more than the call has left, or raises."""

_KEEP_SECONDS = 5.0


class NetworkTransport(httpx.BaseTransport):
    """Sends requests over sockets. The extension `ends_at` of a request says when its call ends, by `clock`."""

    def __init__(self, trust: SSLContext, clock: Callable[[], float], *, keeps_connections: bool = True) -> None:
        self._clock = clock
        self._call = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            max_connections=100 if keeps_connections else 1,
            max_keepalive_connections=20 if keeps_connections else 0,
            keepalive_expiry=_KEEP_SECONDS,
            network_backend=DeadlineBackend(httpcore.SyncBackend(), self._limit),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ends_at = request.extensions.get("ends_at")
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        sent = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        with self._until(ends_at), _translate_errors():
            answer = self._pool.handle_request(sent)
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer, lambda: self._until(ends_at)),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _until(self, ends_at: float | None) -> Iterator[None]:
        """Let what this thread does on sockets end at a moment."""
        self._call.ends_at = ends_at
        try:
            yield
        finally:
            self._call.ends_at = None

    def _limit(self, seconds: float | None, error: type[httpcore.TimeoutException]) -> float | None:
        ends_at: float | None = getattr(self._call, "ends_at", None)
        if ends_at is None:
            return seconds
        left = ends_at - self._clock()
        if left <= 0:
            raise error("the call took longer than it may")
        return left if seconds is None else min(seconds, left)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects, and gives each attempt and each use of the connection no more than its call has left."""

    def __init__(self, inner: httpcore.NetworkBackend, limit: Limit) -> None:
        self._inner = inner
        self._limit = limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of a host one after the other."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in dict.fromkeys(str(each[4][0]) for each in found):
            seconds = self._limit(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return DeadlineStream(stream, self._limit)
        raise failure


class DeadlineStream(httpcore.NetworkStream):
    """A connection, each use of which takes no longer than its call has left."""

    def __init__(self, inner: httpcore.NetworkStream, limit: Limit) -> None:
        self._inner = inner
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._limit(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes. A receiver that takes them one by one gets no more time than the call has."""
        connection: socket.socket = self._inner.get_extra_info("socket")
        left = memoryview(buffer)
        try:
            while left:
                connection.settimeout(self._limit(timeout, httpcore.WriteTimeout))
                left = left[connection.send(left) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._limit(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._limit)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Body(httpx.SyncByteStream):
    """The body of an answer, read under the deadline of its call."""

    def __init__(self, answer: httpcore.Response, until: Callable[[], Any]) -> None:
        self._answer = answer
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        with self._until(), _translate_errors():
            parts = iter(self._answer.iter_stream())
        while True:
            with self._until(), _translate_errors():
                part = next(parts, None)
            if part is None:
                return
            yield part

    def close(self) -> None:
        with _translate_errors():
            self._answer.close()


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn the errors of the library below into those of the library that everything above knows."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise _ERRORS.get(type(error), httpx.TransportError)(str(error)) from error


_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}
