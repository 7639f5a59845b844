"""Following any job on a service, ours or not, by looking. Touches nothing, and records nothing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from reconciler.domain.errors import NotFoundError, TemporaryError
from reconciler.domain.inventory import HeldJob
from reconciler.domain.observed import JobEvent, JobId
from reconciler.domain.ports import Provider

if TYPE_CHECKING:
    from reconciler.cli.console import Console


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A job said something."""

    job: HeldJob
    event: JobEvent


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A job has another status than before."""

    job: HeldJob


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was there is not there any more."""

    job: HeldJob


News = Said | Moved | Gone


def follow_any(
    job: HeldJob,
    provider: Provider,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], object],
    stopping: Callable[[], bool],
    deadline: float | None = None,
) -> Iterator[News]:
    """Yield what a job says and how it moves, until it has ended, time is up, or somebody asks to stop.

    Shape:  every event is told once, in its order, before the end that it leads to; `deadline` is a reading of `clock`
    """
    seen: set[str] = set()
    last: str | None = None
    status: object = _UNSEEN
    while True:
        try:
            job = provider.held_job(JobId(job.id))
            fresh = [event for event in provider.events(job.id, last) if event.id not in seen]
        except TemporaryError:
            # A service that is away for a moment says nothing about the job: look again later.
            fresh = []
        except NotFoundError:
            yield Gone(job=job)
            return
        else:
            for event in fresh:
                seen.add(event.id)
                last = event.id
                yield Said(job=job, event=event)
            if status != job.status:
                status = job.status
                yield Moved(job=job)
            if job.has_ended:
                return
        if stopping() or (deadline is not None and clock() >= deadline):
            return
        sleep(provider.capabilities.poll_seconds)


_UNSEEN = object()


def show(news: News, console: "Console", *, as_json: bool, quiet: bool) -> None:
    """Say it: to programs on stdout as events have it, to people on stderr."""
    from reconciler.render import news_json, news_text

    event = news.event if isinstance(news, Said) else None
    gone = isinstance(news, Gone)
    if as_json:
        console.out.write(news_json(news.job, event, gone=gone))
        console.out.flush()
    elif not (quiet and event):
        console.err.write(news_text(news.job, event, gone=gone, colour=console.colour_err))
        console.err.flush()
