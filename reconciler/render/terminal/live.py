"""Events as they happen: each fact is a line that stays; on a terminal the line below them is redrawn."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from reconciler.domain.event import Event, Finished, JobLogged, JobMoved, JobVanished, Progress, Started
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import StepId
from reconciler.render.event_text import event_lines, is_last_step, progress_text, start_word
from reconciler.render.sanitize import clean
from reconciler.render.sink import Sink
from reconciler.render.text import Style, duration_text, truncate, width_of

QUIET_SECONDS = 10.0
"""Where no line can be redrawn, the progress of a job is a new line at most this often."""

ActivityId = JobId | StepId
"""A job, or the step that is done."""


class _Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A step or job in progress: since when, and how far it is."""

    name: str
    since: float
    status: str = ""
    progress: str = ""
    shown_at: float = float("-inf")


class LiveView:
    """Shows events: lines that stay, and on a terminal one line below them that is redrawn.

    Shape:  `clock` returns seconds from any start; `columns` the width of the terminal at this moment
    """

    def __init__(
        self,
        sink: Sink,
        is_terminal: bool,
        colour: bool,
        clock: Callable[[], float],
        columns: Callable[[], int] | None = None,
    ) -> None:
        self._sink = sink
        self._is_terminal = is_terminal
        self._style = Style(colour)
        self._clock = clock
        self._columns = columns or (lambda: sink.columns)
        self._activities: dict[ActivityId, _Activity] = {}
        self._drawn = ""

    def show(self, event: Event) -> None:
        """Show one event: its facts as lines, its progress in the live line."""
        activity = self._activities.get(event.job.id) if isinstance(event, JobMoved) else None
        # A job in the status that the step before it ended with is shown already.
        is_known = isinstance(event, JobMoved) and activity and activity.status == str(event.job.status)
        lines = () if is_known else event_lines(event, self._style, activity.progress if activity else "")
        if not lines and isinstance(event, Progress | JobLogged):
            lines = self._progress_lines(event)
        self._track(event)
        self._redraw("".join(f"{line}\n" for line in lines))

    def tick(self) -> None:
        """Update the elapsed time."""
        self._redraw("")

    def close(self, summary: str = "") -> None:
        """Remove the live line and end with the summary, a text of ours."""
        self._activities.clear()
        self._redraw(summary)

    def _track(self, event: Event) -> None:
        """Remember what is in progress after an event."""
        match event:
            case Started(step=step):
                now, status = self._clock(), start_word(step.action)
                self._activities[step.id] = _Activity(
                    name=str(step.action.address), since=now, status=status, shown_at=now
                )
            case Finished(step=step, job=job):
                self._activities.pop(step.id, None)
                if job and job.status.is_active:
                    self._activities[job.id] = replace(self._activity(job.id, _name_of(job)), status=str(job.status))
            case JobMoved(job=job) if job.status.is_active:
                self._activities[job.id] = replace(self._activity(job.id, _name_of(job)), status=str(job.status))
            case JobMoved(job=job):
                self._activities.pop(job.id, None)
            case JobVanished(job=gone):
                self._activities.pop(gone, None)
            case _:
                pass

    def _progress_lines(self, event: Progress | JobLogged) -> tuple[str, ...]:
        """Remember how far something is; return a line only where nothing can be redrawn, and not too often."""
        key, name = _activity_of(event)
        before, now, progress = self._activity(key, name), self._clock(), progress_text(event)
        # The last step of a job is shown in any case; the last byte of a file is followed by a line of its own.
        is_due = now - before.shown_at >= QUIET_SECONDS or (isinstance(event, JobLogged) and is_last_step(event))
        is_shown = bool(progress) and is_due and not self._is_terminal
        shown_at = now if is_shown else before.shown_at
        self._activities[key] = replace(before, progress=progress or before.progress, shown_at=shown_at)
        return (f"{self._style.bold(clean(name))}: {progress}",) if is_shown else ()

    def _activity(self, key: ActivityId, name: str) -> _Activity:
        return self._activities.get(key) or _Activity(name=name, since=self._clock())

    def _redraw(self, lines: str) -> None:
        """Write lines that stay and the live line below them with one write, so that nothing flickers."""
        columns = max(self._columns(), 1)
        live = truncate(self._live_line(), columns - 1) if self._is_terminal else ""
        if lines or live != self._drawn:
            self._sink.write(self._erasing(columns) + lines + self._style.dim(live))
            self._sink.flush()
            self._drawn = live

    def _erasing(self, columns: int) -> str:
        if not self._drawn:
            return ""
        # A terminal that became narrower has wrapped the line: go up to its beginning.
        rows = (width_of(self._drawn) - 1) // columns
        return "\r" + (f"\x1b[{rows}A" if rows else "") + "\x1b[J"

    def _live_line(self) -> str:
        activities = list(self._activities.values())
        if not activities:
            return ""
        elapsed = duration_text(self._clock() - min(each.since for each in activities))
        if len(activities) == 1:
            (only,) = activities
            return "  ".join(filter(None, (f"{clean(only.name)}: {_state(only)}", only.progress, elapsed)))
        states = " · ".join(f"{each.name.rpartition('/')[2]} {each.progress or _state(each)}" for each in activities)
        return f"{len(activities)} in progress, {elapsed}: {states}"


def _state(activity: _Activity) -> str:
    return clean(activity.status) or "running"


def _name_of(job: RemoteJob) -> str:
    return str(job.stamp.address if job.stamp else job.id)


def _activity_of(event: Progress | JobLogged) -> tuple[ActivityId, str]:
    if isinstance(event, JobLogged):
        return event.job, str(event.address or event.job)
    return event.step.id, str(event.step.action.address)
