"""The queue of all requests to one service: spacing, and a pause where the service asks for one."""

import math
import threading
from collections.abc import Callable

import httpx

from reconciler.providers.http.answer_headers import allowance_wait, requested_wait
from reconciler.providers.http.transport import WrappingTransport


class RateLimiter:
    """Where all requests to one service queue, from whatever thread: spacing, and a hold when the service asks."""

    def __init__(
        self, *, spacing: float, longest: float, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._spacing = spacing
        self._longest = longest
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = float("-inf")

    def wait_for_turn(self, most_seconds: float | None = None, ends_at: float = math.inf) -> bool:
        """Return when the caller may send; False, and at once, when that takes longer than it can wait.

        Shape:  False at `ends_at`, and not before, when its turn comes later
        """
        gives_up_at = None if most_seconds is None else self._clock() + most_seconds
        while (wait := self._take()) > 0:
            if gives_up_at is not None and self._clock() + wait > gives_up_at:
                return False
            left = ends_at - self._clock()
            self._sleep(max(min(wait, left), 0.0))
            if wait > left:
                return False
        return True

    def hold(self, seconds: float) -> None:
        """Let no request pass for so long, within reason."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock() + min(seconds, self._longest))

    def _take(self) -> float:
        with self._lock:
            now = self._clock()
            wait = self._free_at - now
            if wait <= 0:
                self._free_at = now + self._spacing
            return wait


class HeldBackError(httpx.PoolTimeout):
    """The service wants a pause longer than this request can wait; it was not sent."""


class RateLimitTransport(WrappingTransport):
    """Sends no faster than the rate limiter allows, and passes on to it what the service asked for.

    Shape:  a request that would have to wait longer than `most_seconds` is not sent; None waits as long as it takes
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        limiter: RateLimiter,
        most_seconds: float | None = None,
        ends_at: float = math.inf,
    ) -> None:
        super().__init__(inner)
        self._limiter = limiter
        self._ends_at = ends_at
        self._most_seconds = most_seconds

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._limiter.wait_for_turn(self._most_seconds, self._ends_at):
            raise HeldBackError("the service asked for a pause; nothing was sent")
        response = self._inner.handle_request(request)
        busy = response.status_code in {429, 503}
        wait = max(allowance_wait(response.headers), (requested_wait(response.headers) or 0.0) if busy else 0.0)
        if wait:
            self._limiter.hold(wait)
        return response
