"""Applies faults to requests: each fault wraps the application in one that fails as the fault says."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import assert_never

import msgspec
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import INVALID_REQUEST, SERVER_ERROR, ApiError
from reconciler.service.faults.fault import (
    TOO_MANY,
    CutFault,
    ErrorFault,
    Fault,
    FaultKind,
    GatewayFault,
    JobFailureFault,
    LatencyFault,
    ListLagFault,
    LostFault,
    RepeatedPageFault,
    SlowFilesFault,
    TooManyFault,
    TruncatedFault,
)
from reconciler.service.faults.rewriting import (
    Body,
    Change,
    claim_more_pages,
    fetch_again,
    mark_files_unprocessed,
    remove_young,
    rewrite_answer,
    truncate_list,
    with_query,
)
from reconciler.service.jobs import fail_job
from reconciler.service.store.database import Store, new_id

_Rewriting = ListLagFault | TruncatedFault | RepeatedPageFault | SlowFilesFault | JobFailureFault

_FILE_CODES = "invalid_training_file", "invalid_n_examples", "invalid_file_format"


class FaultContext(msgspec.Struct, frozen=True, kw_only=True):
    """What faults need: the store behind the service, and clock and sleep, which a test may replace."""

    store: Store
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def apply_fault(kind: FaultKind, app: ASGIApp, at: FaultContext) -> ASGIApp:
    """Return an application that answers with this fault."""

    async def wrong(scope: Scope, receive: Receive, send: Send) -> None:
        match kind:
            case LatencyFault():
                await at.sleep(kind.seconds)
                await app(scope, receive, send)
            case LostFault():
                await _take_request(app if kind.after else None, scope, receive)
                await hang_up(scope, receive)
            case CutFault():
                await _cut_answer(app, scope, receive, send, kind.size_bytes)
            case TooManyFault():
                await _answer_instead(error_answer(kind), None, scope, receive, send)
            case ErrorFault():
                await _answer_instead(error_answer(kind), app if kind.after else None, scope, receive, send)
            case GatewayFault():
                await _answer_instead(gateway_page(kind), app if kind.after else None, scope, receive, send)
            case ListLagFault() | TruncatedFault() | RepeatedPageFault() | SlowFilesFault() | JobFailureFault():
                asked = with_query(scope, {"after": None}) if isinstance(kind, RepeatedPageFault) else scope
                await rewrite_answer(app, asked, receive, send, _change(kind, app, at, scope))
            case _:
                assert_never(kind)

    return wrong


async def _take_request(app: ASGIApp | None, scope: Scope, receive: Receive) -> None:
    """Read a whole request, and run the application if there is one, but send no answer."""

    async def drop(_: Message) -> None:
        return

    if app is not None:
        await app(scope, receive, drop)
        return
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()


async def _answer_instead(answer: Response, app: ASGIApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    await _take_request(app, scope, receive)
    await answer(scope, receive, send)


async def _cut_answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send, size_bytes: int) -> None:
    left = size_bytes
    is_cut = False

    async def count(message: Message) -> None:
        nonlocal left, is_cut
        if is_cut:
            return
        body = message.get("body", b"")
        is_cut = len(body) > left
        if is_cut:
            message = {**message, "body": body[:left], "more_body": True}
        left -= len(body)
        await send(message)
        if is_cut:
            await hang_up(scope, receive)

    await app(scope, receive, count)


def _change(kind: _Rewriting, app: ASGIApp, at: FaultContext, scope: Scope) -> Change:
    """Return how the answer to a request changes."""

    async def fetch(after: str) -> Body:
        return await fetch_again(app, with_query(scope, {"after": after}))

    async def change(body: Body) -> Body:
        match kind:
            case ListLagFault():
                return await remove_young(body, at.clock(), kind.seconds, fetch)
            case TruncatedFault():
                return truncate_list(body, kind.items)
            case RepeatedPageFault():
                return claim_more_pages(body)
            case SlowFilesFault():
                changed: Body = mark_files_unprocessed(body, at.clock(), kind.seconds)
                return changed
            case JobFailureFault():
                # Before the answer is sent, so that the client can rely on the failure; the worker drops the job.
                await asyncio.to_thread(_fail_created_job, kind, str(body.get("id")), at)
                return body

    return change


def _fail_created_job(fault: JobFailureFault, job: str, at: FaultContext) -> None:
    param = "training_file" if fault.code in _FILE_CODES else None
    message = f"This failure ({fault.code}) was injected by a fault of this service."
    with at.store.write() as db:
        fail_job(db, job, int(at.clock()), fault.code, message, param)


class FaultMiddleware:
    """An ASGI application that applies faults to another one, in the order in which they are listed."""

    def __init__(self, app: ASGIApp, faults: tuple[Fault, ...], at: FaultContext) -> None:
        self._app = app
        self._matchers = tuple(FaultMatcher(fault) for fault in faults)
        self._at = at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with the faults that match it."""
        app = self._app
        if scope["type"] == "http":
            path = "/" + "/".join(filter(None, scope["path"].split("/")))
            hit = [matcher.fault for matcher in self._matchers if matcher.hits(scope["method"], path)]
            for fault in reversed(hit):
                app = apply_fault(fault.kind, app, self._at)
        await app(scope, receive, send)


