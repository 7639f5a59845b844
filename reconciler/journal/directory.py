"""Notes in a directory, one file for each stamp: for runs on this machine, or on this file system.

Every write, and every read that a decision rests on, happens under one lock. A run holds the lock of a file of its own,
`runs/…`, from its first note until it ends, so that other runs can tell a run that has died from one that is slow. That
counts only on one machine since its start, because locks do not work across every file system.
"""

import hashlib
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from reconciler.domain.errors import JournalError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent
from reconciler.foundation.locks import hold_lock, is_lock_free, open_lock_file, try_lock
from reconciler.journal.note import MOST_BYTES, JournalNote, note_name, read_note, write_note

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PART = ".part"


def this_machine(boot_id: Path = BOOT_ID) -> str:
    """Return a name of this machine since its start; empty when the system has none."""
    try:
        boot = boot_id.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f"{platform.node()} {boot}" if boot else ""


class DirectoryJournal:
    """The journal of one project on one service, in a directory. Safe to use from several threads and processes.

    Shape:  `make_home` is called before the directory is made; `machine` names where this process runs, as
            `this_machine` does; empty means that it has no name
    """

    def __init__(
        self, directory: Path, make_home: Callable[[], None] = lambda: None, machine: str | None = None
    ) -> None:
        self._make_home = make_home
        self._directory = directory
        self._notes = directory / "notes"
        self._runs = directory / "runs"
        self._machine = this_machine() if machine is None else machine
        self._held: dict[Path, int] = {}

    def __enter__(self) -> "DirectoryJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the lock of this run. Intents that it leaves behind count as abandoned from now on."""
        if self._held:
            with suppress(JournalError), self._alone():
                while self._held:
                    path, descriptor = self._held.popitem()
                    os.close(descriptor)
                    path.unlink(missing_ok=True)
        while self._held:
            os.close(self._held.popitem()[1])

    def open_intents(self) -> tuple[Intent, ...]:
        if not self._is_there():
            return ()
        with self._alone():
            # Not glob: it treats a directory that cannot be read as empty.
            paths = sorted(path for path in self._notes.iterdir() if path.suffix == ".json")
            return tuple(note.intent for path in paths if (note := self._read(path)) is not None)

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        self._make()
        with self._alone():
            current = self._current_note(intent.stamp)
            if current is not None and current.intent != instead_of:
                return current.intent
            self._hold_run(intent.owner)
            self._write(intent)
            return intent

    def clear(self, intent: Intent) -> None:
        if not self._is_there():
            return
        with self._alone():
            current = self._current_note(intent.stamp)
            if current is not None and current.intent == intent:
                self._path(intent.stamp).unlink()
                _make_lasting(self._notes)

    def is_abandoned(self, intent: Intent) -> bool:
        if not self._machine or not self._is_there():
            return False
        with self._alone():
            current = self._current_note(intent.stamp)
            return (
                current is not None
                and current.intent == intent
                and current.machine == self._machine
                and is_lock_free(self._run(intent.owner))
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the journal for a moment. An error of the system names the place."""
        try:
            with hold_lock(self._directory / "lock"):
                yield
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> JournalError:
        where = error.filename or self._directory
        return JournalError(
            f"the journal cannot be used: {where}: {error.strerror or error}; nothing was sent",
            f"check the free space and the permissions of {self._directory}, or set another place with"
            " RECONCILER_HOME, and run again",
        )

    def _is_there(self) -> bool:
        # Not exists(): it treats a place that cannot be read as missing.
        try:
            self._notes.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        return True

    def _make(self) -> None:
        if self._held:
            return
        try:
            self._make_home()
            for each in (self._notes, self._runs):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        with self._alone():
            self._sweep()

    def _sweep(self) -> None:
        """Remove the files of dead runs that mean nothing any more."""
        for run in self._runs.iterdir():
            if run not in self._held and is_lock_free(run):
                run.unlink(missing_ok=True)
        for path in self._notes.iterdir():
            if path.suffix == _PART:
                path.unlink(missing_ok=True)

    def _path(self, stamp: Stamp) -> Path:
        return self._notes / note_name(stamp)

    def _run(self, owner: str) -> Path:
        # The owner comes from a file, so it may be any text. Its digest is always a valid file name.
        return self._runs / hashlib.sha256(owner.encode()).hexdigest()[:32]

    def _hold_run(self, owner: str) -> None:
        run = self._run(owner)
        if run in self._held:
            return
        descriptor = open_lock_file(run)
        if not try_lock(descriptor):
            os.close(descriptor)
            raise OSError(None, "another run has the same name", str(run))
        self._held[run] = descriptor

    def _current_note(self, stamp: Stamp) -> JournalNote | None:
        return self._read(self._path(stamp))

    def _read(self, path: Path) -> JournalNote | None:
        try:
            with path.open("rb") as file:
                note = read_note(file.read(MOST_BYTES), str(path))
        except FileNotFoundError:
            return None
        if note_name(note.intent.stamp) != path.name:
            raise JournalError(
                f"the note {path} is about {note.intent.stamp}; nothing was sent",
                "when no run is active any more, delete the note and run again",
            )
        return note

    def _write(self, intent: Intent) -> None:
        path = self._path(intent.stamp)
        part = path.with_suffix(_PART)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(write_note(JournalNote(intent, self._machine)))
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
        _make_lasting(self._notes)


def _make_lasting(directory: Path) -> None:
    """Make renames and deletions in a directory durable, also when the power fails."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
