"""Notes in a directory, one file for each stamp and account: for runs on this machine, or on this file system.

Every write, and every read that a decision rests on, happens under one lock. A run holds the lock of a file of its own,
`runs/…`, from its first note until it ends, so that other runs can tell a run that has died from one that is slow. That
counts only on one machine since its start, because locks do not work across every file system.
"""

import hashlib
import os
import platform
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from reconciler.domain.errors import JournalError, UnusablePlaceError
from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent
from reconciler.foundation.locks import hold_lock, is_lock_free, open_lock_file, try_lock
from reconciler.foundation.private import NO_FOLLOW, check_private, make_private
from reconciler.journal.note import MOST_BYTES, JournalAccount, JournalNote, note_name, note_stem, read_note, write_note

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PART = ".part"
_ADVICE = "check the free space and the permissions, or set RECONCILER_HOME to another directory, and run again"
_NOTE = re.compile(r"(dataset|model)(\.[a-z0-9-]{1,63}){1,2}\.v[0-9]+\.[0-9a-f]{12,64}(\.[0-9a-f]{8})?\.json")
_RUN = re.compile(r"[0-9a-f]{32}")


def this_machine(boot_id: Path = BOOT_ID) -> str:
    """Return a name of this machine since its start; empty when the system has none."""
    try:
        boot = boot_id.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f"{platform.node()} {boot}" if boot else ""


class DirectoryJournal:
    """The journal of one project, in a directory. Safe to use from several threads and processes.

    Notes of accounts that are certainly not ours are passed over, and stay.

    Shape:  `make_home` is called before the directory is made; `machine` names where this process runs, as
            `this_machine` does; empty means that it has no name; `account` is whose jobs are created; `older` are
            directories of versions before, whose notes are taken over
    """

    def __init__(
        self,
        directory: Path,
        make_home: Callable[[], None] = lambda: None,
        machine: str | None = None,
        account: JournalAccount = JournalAccount(),  # noqa: B008 (immutable)
        older: Iterable[Path] = (),
    ) -> None:
        self._make_home = make_home
        self._directory = directory
        self._notes = directory / "notes"
        self._runs = directory / "runs"
        self._machine = this_machine() if machine is None else machine
        self._account = account
        self._older = tuple(older)
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

    def prove(self) -> None:
        """Write a file where notes will be, and remove it again.

        Raises: UnusablePlaceError
        """
        probe = self._notes / f"{secrets.token_hex(8)}.probe"
        try:
            self._make()
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o600)
            try:
                with open(descriptor, "wb") as file:
                    # As much as a note has, so that a full disk shows.
                    file.write(b" " * 4096)
                    file.flush()
                    os.fsync(descriptor)
            finally:
                probe.unlink()
        except JournalError as error:
            raise UnusablePlaceError(f"{error}: {error.hint}") from error
        except OSError as error:
            raise UnusablePlaceError.of_directory(str(self._notes), error, _ADVICE) from error

    def open_intents(self) -> tuple[Intent, ...]:
        return tuple(note.intent for note in self.notes() if not note.account.is_foreign(self._account))

    def notes(self) -> tuple[JournalNote, ...]:
        """Return every note, of any run and any account."""
        if not self._is_there():
            return ()
        with self._alone():
            return tuple(note for path in self._paths() if (note := self._read(path)) is not None)

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        self._make()
        with self._alone():
            counting = self._counting(intent.stamp)
            replaced = [path for path, note in counting if note.intent == instead_of]
            others = [note.intent for _, note in counting if note.intent != instead_of]
            if not others:
                self._hold_run(intent.owner)
                self._write(intent)
            # Several accounts may be ours while the service does not say which: each note is taken over by itself.
            self._remove([path for path in replaced if others or path != self._path(intent.stamp)])
            return others[0] if others else intent

    def clear(self, intent: Intent) -> None:
        if not self._is_there():
            return
        with self._alone():
            self._remove([path for path, note in self._counting(intent.stamp) if note.intent == intent])

    def is_abandoned(self, intent: Intent) -> bool:
        if not self._machine or not self._is_there():
            return False
        with self._alone():
            found = [note for _, note in self._counting(intent.stamp) if note.intent == intent]
            return any(note.machine == self._machine and is_lock_free(self._run(intent.owner)) for note in found)

    def is_active(self, note: JournalNote) -> bool | None:
        """Return whether the run that wrote a note is at work; None when it ran elsewhere, or before a restart."""
        if not self._machine or note.machine != self._machine:
            return None
        try:
            return not is_lock_free(self._run(note.intent.owner))
        except OSError as error:
            raise self._unusable(error) from error

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
            if any(check_private(each / "notes") for each in self._older):
                self._make()
            return check_private(self._directory) and check_private(self._notes)
        except OSError as error:
            raise self._unusable(error) from error

    def _make(self) -> None:
        if self._held:
            return
        try:
            self._make_home()
            for each in (self._directory, self._notes, self._runs):
                make_private(each)
        except OSError as error:
            raise self._unusable(error) from error
        with self._alone():
            self._sweep()
            for each in self._older:
                self._take_over(each)

    def _sweep(self) -> None:
        """Remove the files of dead runs that mean nothing any more."""
        for run in self._runs.iterdir():
            if _RUN.fullmatch(run.name) and run not in self._held and is_lock_free(run):
                run.unlink(missing_ok=True)
        for path in self._notes.iterdir():
            if path.suffix == _PART and _NOTE.fullmatch(f"{path.stem}.json"):
                path.unlink(missing_ok=True)

    def _take_over(self, older: Path) -> None:
        """Move the notes of an earlier version here. Their runs hold no locks here, so only age ends them."""
        notes = older / "notes"
        if not check_private(older) or not check_private(notes):
            return
        with hold_lock(older / "lock"):
            for path in sorted(notes.iterdir()):
                note = self._read(path) if path.suffix == ".json" else None
                if note is not None and not (self._notes / path.name).exists():
                    self._store(path.name, JournalNote(note.intent, "", note.account))
                if note is not None:
                    path.unlink()
        with suppress(OSError):
            notes.rmdir()

    def _path(self, stamp: Stamp) -> Path:
        return self._notes / note_name(stamp, self._account)

    def _paths(self, stem: str = "") -> list[Path]:
        # Not glob: it treats a directory that cannot be read as empty.
        return sorted(path for path in self._notes.iterdir() if path.suffix == ".json" and path.name.startswith(stem))

    def _counting(self, stamp: Stamp) -> list[tuple[Path, JournalNote]]:
        """Return the notes of a stamp that may be about jobs of our account."""
        read = ((path, self._read(path)) for path in self._paths(f"{note_stem(stamp)}."))
        return [(path, note) for path, note in read if note and not note.account.is_foreign(self._account)]

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        if paths:
            _make_lasting(self._notes)

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

    def _read(self, path: Path) -> JournalNote | None:
        try:
            descriptor = os.open(path, os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
            with open(descriptor, "rb") as file:
                note = read_note(file.read(MOST_BYTES), str(path))
        except FileNotFoundError:
            return None
        if note_name(note.intent.stamp, note.account) != path.name:
            raise JournalError(
                f"the note {path} is about {note.intent.stamp}; nothing was sent",
                "when no run is active any more, delete the note and run again",
            )
        return note

    def _write(self, intent: Intent) -> None:
        self._store(self._path(intent.stamp).name, JournalNote(intent, self._machine, self._account))

    def _store(self, name: str, note: JournalNote) -> None:
        path = self._notes / name
        part = path.with_suffix(_PART)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_FOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(write_note(note))
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
