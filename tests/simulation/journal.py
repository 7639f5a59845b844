"""A journal that outlives its writers, as a directory does: notes stay, and who died is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.domain.errors import JournalError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent, Journal
from reconciler.executor.context import MemoryJournal
from tests.simulation.boundary import Boundary
from tests.simulation.faults import Fate

T = TypeVar("T")


@dataclass
class Shelf:
    """What lies there, and who of the writers still lives."""

    notes: MemoryJournal = field(default_factory=MemoryJournal)
    living: set[str] = field(default_factory=set)
    knows_the_dead: bool = True


class SharedJournal:
    """The shelf as one run reaches it, at its boundary."""

    def __init__(self, shelf: Shelf, boundary: Boundary) -> None:
        self._shelf, self._boundary = shelf, boundary

    def open_intents(self) -> tuple[Intent, ...]:
        return self._crossed("read notes", self._shelf.notes.open_intents)

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        lies = self._crossed(_named("write note", intent.stamp), lambda: self._shelf.notes.put(intent, instead_of))
        if lies == intent and intent.job is None:
            self._boundary.written_at = self._boundary.actor.now
        return lies

    def clear(self, intent: Intent) -> None:
        self._crossed(_named("clear note", intent.stamp), lambda: self._shelf.notes.clear(intent))

    def is_abandoned(self, intent: Intent) -> bool:
        return self._shelf.knows_the_dead and intent.owner not in self._shelf.living

    def _crossed(self, what: str, do: Callable[[], T]) -> T:
        _, fate = self._boundary.cross(what, is_journal=True)
        if fate is Fate.UNDELIVERED:
            raise JournalError("the disk is full", hint="make room, then run again")
        done = do()
        self._boundary.ended(fate)
        if fate is Fate.REPLY_LOST:
            raise JournalError("it is not known whether the note was written", hint="run again")
        return done


def _named(what: str, stamp: Stamp) -> str:
    return f"{what} {stamp.address.name}"


_: type[Journal] = SharedJournal
