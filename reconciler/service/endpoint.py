"""Turns plain functions into HTTP endpoints, and reads the fields of a request. Null means unset."""

import re
from collections.abc import Callable, Collection, Mapping

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.service.context import ServiceContext
from reconciler.service.errors import ApiError, missing_error, type_error, unknown_field_error, value_error
from reconciler.service.limits import BODY, BodyShare
from reconciler.service.store.rows import PageCursor
from reconciler.service.store.uploads import remove_expired

RequestBody = Mapping[str, object]


def check_known(body: RequestBody, known: Collection[str], at: str = "") -> None:
    """Raise an error for an unknown field, so that nothing is silently ignored."""
    for name in body:
        if name not in known:
            raise unknown_field_error(at + name)


def set_fields(body: RequestBody) -> RequestBody:
    """Return the fields that are set: old clients send every field that they know, most of them null."""
    return {name: value for name, value in body.items() if value is not None}


def read_text(body: RequestBody, name: str, *, at: str = "", low: int = 0, high: int = 1 << 20) -> str | None:
    """Return a string of `low` to `high` characters, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise type_error(at + name, "a string", value)
    if not low <= len(value) <= high:
        raise value_error(at + name, f"expected {low} to {high} characters, got {len(value)}.", "string_length")
    return value


def read_required_text(body: RequestBody, name: str, *, low: int = 0, high: int = 1 << 20) -> str:
    """Return a string that must be set."""
    value = read_text(body, name, low=low, high=high)
    if value is None:
        raise missing_error(name)
    return value


_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def read_id(body: RequestBody, name: str, what: str) -> str | None:
    """Return the id of an object, or None when it is unset.

    Raises: ApiError for a text that no object can have as its id, in the words for an object that does not exist
    """
    value = read_text(body, name)
    if value is not None and not _ID.fullmatch(value):
        raise ApiError(400, f"{what}: {value}", param=name)
    return value


def read_integer(body: RequestBody, name: str, low: int, high: int, *, at: str = "") -> int | None:
    """Return an integer within bounds, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise type_error(at + name, "an integer", value)
    if not low <= value <= high:
        raise value_error(at + name, f"expected an integer from {low} to {high}, got {value}.", "out_of_range")
    return value


def read_number(body: RequestBody, name: str, low: float, high: float) -> float | None:
    """Return a number within bounds, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise type_error(name, "a number", value)
    if not low <= value <= high:
        raise value_error(name, f"expected a number from {low} to {high}, got {value}.", "out_of_range")
    return value


def read_flag(body: RequestBody, name: str) -> bool:
    """Return a boolean, false when it is unset."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise type_error(name, "a boolean", value)
    return bool(value)


def read_object(body: RequestBody, name: str, *, at: str = "") -> dict[str, object] | None:
    """Return a JSON object, or None when it is unset."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise type_error(at + name, "an object", value)
    return value


def read_texts(body: RequestBody, name: str, most: int, *, low: int = 0, high: int = 1 << 22) -> tuple[str, ...]:
    """Return a string or a list of strings of `low` to `high` characters as a tuple, empty when it is unset."""
    value = body.get(name)
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise type_error(name, "a string or an array of strings", value)
    if len(items) > most:
        raise value_error(name, f"expected at most {most} items, got {len(items)}.", "array_above_max_length")
    for place, item in enumerate(items):
        if not low <= len(item) <= high:
            message = f"expected {low} to {high} characters, got {len(item)}."
            raise value_error(f"{name}[{place}]", message, "string_length")
    return tuple(items)


MOST_ITEMS = 10_000


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request: the names in its path, its query, and the JSON object of its body.

    Shape:  where `lenient`, a page of no items and a page after an unknown id are empty, and not errors
    """

    path: Mapping[str, str]
    query: QueryParams
    body: RequestBody = msgspec.field(default_factory=dict)
    lenient: bool = False

    def cursor(self, limit: int, *, ascending: bool = False) -> PageCursor:
        """Return the page that the query asks for, with `limit` items by default."""
        text = self.query.get("limit", "")
        if text and not re.fullmatch(r"[0-9]{1,9}", text):
            raise value_error("limit", f"expected an integer from 1 to {MOST_ITEMS}.")
        wanted = int(text) if text else limit
        if not (0 if self.lenient else 1) <= wanted <= MOST_ITEMS:
            raise value_error("limit", f"expected an integer from 1 to {MOST_ITEMS}, got {wanted}.", "out_of_range")
        return PageCursor(
            limit=wanted, after=self.query.get("after") or None, ascending=ascending, lenient=self.lenient
        )


Handler = Callable[[ServiceContext, ApiRequest], Response]


class JsonResponse(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Return the answer as bytes."""
        return msgspec.json.encode(content)


def endpoint(context: ServiceContext, handler: Handler) -> Callable[[Request], object]:
    """Make an endpoint of a handler that needs no body."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_handle, context, handler, request, {})

    return answer


def endpoint_with_body(
    context: ServiceContext, handler: Handler, most_bytes: int = BODY
) -> Callable[[Request], object]:
    """Make an endpoint of a handler that reads a JSON object of at most so many bytes."""

    async def answer(request: Request) -> Response:
        with context.bodies.share() as share:
            body = await _read_object(request, share, most_bytes)
            return await run_in_threadpool(_handle, context, handler, request, body)

    return answer


def _handle(context: ServiceContext, handler: Handler, request: Request, body: RequestBody) -> Response:
    # Every route first removes what has expired, so that no answer shows it.
    remove_expired(context.store, context.now())
    api_request = ApiRequest(path=request.path_params, query=request.query_params, body=body, lenient=context.seeded)
    try:
        return handler(context, api_request)
    except RecursionError as error:
        # What could be decoded may still be too deep for what is done with it.
        raise ApiError(400, "The JSON body of your request is nested too deep.") from error


async def _read_object(request: Request, share: BodyShare, most_bytes: int) -> RequestBody:
    read = bytearray()
    try:
        async for block in request.stream():
            if len(read) + len(block) > most_bytes:
                raise ApiError(413, f"Maximum content size limit ({most_bytes}) exceeded.")
            share.add(len(block))
            read.extend(block)
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