class FaultMatcher:
    """Decides which requests a fault hits. Not for several threads at once: the requests of a server arrive in one."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._matched = 0
        self._hit = 0
        self._dice = random.Random(fault.seed)  # noqa: S311 (not a secret)

    def hits(self, method: str, path: str) -> bool:
        """Return whether this request is hit. Call it once for each request."""
        if not self.fault.matches(method, path):
            return False
        self._matched += 1
        # A random number is drawn for every match, so that one decision never changes the next.
        unlucky = self._dice.random() < self.fault.chance
        if self._matched < self.fault.first or not unlucky:
            return False
        if self.fault.count is not None and self._hit >= self.fault.count:
            return False
        self._hit += 1
        return True


EXTENSION = "reconciler.hang_up"


class HungUpError(Exception):
    """The answer was withheld on purpose. Within one process this stands for the closed connection."""


def offer_hang_up(scope: Scope, close: Callable[[], None]) -> Scope:
    """Return the scope of a request with a function that closes its connection."""
    return {**scope, "extensions": {**scope.get("extensions", {}), EXTENSION: close}}


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of a request, and return once it is closed.

    Raises: HungUpError when there is no connection to close, as within one process
    """
    close = scope.get("extensions", {}).get(EXTENSION)
    if close is None:
        raise HungUpError("the answer was withheld on purpose")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass


_UNAVAILABLE = "service_unavailable_error"
_MESSAGE = "This answer was injected by a fault of this service."


def error_answer(fault: TooManyFault | ErrorFault) -> Response:
    """Return an error as the API words it, with the header that says when to retry."""
    headers = {"x-request-id": new_id("req_", 32)}
    if fault.retry_after is not None:
        # The header is in whole seconds; a wait is never shortened.
        headers["retry-after"] = str(math.ceil(fault.retry_after))
    if isinstance(fault, TooManyFault):
        error = ApiError(429, _MESSAGE, error_type=TOO_MANY[fault.code], code=fault.code)
    elif fault.status == HTTPStatus.SERVICE_UNAVAILABLE:
        error = ApiError(fault.status, _MESSAGE, error_type=_UNAVAILABLE, code=fault.code or "server_is_overloaded")
    else:
        kind = SERVER_ERROR if fault.status >= HTTPStatus.INTERNAL_SERVER_ERROR else INVALID_REQUEST
        error = ApiError(fault.status, _MESSAGE, error_type=kind, code=fault.code)
    return JsonResponse(error.envelope, error.status, headers)


def gateway_page(fault: GatewayFault) -> Response:
    """Return the page that a gateway shows when what is behind it does not answer."""
    try:
        title = f"{fault.status} {HTTPStatus(fault.status).phrase}"
    except ValueError:
        title = str(fault.status)
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return HTMLResponse(page, fault.status, {"server": "gateway"})
