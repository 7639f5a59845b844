"""Runs before every route: cleans the path, checks the key and the rate limit, and adds the headers of every answer."""

import hmac
import math
import re
import time
from collections.abc import Callable
from email.utils import formatdate

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import key_error, rate_limit_error
from reconciler.service.store.database import new_id


class RateLimitStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the limit after a request. After `reset_seconds` all of it is available again."""

    allowed: bool
    remaining: int
    reset_seconds: float
    wait_seconds: float


class RateLimit:
    """Counts requests against a limit for the whole service: a bucket that refills with time."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._left = float(per_minute)
        self._then = clock()

    def count(self) -> RateLimitStatus:
        """Count one request. A request that is not allowed takes nothing from the bucket."""
        now = self._clock()
        per_second = self.per_minute / 60
        self._left = min(self.per_minute, self._left + max(0.0, now - self._then) * per_second)
        self._then = now
        allowed = self._left >= 1
        if allowed:
            self._left -= 1
        return RateLimitStatus(
            allowed=allowed,
            remaining=int(self._left),
            reset_seconds=(self.per_minute - self._left) / per_second,
            wait_seconds=0.0 if allowed else (1 - self._left) / per_second,
        )


def duration_text(seconds: float) -> str:
    """Write a duration as the API's headers have it: `12ms`, `1s`, `6m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


API_VERSION = "2020-10-01"

_SLASHES = re.compile("//+")
_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)


class ApiMiddleware:
    """An ASGI application that checks key and rate before another one."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        api_key: str | None,
        organization: str,
        clock: Callable[[], float],
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._rate_limit = rate_limit
        self._clock = clock
        self._key = None if api_key is None else api_key.encode()
        self._organization = organization

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        # A base URL that ends in a slash makes clients write two in a row.
        path = _SLASHES.sub("/", scope["path"]).rstrip("/")
        admitted = self._admits(path, scope)
        # A request without the key is refused before it is counted, so that it cannot use up the owner's limit.
        allowance = self._rate_limit.count() if self._rate_limit and admitted else None

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = new_id("req_", 32)
                headers["openai-processing-ms"] = str(round((time.perf_counter() - began) * 1000))
                headers["openai-organization"] = self._organization
                headers["openai-version"] = API_VERSION
                if self._rate_limit and allowance:
                    headers.update(_rate(self._rate_limit.per_minute, allowance))
                headers["date"] = formatdate(self._clock(), usegmt=True)
            await send(message)

        app = self._app if admitted else _refuse(scope)
        if self._rate_limit and allowance and not allowance.allowed:
            refusal = rate_limit_error(self._rate_limit.per_minute)
            app = JsonResponse(refusal.envelope, refusal.status)
        await app({**scope, "path": path, "root_path": ""}, receive, send_with_headers)

    def _admits(self, path: str, scope: Scope) -> bool:
        if self._key is None or not path.startswith(self._prefix):
            return True
        found = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
        return found is not None and hmac.compare_digest(found[1].encode("latin-1"), self._key)


def _rate(per_minute: int, allowance: RateLimitStatus) -> dict[str, str]:
    headers = {
        "x-ratelimit-limit-requests": str(per_minute),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": duration_text(allowance.reset_seconds),
    }
    if not allowance.allowed:
        headers["retry-after"] = str(math.ceil(allowance.wait_seconds))
    return headers


def _refuse(scope: Scope) -> ASGIApp:
    refusal = key_error(given="authorization" in Headers(scope=scope))
    return JsonResponse(refusal.envelope, refusal.status)
