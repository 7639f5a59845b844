"""Stands before every route: tidies the path, asks for the key, and writes the headers that every answer bears."""

import hmac
import math
import re
import time
from collections.abc import Callable
from email.utils import formatdate

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import bad_key, too_often
from reconciler.service.ids import new_id
from reconciler.service.rate_limit import Allowance, Pace, duration

API_VERSION = "2020-10-01"

_SLASHES = re.compile("//+")
_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)


class Door:
    """An ASGI application around another one."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        api_key: str | None,
        organization: str,
        clock: Callable[[], float],
        pace: Pace | None = None,
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._pace = pace
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
        # Whoever has no key is refused before anything is counted, so that they cannot use up what is the owner's.
        allowance = self._pace.count() if self._pace and admitted else None

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = new_id("req_", 32)
                headers["openai-processing-ms"] = str(round((time.perf_counter() - began) * 1000))
                headers["openai-organization"] = self._organization
                headers["openai-version"] = API_VERSION
                if self._pace and allowance:
                    headers.update(_rate(self._pace.per_minute, allowance))
                headers["date"] = formatdate(self._clock(), usegmt=True)
            await send(message)

        app = self._app if admitted else _refuse(scope)
        if self._pace and allowance and not allowance.allowed:
            refusal = too_often(self._pace.per_minute)
            app = JsonResponse(refusal.envelope, refusal.status)
        await app({**scope, "path": path, "root_path": ""}, receive, send_with_headers)

    def _admits(self, path: str, scope: Scope) -> bool:
        if self._key is None or not path.startswith(self._prefix):
            return True
        found = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
        return found is not None and hmac.compare_digest(found[1].encode("latin-1"), self._key)


def _rate(per_minute: int, allowance: Allowance) -> dict[str, str]:
    headers = {
        "x-ratelimit-limit-requests": str(per_minute),
        "x-ratelimit-remaining-requests": str(allowance.remaining),
        "x-ratelimit-reset-requests": duration(allowance.reset_seconds),
    }
    if not allowance.allowed:
        headers["retry-after"] = str(math.ceil(allowance.wait_seconds))
    return headers


def _refuse(scope: Scope) -> ASGIApp:
    refusal = bad_key(given="authorization" in Headers(scope=scope))
    return JsonResponse(refusal.envelope, refusal.status)
