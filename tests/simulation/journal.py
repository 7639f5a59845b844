"""A journal that outlives its writers, as a directory does: intents stay, and the journal knows which writers died."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.domain.errors import JournalError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent, Journal
from reconciler.executor import MemoryJournal
from tests.simulation.boundary import Boundary
from tests.simulation.faults import CallOutcome

T = TypeVar("T")


@dataclass
class SharedNotes:
    """The intents that are open, and the writers that still run."""

    notes: Journal = field(default_factory=MemoryJournal)
    living: set[str] = field(default_factory=set)
    knows_the_dead: bool = True


class SharedJournal:
    """The shared intents as one run reaches them, at its boundary."""

    def __init__(self, shared: SharedNotes, boundary: Boundary) -> None:
        self._shared, self._boundary = shared, boundary

    def open_intents(self) -> tuple[Intent, ...]:
        return self._crossed("read notes", self._shared.notes.open_intents)

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        lies = self._crossed(_named("write note", intent.stamp), lambda: self._shared.notes.put(intent, instead_of))
        if lies == intent and intent.job is None:
            self._boundary.written_at = self._boundary.actor.now
        return lies

    def clear(self, intent: Intent) -> None:
        self._crossed(_named("clear note", intent.stamp), lambda: self._shared.notes.clear(intent))

    def is_abandoned(self, intent: Intent) -> bool:
        return self._shared.knows_the_dead and intent.owner not in self._shared.living

    def _crossed(self, what: str, do: Callable[[], T]) -> T:
        _, outcome = self._boundary.cross(what, is_journal=True)
        if outcome is CallOutcome.UNDELIVERED:
            raise JournalError("the disk is full", hint="make room, then run again")
        done = do()
        self._boundary.ended(outcome)
        if outcome is CallOutcome.REPLY_LOST:
            raise JournalError("it is not known whether the note was written", hint="run again")
        return done


def _named(what: str, stamp: Stamp) -> str:
    return f"{what} {stamp.address.name}"


_: type[Journal] = SharedJournal
