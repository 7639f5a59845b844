"""Notes as small files on the service itself, which it lets go by itself: for appliers that share nothing else.

A service of files has no compare-and-swap, so a note is left first and counts later: its writer waits until every list
must show it, and every older one, and then lists. The oldest note of a stamp is the one that lies there; whoever sees
an older one than his own takes his own back. All that is read back is a file's name, for services do not give every
file's content out again; so the jobs that a note goes past are known to its writer only.
"""

import hashlib
import math
import re
import threading
from collections.abc import Callable

from reconciler.domain.errors import JournalError, ProviderError
from reconciler.domain.identity import NAME_PATTERN, Address, Digest, Kind, Stamp
from reconciler.domain.observed import FileId, JobId
from reconciler.domain.ports import Capabilities, Done, Intent, Notes, Refused, RemoteNote, Unknown
from reconciler.journal.note import JournalNote, write_note

SHORTEST_LIFE = 3600
"""Seconds: the least time that a service takes for a file that goes by itself."""

WHOLE_SECONDS = 2.0
"""Moments of making are told in whole seconds, so two that were made this far apart are in a certain order."""

_NONE = "-"
_NAME = re.compile(
    r"reconciler-note\.(?P<project>[0-9a-f]{12})"
    rf"\.(?P<kind>dataset|model)\.(?P<name>{NAME_PATTERN})\.(?P<version>v[0-9]+)\.(?P<hex>[0-9a-f]{{12,64}})"
    r"\.(?P<owner>[A-Za-z0-9_]+)\.(?P<at>[0-9]+|-)\.(?P<job>[A-Za-z0-9_-]+)\.json"
)


def settle_seconds(capabilities: Capabilities) -> float:
    """Return how long after it was left a note counts: every list shows it, and every older one."""
    return capabilities.list_lag_seconds + WHOLE_SECONDS


