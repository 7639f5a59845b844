"""Keeps web pages from driving a service that asks for no key, and reads requests in absolute form.

A page in a browser on this machine can send requests to a port here: to the port itself, which its origin shows, or
under a name of its own that it lets point here, which the Host header shows. A request that a page can send without
asking the service first has no key and one of three simple content types.
"""

import re
from collections.abc import Collection
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import ApiError, value_error

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(/.*)?", re.IGNORECASE | re.DOTALL)
_OWN_SITE = frozenset({"", "none", "same-origin"})
_JSON, _FORM = "application/json", "multipart/form-data"


def use_origin_form(scope: Scope) -> Scope:
    """Return the scope of a request with a path. A request line may name the whole address: then its host counts."""
    found = _ABSOLUTE.fullmatch(scope.get("raw_path") or b"")
    if scope["type"] != "http" or found is None:
        return scope
    path = found[2] or b"/"
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    headers = [(b"host", found[1].rpartition(b"@")[2]), *others]
    return {**scope, "raw_path": path, "path": unquote(path.decode("ascii", "replace")), "headers": headers}


class WebGuard:
    """An ASGI application that refuses what a web page can send to another one."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = LOOPBACK_HOSTS) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        app = self._app if refusal is None else JsonResponse(refusal.envelope, refusal.status)
        await app(scope, receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        if _hostname(headers.get("host", "")) not in self._hosts:
            message = f"This service has no key and answers to {', '.join(sorted(self._hosts))} only."
            return ApiError(403, message, param="host", code="host_not_allowed")
        if "origin" in headers or headers.get("sec-fetch-site", "") not in _OWN_SITE:
            message = "This service has no key and answers no web page. Start it with a key, and send the key."
            return ApiError(403, message, param="origin", code="origin_not_allowed")
        return _content_refusal(headers) if scope["method"] == "POST" else None


def _content_refusal(headers: Headers) -> ApiError | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        return None
    if kind and kind != _FORM:
        error = value_error("content-type", f"expected '{_JSON}', got '{kind}'.", "unsupported_content_type")
        return ApiError(415, error.message, param=error.param, code=error.code)
    if "authorization" in headers:
        return None
    message = "This request needs an Authorization header with any key, which no web page can send unasked."
    return ApiError(401, message, code="invalid_api_key")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
