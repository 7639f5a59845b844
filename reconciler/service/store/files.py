"""Files: what was sent, byte for byte, under a name that never becomes a path."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from reconciler.foundation.locks import try_lock
from reconciler.service.errors import no_file_error
from reconciler.service.store.database import Store
from reconciler.service.store.rows import (
    PageCursor,
    RowPage,
    TableView,
    columns,
    insert,
    read_page,
    read_record,
    select,
)

FINE_TUNE = "fine-tune"
RESULTS = "fine-tune-results"

_LISTED_FILES = "SELECT id FROM files WHERE deleted_at IS NULL"


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file that the service holds whole."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: int
    expires_at: int | None = None


def add_file(db: sqlite3.Connection, record: FileRecord) -> None:
    """List a file whose bytes are in place already."""
    insert(db, "files", record)


def find_file(db: sqlite3.Connection, file: str) -> FileRecord | None:
    """Return a file, or None when it does not exist or was deleted."""
    return next(select(db, FileRecord, "files", "WHERE id = ? AND deleted_at IS NULL", (file,)), None)


def find_past_files(db: sqlite3.Connection, files: Iterable[str]) -> dict[str, tuple[FileRecord, bool]]:
    """Return files that may be deleted by now, each with whether it is. An id that never existed is left out."""
    query = f"SELECT {columns(FileRecord)}, deleted_at FROM files WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants)
    rows = db.execute(query, (json.dumps(list(files)),))
    return {row["id"]: (read_record(FileRecord, row[:-1]), row["deleted_at"] is not None) for row in rows}


def get_file(db: sqlite3.Connection, file: str) -> FileRecord:
    """Look a file up that has to be there."""
    found = find_file(db, file)
    if found is None:
        raise no_file_error(file)
    return found


def list_files(db: sqlite3.Connection, cursor: PageCursor, purpose: str | None) -> RowPage[FileRecord]:
    """Read a page of files."""
    view = TableView(record=FileRecord, table="files", where=("deleted_at IS NULL",))
    if purpose is not None:
        view = replace(view, where=(*view.where, "purpose = ?"), values=(purpose,))
    return read_page(db, view, cursor)


def delete_file(db: sqlite3.Connection, file: str, now: int) -> None:
    """Take a file out of every list; its bytes go when the transaction is through."""
    db.execute("UPDATE files SET deleted_at = ? WHERE id = ?", (now, file))


def content_path(store: Store, file: str) -> Path:
    """Tell where the bytes of a file lie."""
    return store.files / file


def remove_unlisted_files(store: Store) -> None:
    """Remove what an interrupted upload or deletion left behind: bytes that nothing lists and nobody writes."""
    with store.read() as db:
        listed = {row["id"] for row in db.execute(f"{_LISTED_FILES} UNION ALL SELECT id FROM parts")}  # noqa: S608 (constants)
    for path in (*store.incoming.iterdir(), *store.files.iterdir(), *store.parts.iterdir()):
        if path.name not in listed:
            _remove_unless_held(store, path)


def _remove_unless_held(store: Store, path: Path) -> None:
    # Who writes a file holds its lock until the file is listed, so a free lock means that nobody will list it now,
    # unless that happened between our look at the list and our taking the lock: hence the second look.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if try_lock(descriptor):
            with store.read() as db:
                listed = f"SELECT 1 FROM ({_LISTED_FILES} UNION ALL SELECT id FROM parts) WHERE id = ?"  # noqa: S608
                if db.execute(listed, (path.name,)).fetchone() is None:
                    path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


class StagedFile:
    """Bytes on their way in. `write` them, `place` them, list them in a transaction, and only then let go."""

    def __init__(self, store: Store, file: str, handle: BinaryIO, folder: Path) -> None:
        self.id = file
        self.size_bytes = 0
        self.path = store.incoming / file
        self._final = folder / file
        self._handle = handle

    def write(self, block: bytes) -> None:
        """Add some bytes."""
        self._handle.write(block)
        self.size_bytes += len(block)

    def flush(self) -> None:
        """Let a reader of `path` see every byte written so far."""
        self._handle.flush()

    def place(self) -> None:
        """Make the bytes durable and move them to where listed files lie."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.path.rename(self._final)
        self.path = self._final
        sync_folder(self._final.parent)


@contextmanager
def stage_file(store: Store, file: str, folder: Path | None = None) -> Iterator[StagedFile]:
    """Open a way in for the bytes of one new file, to the folder of files or another; what was not placed is gone."""
    with _locked_new(store.incoming / file) as handle:
        arriving = StagedFile(store, file, handle, folder or store.files)
        try:
            yield arriving
        finally:
            (store.incoming / file).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_new(path: Path) -> BinaryIO:
    while True:
        handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb")
        # Between our making the file and our locking it, a sweep may take it for an abandoned one.
        if try_lock(handle.fileno()) and path.exists():
            return handle
        handle.close()
