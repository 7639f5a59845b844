"""Stands before every route: tidies the path, asks for the key, and writes the headers that every answer bears."""

import hmac
import re
import time
from collections.abc import Callable
from email.utils import formatdate

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.server.call import JsonResponse
from reconciler.server.errors import bad_key
from reconciler.server.ids import new_id

API_VERSION = "2020-10-01"

_SLASHES = re.compile("//+")
_BEARER = re.compile(r"Bearer +(\S+) *", re.IGNORECASE)


class Door:
    """An ASGI application around another one."""

    def __init__(
        self, app: ASGIApp, *, prefix: str, api_key: str | None, organization: str, clock: Callable[[], float]
    ) -> None:
        self._app = app
        self._prefix = prefix
        self._clock = clock
        self._key = None if api_key is None else api_key.encode()
        self._organization = organization

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = new_id("req_", 32)
                headers["openai-processing-ms"] = str(round((time.perf_counter() - began) * 1000))
                headers["openai-organization"] = self._organization
                headers["openai-version"] = API_VERSION
                headers["date"] = formatdate(self._clock(), usegmt=True)
            await send(message)

        # A base URL that ends in a slash makes clients write two in a row.
        path = _SLASHES.sub("/", scope["path"]).rstrip("/")
        app = self._app if self._admits(path, scope) else _refuse(scope)
        await app({**scope, "path": path, "root_path": ""}, receive, send_with_headers)

    def _admits(self, path: str, scope: Scope) -> bool:
        if self._key is None or not path.startswith(self._prefix):
            return True
        found = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
        return found is not None and hmac.compare_digest(found[1].encode("latin-1"), self._key)


def _refuse(scope: Scope) -> ASGIApp:
    refusal = bad_key(given="authorization" in Headers(scope=scope))
    return JsonResponse(refusal.envelope, refusal.status)
