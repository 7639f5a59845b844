"""Changes answers that are JSON and a success, and passes any other answer on as it arrives."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Body = dict[str, Any]
Change = Callable[[Body], Awaitable[Body]]


async def rewrite_answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send, change: Change) -> None:
    """Let the application answer, and send its JSON object as `change` returns it."""
    held: Message | None = None
    body = bytearray()

    async def hold(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start" and _is_object(message):
            held = message
        elif held is None:
            await send(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, hold)
    if held is not None:
        found = msgspec.json.decode(body)
        changed = msgspec.json.encode(await change(found) if isinstance(found, dict) else found)
        MutableHeaders(scope=held)["content-length"] = str(len(changed))
        await send(held)
        await send({"type": "http.response.body", "body": changed})


async def fetch_again(app: ASGIApp, scope: Scope) -> Body:
    """Send one more GET to the application. An answer that is not a success becomes an empty object."""
    found: Body = {}

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(body: Body) -> Body:
        found.update(body)
        return body

    async def drop(_: Message) -> None:
        return

    await rewrite_answer(app, scope, nothing, drop, keep)
    return found


def with_query(scope: Scope, changes: Mapping[str, str | None]) -> Scope:
    """Return the scope of the same request with other parameters; None removes one."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if key not in changes]
    added = [(key, value) for key, value in changes.items() if value is not None]
    return {**scope, "query_string": urlencode([*kept, *added]).encode("ascii")}


def _is_object(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] == 200 and kind.startswith("application/json"))


Further = Callable[[str], Awaitable[Body]]


async def remove_young(page: Body, now: float, seconds: float, further: Further) -> Body:
    """Return a page of a list without the objects that are too young.

    A page with only young objects is skipped, because an empty page tells clients that the list has ended.
    """
    while True:
        items = _items(page)
        old = [item for item in items if _creation_time(item) + seconds <= now]
        if old or not items or not page.get("has_more"):
            return _replace_items(page, old)
        page = await further(str(items[-1].get("id", "")))


def truncate_list(page: Body, most: int) -> Body:
    """Return the first items of a page as if there were no others."""
    cut = _replace_items(page, _items(page)[:most])
    return {**cut, "has_more": False} if "has_more" in page else cut


def claim_more_pages(page: Body) -> Body:
    """Return a page that says that more follows, if it is a page and not empty."""
    return {**page, "has_more": True} if "has_more" in page and _items(page) else page


def mark_files_unprocessed(value: Any, now: float, seconds: float) -> Any:
    """Return an answer in which files that are too young have the status `uploaded`, at any depth."""
    if isinstance(value, list):
        return [mark_files_unprocessed(item, now, seconds) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("object") == "file" and value.get("status") == "processed" and _creation_time(value) + seconds > now:
        return {**value, "status": "uploaded"}
    return {key: mark_files_unprocessed(item, now, seconds) for key, item in value.items()}


def _items(page: Body) -> list[Body]:
    data = page.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _creation_time(item: Body) -> float:
    # Models have `created`, all else has `created_at`; an object with neither counts as old.
    found = item.get("created_at", item.get("created"))
    return found if isinstance(found, int | float) else 0.0


def _replace_items(page: Body, items: list[Body]) -> Body:
    ends = {"first_id": items[0].get("id") if items else None, "last_id": items[-1].get("id") if items else None}
    return {**page, "data": items, **{name: value for name, value in ends.items() if name in page}}
