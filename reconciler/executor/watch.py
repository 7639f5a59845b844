"""Waits for jobs by looking. Waiting creates nothing, and running out of time is no failure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from reconciler.domain.errors import NotFoundError, TemporaryError
from reconciler.domain.event import Event, Interrupted, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.executor.context import RunContext


@dataclass
class _Followed:
    """How far one job has been told."""

    job: RemoteJob | None = None
    last_event: str | None = None
    seen: set[str] = field(default_factory=set)
    vanished: bool = False

    @property
    def ended(self) -> bool:
        return self.vanished or (self.job is not None and self.job.status.is_terminal)


def watch(jobs: Collection[JobId], bench: RunContext, *, timeout_seconds: float | None = None) -> Iterator[Event]:
    """Yield what the jobs say and how they move, until all have ended, time is up, or somebody asks to stop.

    Shape:  every event of a job is told once, in its order; the last JobMoved of a job holds its final state
    """
    followed = {job: _Followed() for job in jobs}
    deadline = None if timeout_seconds is None else bench.clock() + timeout_seconds
    while True:
        for job, state in followed.items():
            if not state.ended:
                yield from _look(job, state, bench)
        if all(state.ended for state in followed.values()):
            return
        if bench.stopping():
            yield Interrupted()
            return
        if deadline is not None and bench.clock() >= deadline:
            return
        bench.sleep(bench.provider.capabilities.poll_seconds)


def _look(job: JobId, state: _Followed, bench: RunContext) -> Iterator[Event]:
    """Read a job and then its events, so that what a job said before it ended is told before its end."""
    try:
        now = bench.provider.job(job)
        fresh = [event for event in bench.provider.events(job, state.last_event) if event.id not in state.seen]
    except TemporaryError:
        # A service that is away for a moment says nothing about the job: look again later.
        return
    except NotFoundError:
        state.vanished = True
        if state.job:
            yield JobVanished(address=state.job.address, job=job)
        return
    for event in fresh:
        state.seen.add(event.id)
        state.last_event = event.id
        yield JobLogged(address=now.address, job=job, event=event)
    if state.job is None or state.job != now:
        moved = state.job is None or state.job.status != now.status or now.status.is_terminal
        state.job = now
        if moved:
            yield JobMoved(job=now)
