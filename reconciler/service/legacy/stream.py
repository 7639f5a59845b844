"""The events of a fine-tune: as a list, or as a stream of server-sent events that ends when the job has ended.

A stream has no cursor. Every connection begins with the first event, so whoever was cut off misses nothing. What a
stream knows is read from the store, and the job is done by the worker: closing a stream stops neither.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import Service
from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import bad_value, no_job
from reconciler.service.legacy.messages import Told, tell
from reconciler.service.legacy.records import is_shown
from reconciler.service.store.events import EventRecord, all_events, events_after
from reconciler.service.store.jobs import JobRecord, get_job

POLL_SECONDS = 0.2
QUIET_POLLS = 75
"""So many looks without news, a quarter of a minute, and a comment is sent, so that nobody takes the line for dead."""

DONE = b"data: [DONE]\n\n"
STILL_HERE = b": still here\n\n"


def events(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint."""

    async def answer(request: Request) -> Response:
        job = request.path_params["job"]
        streamed = request.query_params.get("stream", "false").lower()
        if streamed not in ("true", "false"):
            raise bad_value("stream", "expected 'true' or 'false'.")
        found = Reader(service, job)
        first = await run_in_threadpool(found.read)
        if streamed == "false":
            return JsonResponse({"object": "list", "data": [told.json for told in first]})
        headers = {"cache-control": "no-cache"}
        return StreamingResponse(_stream(found, first), media_type="text/event-stream", headers=headers)

    return answer


@dataclass(slots=True)
class Reader:
    """Reads what a job says, each event once."""

    service: Service
    job: str
    ended: bool = False
    _last: EventRecord | None = field(default=None, init=False)

    def read(self) -> tuple[Told, ...]:
        """Return what is new, and note whether that was the last of it.

        Raises: ApiError when the old API has no such job
        """
        with self.service.store.read() as db:
            if not is_shown(db, self.job):
                raise no_job(self.job)
            job: JobRecord = get_job(db, self.job)
            new = events_after(db, job.id, self._last) if self._last else all_events(db, job.id)
        self.ended = not job.is_alive
        self._last = new[-1] if new else self._last
        if job.is_active:
            self.service.wake()
        return tuple(tell(job, new))


async def _stream(reader: Reader, first: tuple[Told, ...]) -> AsyncIterator[bytes]:
    new, quiet = first, 0
    while True:
        for told in new:
            yield b"data: %b\n\n" % msgspec.json.encode(told.json)
        if reader.ended:
            break
        quiet = 0 if new else quiet + 1
        if quiet == QUIET_POLLS:
            quiet = 0
            yield STILL_HERE
        await asyncio.sleep(POLL_SECONDS)
        new = await run_in_threadpool(reader.read)
    yield DONE
