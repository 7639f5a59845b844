"""Does what each fault says, around one request: an application goes in, one that does wrong comes out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.service.faults.disconnect import hang_up
from reconciler.service.faults.errors import gateway_page, refusal
from reconciler.service.faults.fault import (
    Cut,
    Gateway,
    JobFailure,
    Kind,
    Latency,
    ListLag,
    Lost,
    Refusal,
    RepeatedPage,
    SlowFiles,
    TooMany,
    Truncated,
)
from reconciler.service.faults.lists import endless, truncated, unprocessed, without_young
from reconciler.service.faults.rewriting import Body, asked, rewritten, with_query
from reconciler.service.jobs.updates import fail
from reconciler.service.store.database import Store

_FILE_CODES = "invalid_training_file", "invalid_n_examples", "invalid_file_format"


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What doing wrong takes: the store behind the service, and time, which a test may bring along."""

    store: Store
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def around(kind: Kind, app: ASGIApp, at: Surroundings) -> ASGIApp:
    """Return the application with one thing wrong about it."""

    async def wrong(scope: Scope, receive: Receive, send: Send) -> None:
        match kind:
            case Latency():
                await at.sleep(kind.seconds)
                await app(scope, receive, send)
            case Lost():
                await _worked(app if kind.after else None, scope, receive)
                await hang_up(scope, receive)
            case Cut():
                await _cut(app, scope, receive, send, kind.size_bytes)
            case TooMany():
                await _instead(refusal(kind), None, scope, receive, send)
            case Refusal():
                await _instead(refusal(kind), app if kind.after else None, scope, receive, send)
            case Gateway():
                await _instead(gateway_page(kind), app if kind.after else None, scope, receive, send)
            case ListLag() | Truncated() | RepeatedPage():
                await _listed(kind, app, at, scope, receive, send)
            case SlowFiles():
                await rewritten(app, scope, receive, send, _Slow(kind, at).change)
            case JobFailure():
                await rewritten(app, scope, receive, send, _Failing(kind, at).change)
            case _:
                assert_never(kind)

    return wrong


async def _worked(app: ASGIApp | None, scope: Scope, receive: Receive) -> None:
    """Take a request in whole, and let it have its effect where there is an application; nothing is answered."""

    async def nobody(_: Message) -> None:
        return

    if app is not None:
        await app(scope, receive, nobody)
        return
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()


async def _instead(answer: Response, app: ASGIApp | None, scope: Scope, receive: Receive, send: Send) -> None:
    await _worked(app, scope, receive)
    await answer(scope, receive, send)


async def _cut(app: ASGIApp, scope: Scope, receive: Receive, send: Send, size_bytes: int) -> None:
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


async def _listed(
    kind: ListLag | Truncated | RepeatedPage,
    app: ASGIApp,
    at: Surroundings,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    async def further(after: str) -> Body:
        return await asked(app, with_query(scope, {"after": after}))

    async def change(page: Body) -> Body:
        match kind:
            case ListLag():
                return await without_young(page, at.clock(), kind.seconds, further)
            case Truncated():
                return truncated(page, kind.items)
            case RepeatedPage():
                return endless(page)

    first = with_query(scope, {"after": None}) if isinstance(kind, RepeatedPage) else scope
    await rewritten(app, first, receive, send, change)


class _Slow(msgspec.Struct, frozen=True):
    kind: SlowFiles
    at: Surroundings

    async def change(self, body: Body) -> Body:
        changed: Body = unprocessed(body, self.at.clock(), self.kind.seconds)
        return changed


class _Failing(msgspec.Struct, frozen=True):
    kind: JobFailure
    at: Surroundings

    async def change(self, body: Body) -> Body:
        # Before the answer goes out, so that whoever reads it can rely on the failure; the worker drops the job.
        await asyncio.to_thread(self._fail, str(body.get("id")))
        return body

    def _fail(self, job: str) -> None:
        code = self.kind.code
        param = "training_file" if code in _FILE_CODES else None
        message = f"This failure ({code}) was asked for by a fault of this service."
        with self.at.store.write() as db:
            fail(db, job, int(self.at.clock()), code, message, param)
