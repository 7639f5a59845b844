"""The events of a fine-tune: as a list, or as a stream of server-sent events that ends when the job has ended.

A stream has no cursor. Every connection begins with the first event, so a client that reconnects misses nothing. A
stream only reads the store, and the worker runs the job: closing a stream stops neither.

Events are stored in the words of the current API, and translated here each time. Three kinds are not shown, because the
API of 2021 had none of them: the start of the validation, its end, and checkpoints.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import JsonResponse
from reconciler.service.errors import no_job_error, streams_error, value_error
from reconciler.service.routes.wire import Json
from reconciler.service.store.fine_tunes import is_listed
from reconciler.service.store.jobs import EventRecord, JobRecord, all_events, events_after, get_job

CANCELLING_MESSAGE = "Fine tuning process stopping due to job cancellation"
STARTED_MESSAGE = "Fine-tuning job started"
SUCCEEDED_MESSAGE = "The job has successfully completed"
MODEL_MESSAGE = "New fine-tuned model created: "
_HIDDEN = ("Validating training file: ", "Files validated, ", "Checkpoint created at ")

_RENAMED = {
    STARTED_MESSAGE: "Fine-tune started",
    SUCCEEDED_MESSAGE: "Fine-tune succeeded",
    CANCELLING_MESSAGE: "Fine-tune cancelled",
}


class LegacyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the API of 2021, which has no id."""

    created_at: int
    level: str
    message: str

    @property
    def json(self) -> Json:
        return {
            "object": "fine-tune-event",
            "created_at": self.created_at,
            "level": self.level,
            "message": self.message,
        }


def creation_message(job: str, name: str, engine: str) -> str:
    """Return the first event of a job, which names the engine that trains it."""
    alias = "" if name == engine else f", served here under the name {name}"
    return f"Created fine-tune: {job} (engine: {engine}{alias})"


def legacy_events(job: JobRecord, events: Iterable[EventRecord]) -> Iterator[LegacyEvent]:
    """Yield the events of a job in the words of the API of 2021, in order."""
    for event in events:
        for message in _event_messages(job, event):
            yield LegacyEvent(created_at=event.created_at, level=event.level, message=message)


def _event_messages(job: JobRecord, event: EventRecord) -> Iterator[str]:
    if event.data is not None:
        yield _epoch(job, event)
    elif event.message.startswith(MODEL_MESSAGE):
        yield f"Uploaded model: {event.message.removeprefix(MODEL_MESSAGE)}"
        yield f"Uploaded result file: {job.result_file}"
    elif not event.message.startswith(_HIDDEN):
        yield _RENAMED.get(event.message, event.message)


def _epoch(job: JobRecord, event: EventRecord) -> str:
    assert event.data is not None
    epochs = job.hyperparameters.get("n_epochs")
    done, total = event.data["step"], event.data["total_steps"]
    if not isinstance(epochs, int | float) or (done * epochs) % total:
        return event.message
    return f"Completed epoch {round(done * epochs / total)}/{int(epochs)}"


POLL_SECONDS = 0.2
QUIET_POLLS = 75
"""After this many polls without an event, 15 seconds, a comment keeps the connection open."""

MOST_STREAMS = 64

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": still here\n\n"


def make_events_endpoint(context: ServiceContext) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint."""
    streams = OpenStreams()

    async def answer(request: Request) -> Response:
        job = request.path_params["job"]
        streamed = request.query_params.get("stream", "false").lower()
        if streamed not in ("true", "false"):
            raise value_error("stream", "expected 'true' or 'false'.")
        found = EventReader(context, job)
        first = await run_in_threadpool(found.read)
        if streamed == "false":
            return JsonResponse({"object": "list", "data": [event.json for event in first]})
        if streams.count >= MOST_STREAMS:
            raise streams_error(MOST_STREAMS)
        headers = {"cache-control": "no-cache"}
        return StreamingResponse(
            streams.count_while_open(_stream(found, first)), media_type="text/event-stream", headers=headers
        )

    return answer


@dataclass(slots=True)
class OpenStreams:
    """Counts the streams that are open: each of them looks at the store again and again."""

    count: int = 0

    async def count_while_open(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield what a stream yields, and count it meanwhile."""
        self.count += 1
        try:
            async for block in stream:
                yield block
        finally:
            self.count -= 1


@dataclass(slots=True)
class EventReader:
    """Reads the events of a job, each once."""

    context: ServiceContext
    job: str
    ended: bool = False
    _last: EventRecord | None = field(default=None, init=False)

    def read(self) -> tuple[LegacyEvent, ...]:
        """Return the new events, and note whether the job has ended.

        Raises: ApiError when the API of 2021 does not show the job
        """
        with self.context.store.read() as db:
            if not is_listed(db, self.job):
                raise no_job_error(self.job)
            job: JobRecord = get_job(db, self.job)
            new = events_after(db, job.id, self._last) if self._last else all_events(db, job.id)
        self.ended = not job.is_alive
        self._last = new[-1] if new else self._last
        if job.is_active:
            self.context.wake()
        return tuple(legacy_events(job, new))


async def _stream(reader: EventReader, first: tuple[LegacyEvent, ...]) -> AsyncIterator[bytes]:
    new, quiet = first, 0
    while True:
        for event in new:
            yield b"data: %b\n\n" % msgspec.json.encode(event.json)
        if reader.ended:
            break
        quiet = 0 if new else quiet + 1
        if quiet == QUIET_POLLS:
            quiet = 0
            yield KEEP_ALIVE
        await asyncio.sleep(POLL_SECONDS)
        new = await run_in_threadpool(reader.read)
    yield DONE
