"""Turns plain functions into HTTP endpoints: a request is read first, then answered in a thread."""

import re
from collections.abc import Callable, Mapping

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.service.context import Service
from reconciler.service.errors import ApiError, bad_value
from reconciler.service.fields import Json
from reconciler.service.store.expiry import expire
from reconciler.service.store.paging import Cursor

MOST_ITEMS = 10_000


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request, read: names from its path, its query, and the JSON object of its body.

    Shape:  where `kind`, a page of no items and a page after nothing are empty, and no refusals
    """

    path: Mapping[str, str]
    query: QueryParams
    body: Json = msgspec.field(default_factory=dict)
    kind: bool = False

    def cursor(self, limit: int, *, ascending: bool = False) -> Cursor:
        """Which page the query asks for, `limit` items where it does not say."""
        text = self.query.get("limit", "")
        if text and not re.fullmatch(r"[0-9]{1,9}", text):
            raise bad_value("limit", f"expected an integer from 1 to {MOST_ITEMS}.")
        wanted = int(text) if text else limit
        if not (0 if self.kind else 1) <= wanted <= MOST_ITEMS:
            raise bad_value("limit", f"expected an integer from 1 to {MOST_ITEMS}, got {wanted}.", "out_of_range")
        return Cursor(limit=wanted, after=self.query.get("after") or None, ascending=ascending, kind=self.kind)


Handler = Callable[[Service, Call], Response]


class JsonResponse(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Write the answer out."""
        return msgspec.json.encode(content)


def endpoint(service: Service, handler: Handler) -> Callable[[Request], object]:
    """Make an endpoint of a handler that needs no body."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_handle, service, handler, request, {})

    return answer


def endpoint_with_body(service: Service, handler: Handler) -> Callable[[Request], object]:
    """Make an endpoint of a handler that reads a JSON object."""

    async def answer(request: Request) -> Response:
        body = await _read_object(request, service.limits.body_bytes)
        return await run_in_threadpool(_handle, service, handler, request, body)

    return answer


def _handle(service: Service, handler: Handler, request: Request, body: Json) -> Response:
    # What has expired is gone before anybody looks, whichever route they come by.
    expire(service.store, service.now())
    call = Call(path=request.path_params, query=request.query_params, body=body, kind=service.seeded)
    return handler(service, call)


async def _read_object(request: Request, most_bytes: int) -> Json:
    read = bytearray()
    try:
        async for block in request.stream():
            read.extend(block)
            if len(read) > most_bytes:
                raise ApiError(413, f"Maximum content size limit ({most_bytes}) exceeded.")
    except ClientDisconnect as error:
        raise ApiError(400, "The request was broken off.") from error
    try:
        body = msgspec.json.decode(read)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ApiError(400, f"We could not parse the JSON body of your request: {reason}.") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The JSON body of your request is not an object.")
    return body
