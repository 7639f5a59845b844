"""Follows jobs by looking at them, ours or not. Following creates nothing, and running out of time is no failure."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from reconciler.domain.errors import NotFoundError, TemporaryError
from reconciler.domain.event import Event, Interrupted, JobLogged, JobMoved, JobVanished
from reconciler.domain.identity import Address
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.ports import Provider, own_job
from reconciler.executor.context import RunContext

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

    @property
    def has_ended(self) -> bool:
        return self.has_vanished or (not self.is_first and self.job is not None and self.job.status.is_terminal)


def watch(jobs: Collection[JobId], context: RunContext, *, timeout_seconds: float | None = None) -> Iterator[Event]:
    """Follow jobs of ours during a run; a job that is not ours counts as gone."""
    return follow(
        jobs,
        context.provider,
        find_job=partial(own_job, context.provider),
        clock=context.clock,
        sleep=context.sleep,
        stopping=context.stopping,
        deadline=None if timeout_seconds is None else context.clock() + timeout_seconds,
    )


def follow(
    jobs: Collection[JobId | RemoteJob],
    provider: Provider,
    *,
    find_job: FindJob,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
    stopping: Callable[[], bool],
    deadline: float | None = None,
) -> Iterator[Event]:
    """Yield the events and moves of jobs, until all have ended, time is up, or the run is asked to stop.

    Shape:  every event of a job comes once, in its order; the last JobMoved of a job holds its final state; `deadline`
            is a reading of `clock`; a job that was read before may be given as it was read
    """
    followed = {_id_of(job): _Followed(job=job if isinstance(job, RemoteJob) else None) for job in jobs}
    while True:
        for job, state in followed.items():
            if not state.has_ended:
                yield from _look(job, state, provider, find_job)
        if all(state.has_ended for state in followed.values()):
            return
        if stopping():
            yield Interrupted()
            return
        if deadline is not None and clock() >= deadline:
            return
        sleep(provider.capabilities.poll_seconds)


def _look(job: JobId, state: _Followed, provider: Provider, find_job: FindJob) -> Iterator[Event]:
    """Read a job and then its events, so that what led to its end comes before the end."""
    try:
        now = find_job(job)
        fresh = [event for event in provider.events(job, state.last_event) if event.id not in state.seen]
    except TemporaryError:
        # A service that is away for a moment says nothing about the job: look again later.
        return
    except NotFoundError:
        state.has_vanished = True
        if state.job:
            yield JobVanished(address=_address_of(state.job), job=job)
        return
    for event in fresh:
        state.seen.add(event.id)
        state.last_event = event.id
        yield JobLogged(address=_address_of(now), job=job, event=event)
    if state.is_first or state.job != now:
        has_moved = state.is_first or state.job is None or state.job.status != now.status or now.status.is_terminal
        state.job, state.is_first = now, False
        if has_moved:
            yield JobMoved(job=now)


def _id_of(job: JobId | RemoteJob) -> JobId:
    return job.id if isinstance(job, RemoteJob) else job


def _address_of(job: RemoteJob) -> Address | None:
    return job.stamp.address if job.stamp else None
