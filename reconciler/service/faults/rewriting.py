"""Passes an answer on, changed where it is JSON and a success; anything else goes through as it is, while it comes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Body = dict[str, Any]
Change = Callable[[Body], Awaitable[Body]]


async def rewritten(app: ASGIApp, scope: Scope, receive: Receive, send: Send, change: Change) -> None:
    """Let the application answer, and send its JSON object as `change` gives it back."""
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


async def asked(app: ASGIApp, scope: Scope) -> Body:
    """Ask the application once more by GET; an answer that is no success is an empty object."""
    found: Body = {}

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(body: Body) -> Body:
        found.update(body)
        return body

    async def drop(_: Message) -> None:
        return

    await rewritten(app, scope, nothing, drop, keep)
    return found


def with_query(scope: Scope, changes: Mapping[str, str | None]) -> Scope:
    """Return the scope of the same request with other parameters; None takes one away."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if key not in changes]
    added = [(key, value) for key, value in changes.items() if value is not None]
    return {**scope, "query_string": urlencode([*kept, *added]).encode("ascii")}


def _is_object(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return bool(message["status"] == 200 and kind.startswith("application/json"))
