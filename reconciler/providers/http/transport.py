"""Transports that stack, each doing one thing to bytes and failures. They know HTTP, and know no service."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from reconciler.providers.http.answer_headers import requested_wait
from reconciler.providers.profile import RetryPolicy

_REPEATED_METHODS = frozenset({"GET", "DELETE"})
_HOP_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection"})
NETWORK_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class RedirectError(httpx.TransportError):
    """The service answered with a redirect, which is not followed.

    Shape:  `status` is the answer's
    """

    status: int = 0


class TooLargeError(httpx.TransportError):
    """The answer is larger than an answer may be."""


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
    ends_at: float | None = None,
) -> httpx.Request:
    """Return a copy of a request with some of it changed; the original, which errors may show, stays as it is."""
    extensions: dict[str, Any] = {**request.extensions, **({"timeout": timeout} if timeout else {})}
    extensions |= {} if ends_at is None else {"ends_at": ends_at}
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


class Retry(WrappingTransport):
    """Repeats GET and DELETE when the network failed or the service was busy; anything else goes through once.

    Shape:  `is_final` looks at an answer of status 429 and tells whether waiting cannot help; no attempt goes on longer
            than `most_seconds` after the first began, nor begins later than `ends_at` by `clock`
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        retries: RetryPolicy,
        sleep: Callable[[float], None],
        random: Callable[[], float],
        is_final: Callable[[httpx.Response], bool],
        clock: Callable[[], float] = time.monotonic,
        most_seconds: float = math.inf,
        ends_at: float = math.inf,
    ) -> None:
        super().__init__(inner)
        self._clock = clock
        self._ends_at = ends_at
        self._most_seconds = most_seconds
        self._retries = retries
        self._sleep = sleep
        self._random = random
        self._is_final = is_final

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        attempts = self._retries.attempts if request.method in _REPEATED_METHODS else 1
        gives_up_at = self._clock() + self._most_seconds
        # All attempts together take no longer: the last one ends then, too.
        request = copy_request(request, ends_at=gives_up_at)
        for tried in range(1, attempts):
            try:
                response = self._inner.handle_request(request)
            except NETWORK_ERRORS:
                wait = self._backoff(tried)
                if self._clock() + wait > gives_up_at or self._sleeps_past_end(wait):
                    raise
            else:
                asked = self._wait_after(response, tried)
                if asked is None or self._clock() + asked > gives_up_at or self._sleeps_past_end(asked):
                    return response
                response.close()
                wait = asked
            self._sleep(wait)
        return self._inner.handle_request(request)

    def _sleeps_past_end(self, wait: float) -> bool:
        """Return whether a wait goes on longer than all calls may; then wait no longer than that."""
        left = self._ends_at - self._clock()
        if wait <= left:
            return False
        self._sleep(max(left, 0.0))
        return True

    def _wait_after(self, response: httpx.Response, tried: int) -> float | None:
        """Return how long to wait before the next attempt; None when this answer stands."""
        if not self._is_passing(response):
            return None
        asked = requested_wait(response.headers)
        if asked is None:
            return self._backoff(tried)
        return asked if asked <= self._retries.longest_seconds else None

    def _is_passing(self, response: httpx.Response) -> bool:
        status = response.status_code
        if status < 400 or (status == 429 and self._is_final(response)):
            return False
        wish = response.headers.get("x-should-retry")
        if wish in {"true", "false"}:
            return bool(wish == "true")
        # A conflict is left to the caller: only it knows whether what stands in the way will go.
        return status in {408, 429} or status >= 500

    def _backoff(self, tried: int) -> float:
        wait = min(self._retries.first_seconds * float(2 ** (tried - 1)), self._retries.cap_seconds)
        return wait * (1 - self._random() / 4)