class RemoteJournal:
    """The journal of one project, on the service itself. Safe to use from several threads.

    Shape:  `sleep` may return early when `stopping` says so, and then no word is left
    """

    def __init__(
        self,
        notes: Notes,
        project: str,
        capabilities: Capabilities,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = notes
        self._project = hashlib.sha256(project.encode()).hexdigest()[:12]
        self._settled_seconds = settle_seconds(capabilities)
        self._lives_seconds = max(SHORTEST_LIFE, math.ceil(capabilities.intent_seconds))
        self._clock = clock
        self._sleep = sleep
        self._stopping = stopping
        self._mine: dict[str, Intent] = {}
        self._left: dict[Intent, RemoteNote] = {}
        self._counting: set[FileId] = set()
        self._gone: set[FileId] = set()
        self._lock = threading.Lock()

    def open_intents(self) -> tuple[Intent, ...]:
        stamps: dict[Stamp, RemoteNote] = {}
        for note in self._notes():
            stamps.setdefault(self._intent(note).stamp, note)
        return tuple(self._intent(note) for note in stamps.values())

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        lies = self._of(intent.stamp)
        if lies and self._intent(lies[0]) != instead_of:
            return self._intent(lies[0])
        mine = lies[0] if lies and self._intent(lies[0]) == intent else self._leave(intent)
        replaced = [note for note in lies if self._intent(note) == instead_of and note.id != mine.id]
        # What replaces the note of ours that counts has no rival, and need not wait for one. Who looks before a list
        # shows it, and finds nothing, leaves a note, waits, and then sees this one, which is older.
        if not (lies and lies[0].id in self._counting):
            first = self._settle(mine, intent, {note.id for note in replaced})
            if first.id != mine.id:
                self._remove(mine)
                return self._intent(first)
        self._counting.add(mine.id)
        for note in replaced:
            self._remove(note)
        return intent

    def clear(self, intent: Intent) -> None:
        # Our own is known by its id, whether or not a list shows it already.
        mine = self._left.get(intent)
        for note in [mine] if mine else self._of(intent.stamp):
            if self._intent(note) == intent:
                self._remove(note)

    def is_abandoned(self, intent: Intent) -> bool:
        return False

    def _settle(self, mine: RemoteNote, intent: Intent, replaced: set[FileId]) -> RemoteNote:
        """Wait until every list must show our note; gives the one that counts then."""
        until = self._clock() + self._settled_seconds
        while (left := until - self._clock()) > 0:
            if self._stopping():
                self._remove(mine)
                raise JournalError("stopped before word was left on the service; nothing was sent", "run again")
            self._sleep(left)
        rivals = [note for note in self._of(intent.stamp) if note.id not in replaced]
        if mine.id not in {note.id for note in rivals}:
            self._remove(mine)
            raise JournalError(
                f"the note {mine.name} does not show in the service's list {self._settled_seconds:g} seconds after it"
                " was left; nothing was sent",
                "run again; if it stays so, say how long its lists lag with --bound list_lag=TIME",
            )
        return rivals[0]

    def _leave(self, intent: Intent) -> RemoteNote:
        name = self._name(intent)
        with self._lock:
            self._mine[name] = intent
        match self._service.leave_note(name, write_note(JournalNote(intent)), self._lives_seconds):
            case Done(note):
                with self._lock:
                    self._left[intent] = note
                return note
            case Refused(error):
                raise self._unusable(str(error), error.hint) from error
            case Unknown(why):
                # Should it have arrived, the next run finds it, as that of a run that was cut off.
                raise self._unusable(f"it is not known whether the note arrived: {why}", "run again")

    def _remove(self, note: RemoteNote) -> None:
        removed = self._service.remove_note(note.id)
        if isinstance(removed, Done):
            with self._lock:
                # A list that lags may go on to show it.
                self._gone.add(note.id)
                self._counting.discard(note.id)
                intent = self._mine.pop(note.name, None)
                if intent:
                    self._left.pop(intent, None)
            return
        why = str(removed.error) if isinstance(removed, Refused) else removed.why
        raise self._unusable(f"the note {note.name} could not be taken back: {why}", "it goes by itself; run again")

    def _of(self, stamp: Stamp) -> list[RemoteNote]:
        return [note for note in self._notes() if self._intent(note).stamp == stamp]

    def _notes(self) -> list[RemoteNote]:
        """List the notes of this project, the one that counts first."""
        try:
            found = self._service.notes()
        except ProviderError as error:
            raise self._unusable(str(error), error.hint) from error
        there = (note for note in found if note.id not in self._gone)
        ours = [note for note in there if (said := _NAME.fullmatch(note.name)) and said["project"] == self._project]
        return sorted(ours, key=lambda note: (note.created_at, note.id))

    def _unusable(self, why: str, hint: str) -> JournalError:
        return JournalError(f"no word could be left or read on the service: {why}; nothing was sent", hint)

    def _name(self, intent: Intent) -> str:
        stamp = intent.stamp
        at = _NONE if intent.at is None else str(round(intent.at * 1000))
        where = f"{stamp.address.kind}.{stamp.address.name}.{stamp.digest.version}.{stamp.digest.hex}"
        name = f"reconciler-note.{self._project}.{where}.{intent.owner}.{at}.{intent.job or _NONE}.json"
        if not _NAME.fullmatch(name):
            raise self._unusable(f"{name!r} is no name that can be read back", "use --journal directory or git")
        return name

    def _intent(self, note: RemoteNote) -> Intent:
        """Return what a note says; all of it when it is our own, else what its name has room for."""
        with self._lock:
            if note.name in self._mine:
                return self._mine[note.name]
        said = _NAME.fullmatch(note.name)
        assert said is not None
        return Intent(
            stamp=Stamp(Address(Kind(said["kind"]), said["name"]), Digest(said["version"], said["hex"])),
            owner=said["owner"],
            at=None if said["at"] == _NONE else int(said["at"]) / 1000,
            job=None if said["job"] == _NONE else JobId(said["job"]),
        )
