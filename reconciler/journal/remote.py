"""Notes as small files on the service itself, which expire there: for runs that share nothing else.

Files of a service have no compare-and-swap, so a note is written first and counts later. Its writer waits until every
list must show it, and every older one, and then lists. The oldest note of a stamp is the one that counts; a run that
sees an older note than its own removes its own. Only the name of a file is read back, because services do not return
the content of every file. So only the writer of a note knows which jobs it excludes.
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
"""Seconds: the shortest life of an expiring file that a service takes."""

LONGEST_LIFE = 30 * 24 * 3600
"""Seconds: the longest life of an expiring file that a service takes. A note with a doubt waits for a person."""

WHOLE_SECONDS = 2.0
"""Seconds: creation times have whole seconds, so two files this far apart have a certain order."""

_NONE = "-"
_NAME = re.compile(
    r"reconciler-note\.(?P<project>[0-9a-f]{12})"
    rf"\.(?P<kind>dataset|model)\.(?P<name>{NAME_PATTERN})\.(?P<version>v[0-9]+)\.(?P<hex>[0-9a-f]{{12,64}})"
    r"\.(?P<owner>[A-Za-z0-9_]+)\.(?P<at>[0-9]+|-)\.(?P<job>[A-Za-z0-9_-]+)(?P<doubtful>\.doubtful)?\.json"
)


def settle_seconds(capabilities: Capabilities) -> float:
    """Return how long after its creation a note counts: then every list shows it, and every older one."""
    return capabilities.list_lag_seconds + WHOLE_SECONDS


class RemoteJournal:
    """The journal of one project, on the service itself. Safe to use from several threads.

    Shape:  `sleep` may return early when `stopping` returns true; then no note stays
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
        current = self._of(intent.stamp)
        if current and self._intent(current[0]) != instead_of:
            return self._intent(current[0])
        mine = current[0] if current and self._intent(current[0]) == intent else self._leave(intent)
        replaced = [note for note in current if self._intent(note) == instead_of and note.id != mine.id]
        # A note that replaces our counting note has no rival, and need not wait. A run that looks before a list shows
        # it, and finds nothing, writes a note, waits, and then sees this one, which is older.
        if not (current and current[0].id in self._counting):
            first = self._settle(mine, intent, {note.id for note in replaced})
            if first.id != mine.id:
                self._remove(mine)
                return self._intent(first)
        self._counting.add(mine.id)
        for note in replaced:
            self._remove(note)
        return intent

    def clear(self, intent: Intent) -> None:
        # Our own note is known by its id, even if no list shows it yet.
        mine = self._left.get(intent)
        for note in [mine] if mine else self._of(intent.stamp):
            if self._intent(note) == intent:
                self._remove(note)

    def is_abandoned(self, intent: Intent) -> bool:
        return False

    def _settle(self, mine: RemoteNote, intent: Intent, replaced: set[FileId]) -> RemoteNote:
        """Wait until every list must show our note. Return the note that counts then."""
        until = self._clock() + self._settled_seconds
        while (left := until - self._clock()) > 0:
            if self._stopping():
                self._remove(mine)
                raise JournalError("stopped before a note was on the service; nothing was sent", "run again")
            self._sleep(left)
        rivals = [note for note in self._of(intent.stamp) if note.id not in replaced]
        if mine.id not in {note.id for note in rivals}:
            self._remove(mine)
            raise JournalError(
                f"the note {mine.name} is not in the list of the service {self._settled_seconds:g} seconds after it was"
                " written; nothing was sent",
                "run again; if it happens again, state how far its lists lag behind with --bound list_lag=TIME",
            )
        return rivals[0]

    def _leave(self, intent: Intent) -> RemoteNote:
        name = self._name(intent)
        with self._lock:
            self._mine[name] = intent
        lives = LONGEST_LIFE if intent.doubt else self._lives_seconds
        match self._service.leave_note(name, write_note(JournalNote(intent)), lives):
            case Done(note):
                with self._lock:
                    self._left[intent] = note
                return note
            case Refused(error):
                raise self._unusable(str(error), error.hint) from error
            case Unknown(why):
                # If it arrived, the next run finds it as the note of an interrupted run.
                raise self._unusable(f"it is not known whether the note arrived: {why}", "run again")

    def _remove(self, note: RemoteNote) -> None:
        removed = self._service.remove_note(note.id)
        if isinstance(removed, Done):
            with self._lock:
                # A list that lags behind may still show it.
                self._gone.add(note.id)
                self._counting.discard(note.id)
                intent = self._mine.pop(note.name, None)
                if intent:
                    self._left.pop(intent, None)
            return
        why = str(removed.error) if isinstance(removed, Refused) else removed.why
        raise self._unusable(f"the note {note.name} could not be removed: {why}", "it expires by itself; run again")

    def _of(self, stamp: Stamp) -> list[RemoteNote]:
        return [note for note in self._notes() if self._intent(note).stamp == stamp]

    def _notes(self) -> list[RemoteNote]:
        """Return the notes of this project, the one that counts first."""
        try:
            listed = self._service.notes()
        except ProviderError as error:
            raise self._unusable(str(error), error.hint) from error
        there = (note for note in listed if note.id not in self._gone)
        ours = [note for note in there if (match := _NAME.fullmatch(note.name)) and match["project"] == self._project]
        return sorted(ours, key=lambda note: (note.created_at, note.id))

    def _unusable(self, why: str, hint: str) -> JournalError:
        return JournalError(f"no note could be written or read on the service: {why}; nothing was sent", hint)

    def _name(self, intent: Intent) -> str:
        stamp = intent.stamp
        at = _NONE if intent.at is None else str(round(intent.at * 1000))
        where = f"{stamp.address.kind}.{stamp.address.name}.{stamp.digest.version}.{stamp.digest.hex}"
        name = f"reconciler-note.{self._project}.{where}.{intent.owner}.{at}.{intent.job or _NONE}"
        name += ".doubtful.json" if intent.doubt else ".json"
        if not _NAME.fullmatch(name):
            raise self._unusable(
                f"{name!r} is not a name that can be read back",
                "set --journal, or RECONCILER_JOURNAL, to directory or git",
            )
        return name

    def _intent(self, note: RemoteNote) -> Intent:
        """Return the intent of a note: all of it for our own, else what its name holds."""
        with self._lock:
            if note.name in self._mine:
                return self._mine[note.name]
        match = _NAME.fullmatch(note.name)
        assert match is not None
        return Intent(
            stamp=Stamp(Address(Kind(match["kind"]), match["name"]), Digest(match["version"], match["hex"])),
            owner=match["owner"],
            at=None if match["at"] == _NONE else int(match["at"]) / 1000,
            job=None if match["job"] == _NONE else JobId(match["job"]),
            doubt="without the metadata that was sent" if match["doubtful"] else "",
        )
