"""What every stacked transport is made of: a wrapper, a stream, and copies of requests and answers."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx


class WrappingTransport(httpx.BaseTransport):
    """A transport around another; alone it changes nothing."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class ByteStream(httpx.SyncByteStream):
    """A stream made of a function that begins it, and of what is to be closed in the end."""

    def __init__(self, begin: Callable[[], Iterator[bytes]], *closers: Callable[[], None]) -> None:
        self._begin = begin
        self._closers = closers

    def __iter__(self) -> Iterator[bytes]:
        return self._begin()

    def close(self) -> None:
        for close in self._closers:
            close()


def copy_request(
    request: httpx.Request,
    *,
    headers: dict[str, str] | None = None,
    stream: httpx.SyncByteStream | None = None,
    timeout: dict[str, float] | None = None,
) -> httpx.Request:
    """Return a copy of a request with some of it changed; the original, which errors may show, stays as it is."""
    extensions: dict[str, Any] = {**request.extensions, **({"timeout": timeout} if timeout else {})}
    merged = httpx.Headers(request.headers)
    merged.update(headers or {})
    return httpx.Request(
        request.method, request.url, headers=merged, stream=stream or request.stream, extensions=extensions
    )


def wrap_response(
    response: httpx.Response,
    through: Callable[[Iterator[bytes]], Iterator[bytes]],
    also: Callable[[], None] | None = None,
) -> httpx.Response:
    """Return the same answer with its body led through a function, and something more to close at its end."""
    inner = response.stream
    assert isinstance(inner, httpx.SyncByteStream)
    closers = (response.close, also) if also else (response.close,)
    stream = ByteStream(lambda: through(iter(inner)), *closers)
    return httpx.Response(response.status_code, headers=response.headers, stream=stream)
