"""What is happening, as it happens. Every fact is a line that stays; on a terminal the last line is alive."""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from reconciler.domain.event import Event, Finished, JobLogged, JobMoved, JobVanished, Progress, Started
from reconciler.domain.identity import Address
from reconciler.domain.observed import JobId
from reconciler.domain.plan import StepId
from reconciler.render.sanitize import clean
from reconciler.render.sink import Sink
from reconciler.render.terminal.telling import doing_of, facts_of, measured, measures_of
from reconciler.render.text import Style, duration_text, truncate, width_of

QUIET_SECONDS = 10.0
"""Where no line can be redrawn, a job's progress is a new line no more often than this."""

Moving = JobId | StepId


class _Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is under way: since when, and how far it is."""

    address: Address
    since: float
    status: str = ""
    measures: str = ""
    told_at: float = float("-inf")


class LiveView:
    """Shows events to people: lines that stay, and on a terminal one line below them that is redrawn.

    Shape:  `clock` gives seconds from any beginning; `columns` the width of the terminal at this moment
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
        self._paint = Style(colour)
        self._clock = clock
        self._columns = columns or (lambda: sink.columns)
        self._doing: dict[Moving, _Activity] = {}
        self._drawn = ""

    def show(self, event: Event) -> None:
        """Tell one event: its facts as lines, its progress where there is room for it."""
        lines = () if self._is_told(event) else facts_of(event, self._paint, self._last_measures(event))
        if not lines and isinstance(event, Progress | JobLogged):
            lines = self._progress(event)
        self._note(event)
        self._redraw("".join(f"{line}\n" for line in lines))

    def tick(self) -> None:
        """Bring the elapsed time up to date while nothing happens."""
        self._redraw("")

    def close(self, summary: str = "") -> None:
        """Take the live line away and end with the summary, a text of ours."""
        self._doing.clear()
        self._redraw(summary)

    def _is_told(self, event: Event) -> bool:
        """Return whether an event says only what its reader knows: a job is as the step that made it left it."""
        doing = self._doing.get(event.job.id) if isinstance(event, JobMoved) else None
        return isinstance(event, JobMoved) and doing is not None and doing.status == str(event.job.status)

    def _note(self, event: Event) -> None:
        """Remember what is under way after an event."""
        match event:
            case Started(step=step):
                now, status = self._clock(), doing_of(step.action)
                self._doing[step.id] = _Activity(address=step.action.address, since=now, status=status, told_at=now)
            case Finished(step=step, job=job):
                self._doing.pop(step.id, None)
                if job and job.status.is_active:
                    self._doing[job.id] = replace(self._of(job.id, job.address), status=str(job.status))
            case JobMoved(job=job) if job.status.is_active:
                self._doing[job.id] = replace(self._of(job.id, job.address), status=str(job.status))
            case JobMoved(job=job):
                self._doing.pop(job.id, None)
            case JobVanished(job=gone):
                self._doing.pop(gone, None)
            case _:
                pass

    def _progress(self, event: Progress | JobLogged) -> tuple[str, ...]:
        """Remember how far something is; give a line only where nothing can be redrawn, and not too often."""
        key, address = _whose(event)
        before, now, measures = self._of(key, address), self._clock(), measures_of(event)
        # The last step of a job is how it ended up; the last byte of a file is followed by the news that it is there.
        is_due = now - before.told_at >= QUIET_SECONDS or (isinstance(event, JobLogged) and measured(event).is_last)
        telling = bool(measures) and is_due and not self._is_terminal
        told_at = now if telling else before.told_at
        self._doing[key] = replace(before, measures=measures or before.measures, told_at=told_at)
        return (f"{self._paint.bold(clean(str(address)))}: {measures}",) if telling else ()

    def _of(self, key: Moving, address: Address) -> _Activity:
        return self._doing.get(key) or _Activity(address=address, since=self._clock())

    def _last_measures(self, event: Event) -> str:
        doing = self._doing.get(event.job.id) if isinstance(event, JobMoved) else None
        return doing.measures if doing else ""

    def _redraw(self, lines: str) -> None:
        """Write lines that stay and the live line below them, in one piece, so that nothing flickers."""
        columns = max(self._columns(), 1)
        live = truncate(self._live(), columns - 1) if self._is_terminal else ""
        if lines or live != self._drawn:
            self._sink.write(self._erasing(columns) + lines + self._paint.dim(live))
            self._sink.flush()
            self._drawn = live

    def _erasing(self, columns: int) -> str:
        if not self._drawn:
            return ""
        # A terminal that has become narrower has wrapped the line: go up to where it began.
        rows = (width_of(self._drawn) - 1) // columns
        return "\r" + (f"\x1b[{rows}A" if rows else "") + "\x1b[J"

    def _live(self) -> str:
        doing = list(self._doing.values())
        if not doing:
            return ""
        elapsed = duration_text(self._clock() - min(each.since for each in doing))
        if len(doing) == 1:
            (only,) = doing
            return "  ".join(filter(None, (f"{only.address}: {_state(only)}", only.measures, elapsed)))
        each = " · ".join(f"{one.address.name} {one.measures or _state(one)}" for one in doing)
        return f"{len(doing)} under way, {elapsed}: {each}"


def _state(doing: _Activity) -> str:
    return clean(doing.status) or "running"


def _whose(event: Progress | JobLogged) -> tuple[Moving, Address]:
    if isinstance(event, JobLogged):
        return event.job, event.address
    return event.step.id, event.step.action.address
