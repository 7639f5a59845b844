"""Follows jobs by looking at them, ours or not. Following creates nothing, and running out of time is no failure."""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

import msgspec

from reconciler.domain.errors import MalformedError, NotFoundError, TemporaryError
from reconciler.domain.event import (
    Event,
    EventsMissing,
    Interrupted,
    JobLogged,
    JobMoved,
    JobVanished,
    ServiceAnswered,
    ServiceSilent,
)
from reconciler.domain.identity import Address
from reconciler.domain.observed import JobEvent, JobId, RemoteJob
from reconciler.domain.ports import Provider, own_job
from reconciler.executor.context import Pool, RunContext, inline

FindJob = Callable[[JobId], RemoteJob]
"""Reads a job; NotFoundError when it is not there, or is not one to follow."""


@dataclass
class _Followed:
    """How far one job was followed."""

    job: RemoteJob | None = None
    last_event: str | None = None
    seen: set[str] = field(default_factory=set)
    is_first: bool = True
    has_vanished: bool = False
    misses_events: bool = False

    @property
    def has_ended(self) -> bool:
        return self.has_vanished or (not self.is_first and self.job is not None and self.job.status.is_terminal)


SILENT_SECONDS = 10.0
"""After so long without an answer a person is informed, and again whenever twice the time has passed."""

LOOK_SECONDS = 0.2
"""How often a look that is under way is asked whether it has ended."""


class _Reading(msgspec.Struct, frozen=True):
    """What a look at a job brought: the job with its new events, or the error.

    Shape:  `missing` says why the events cannot be read, and is empty where they can
    """

    job: RemoteJob | None = None
    events: tuple[JobEvent, ...] = ()
    missing: str = ""
    error: BaseException | None = None


@dataclass
class _Silence:
    """Since when the service has not answered, by our own clock."""

    clock: Callable[[], float]
    since: float
    reported: float = 0.0
    reason: str = "no answer yet"
    has_answered: bool = True

    def begin(self) -> None:
        """Begin a look. The pause after an answer was ours, and is no silence of the service."""
        if self.has_answered:
            self.since, self.has_answered = self.clock(), False

    def report(self) -> Iterator[Event]:
        seconds = self.clock() - self.since
        if seconds >= max(SILENT_SECONDS, 2 * self.reported):
            self.reported = seconds
            yield ServiceSilent(seconds=seconds, reason=self.reason)

    def end(self) -> Iterator[Event]:
        seconds, was_reported, self.has_answered = self.clock() - self.since, bool(self.reported), True
        self.since, self.reported, self.reason = self.clock(), 0.0, "no answer yet"
        if was_reported:
            yield ServiceAnswered(seconds=seconds)


def watch(jobs: Collection[JobId], context: RunContext) -> Iterator[Event]:
    """Follow jobs of ours during a run, until its time is up at most; a job that is not ours counts as gone."""
    return follow(
        jobs,
        context.provider,
        find_job=partial(own_job, context.provider),
        clock=context.clock,
        sleep=context.sleep,
        stopping=context.stopping,
        ends_at=context.ends_at,
        pool=context.look_pool,
    )


def follow(
    jobs: Collection[JobId | RemoteJob],
    provider: Provider,
    *,
    find_job: FindJob,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
    stopping: Callable[[], bool],
    ends_at: float = math.inf,
    pool: Pool = inline,
) -> Iterator[Event]:
    """Yield the events and moves of jobs, until all have ended, time is up, or the run is asked to stop.

    Shape:  every event of a job comes once, in its order; the last JobMoved of a job holds its final state; `ends_at`
            is a reading of `clock`; a job that was read before may be given as it was read; a `pool` that works beside
            us lets time run out, and a stop come, while a service is silent
    """
    followed = {_id_of(job): _Followed(job=job if isinstance(job, RemoteJob) else None) for job in jobs}
    silence = _Silence(clock, since=clock())
    while True:
        for job, state in followed.items():
            if state.has_ended:
                continue
            readings: SimpleQueue[_Reading] = SimpleQueue()
            silence.begin()
            pool(partial(_read, job, state.last_event, provider, find_job, readings.put))
            while readings.empty():
                if stopping() or clock() >= ends_at:
                    break
                yield from silence.report()
                sleep(LOOK_SECONDS)
            else:
                yield from _take(job, state, readings.get(), silence)
        if all(state.has_ended for state in followed.values()):
            return
        if clock() >= ends_at:
            return
        if stopping():
            yield Interrupted()
            return
        sleep(min(provider.capabilities.poll_seconds, max(ends_at - clock(), 0.0)))


def _read(
    job: JobId, last_event: str | None, provider: Provider, find_job: FindJob, put: Callable[[_Reading], None]
) -> None:
    """Read a job and then its events, so that what led to its end comes before the end.

    Only the job itself says that it is gone: a service that knows it may have no list of its events,
    or one that cannot be read.
    """
    try:
        found = find_job(job)
        try:
            events = provider.events(job, last_event)
            reading = _Reading(found, events.items, missing="; ".join(events.list_warnings))
        except (NotFoundError, MalformedError) as error:
            reading = _Reading(found, missing=str(error))
        put(reading)
    except BaseException as error:
        put(_Reading(error=error))


def _take(job: JobId, state: _Followed, reading: _Reading, silence: _Silence) -> Iterator[Event]:
    """Yield what a look at a job brought."""
    match reading.error:
        case TemporaryError() | MalformedError() as error:
            # A service that is away, or a gateway in its place, says nothing about the job: look again later.
            silence.reason = str(error)
            yield from silence.report()
            return
        case NotFoundError():
            state.has_vanished = True
            yield from silence.end()
            if state.job:
                yield JobVanished(address=_address_of(state.job), job=job)
            return
        case BaseException() as error:
            raise error
    yield from silence.end()
    now = reading.job
    assert now is not None
    for event in (each for each in reading.events if each.id not in state.seen):
        state.seen.add(event.id)
        state.last_event = event.id
        yield JobLogged(address=_address_of(now), job=job, event=event)
    if reading.missing and not state.misses_events:
        state.misses_events = True
        yield EventsMissing(address=_address_of(now), job=job, reason=reading.missing)
    if state.is_first or state.job != now:
        has_moved = state.is_first or state.job is None or state.job.status != now.status or now.status.is_terminal
        state.job, state.is_first = now, False
        if has_moved:
            yield JobMoved(job=now)


def _id_of(job: JobId | RemoteJob) -> JobId:
    return job.id if isinstance(job, RemoteJob) else job


def _address_of(job: RemoteJob) -> Address | None:
    return job.stamp.address if job.stamp else None