class NoRedirects(WrappingTransport):
    """Takes a redirect for what it is here: an address that is not the one the operator gave."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if not 300 <= response.status_code < 400:
            return response
        response.close()
        error = RedirectError(
            f"the service answered {request.method} {request.url.path} with a redirect (HTTP {response.status_code}); "
            "redirects are not followed, because a key belongs to one address"
        )
        error.status = response.status_code
        raise error


class BufferedResponse(WrappingTransport):
    """Reads every answer to its end, within a bound, so that a half answer is a failure of the network."""

    def __init__(self, inner: httpx.BaseTransport, limit_bytes: int) -> None:
        super().__init__(inner)
        self._limit = limit_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        try:
            content = self._read(response)
        finally:
            response.close()
        stated = response.headers.get("content-length", "")
        is_whole = stated.lstrip("0") == (str(len(content)) if content else "")
        if stated.isdecimal() and "content-encoding" not in response.headers and not is_whole:
            raise httpx.RemoteProtocolError(f"the answer ended after {len(content)} of {stated[:30]} bytes")
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in _HOP_HEADERS]
        return httpx.Response(response.status_code, headers=kept, content=content)

    def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._limit:
                raise TooLargeError(f"the answer is larger than {self._limit} bytes")
        return bytes(content)


class SingleEncoding(WrappingTransport):
    """Refuses an answer that was compressed more than once: unpacking it could take more memory than there is."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if len(response.headers.get_list("content-encoding", split_commas=True)) <= 1:
            return response
        response.close()
        raise httpx.DecodingError("the answer was compressed more than once")


class Deadline(WrappingTransport):
    """Bounds each call: to connect, between two signs of life, and in all.

    No call goes on after `ends_at`, nor after what its request says. The end of the call is passed on, so that the
    network below gives up in the middle of a part too.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        connect: float,
        read: float,
        total: float,
        clock: Callable[[], float],
        ends_at: float = math.inf,
    ) -> None:
        super().__init__(inner)
        self._ends_at = ends_at
        self._limits = {"connect": connect, "pool": connect, "read": read, "write": read}
        self._total = total
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ends_at = min(self._clock() + self._total, self._ends_at, request.extensions.get("ends_at", math.inf))
        left = ends_at - self._clock()
        if left <= 0:
            raise httpx.ConnectTimeout("the time of the command is up")

        def within_time(parts: Iterator[bytes], error: type[httpx.TimeoutException]) -> Iterator[bytes]:
            for part in parts:
                if self._clock() > ends_at:
                    raise error(f"the call took longer than {self._total:g} seconds")
                yield part

        body = request.stream
        assert isinstance(body, httpx.SyncByteStream)
        sent = ByteStream(lambda: within_time(iter(body), httpx.WriteTimeout))
        limits = {name: min(limit, left) for name, limit in self._limits.items()}
        response = self._inner.handle_request(copy_request(request, stream=sent, timeout=limits, ends_at=ends_at))
        return wrap_response(response, lambda parts: within_time(parts, httpx.ReadTimeout))


class Redact(WrappingTransport):
    """Lets no secret out: neither in the words of an error, nor in an answer that echoes one in body or headers.

    Shape:  `hide` passes parts of a text on without the secret
    """

    def __init__(self, inner: httpx.BaseTransport, hide: Callable[[Iterable[bytes]], Iterator[bytes]]) -> None:
        super().__init__(inner)
        self._hide = hide

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        caught: httpx.RequestError
        try:
            response = self._inner.handle_request(request)
        except httpx.RequestError as error:
            caught = self._hidden(error)
        else:
            return self._answer(response)
        # Raised here and not above, or the original, secret and all, would hang on it as its context.
        raise caught

    def _answer(self, response: httpx.Response) -> httpx.Response:
        response.headers = httpx.Headers(
            [(name, b"".join(self._hide([value]))) for name, value in response.headers.raw]
        )
        if response.is_stream_consumed:
            content = b"".join(self._hide([response.content]))
            return httpx.Response(response.status_code, headers=response.headers.multi_items(), content=content)
        return wrap_response(response, self._parts)

    def _parts(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        caught: httpx.RequestError
        try:
            yield from self._hide(parts)
        except httpx.RequestError as error:
            caught = self._hidden(error)
        else:
            return
        raise caught

    def _hidden(self, error: httpx.RequestError) -> httpx.RequestError:
        words = b"".join(self._hide([str(error).encode(errors="replace")]))
        hidden = type(error)(words.decode(errors="replace"))
        if isinstance(hidden, RedirectError) and isinstance(error, RedirectError):
            hidden.status = error.status
        return hidden


class NewConnection(WrappingTransport):
    """Sends every request on a transport of its own, which is closed with its answer.

    A connection kept alive from before may be dead already; a write sent into it ends unknown
    for no reason. On a new connection, not connecting proves that nothing was sent.
    """

    def __init__(self, make: Callable[[], httpx.BaseTransport]) -> None:
        self._make = make

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        inner = self._make()
        try:
            response = inner.handle_request(copy_request(request, headers={"connection": "close"}))
        except BaseException:
            inner.close()
            raise
        return wrap_response(response, lambda parts: parts, also=inner.close)

    def close(self) -> None:
        """Close nothing, because nothing is kept."""
