"""Files: their records, and how bytes arrive. After a crash there is either a whole listed file or nothing."""

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from reconciler.foundation.locks import try_lock
from reconciler.foundation.private import NO_FOLLOW, NotPrivateError, check_regular, child_path
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

_OWN_NAME = re.compile(r"(file[-_]|part_)[A-Za-z0-9_-]{1,64}")

_LISTED_FILES = "SELECT id FROM files WHERE deleted_at IS NULL"


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file that arrived completely."""

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
    """Return a file that must exist."""
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
    """Remove a file from every list. Its bytes are deleted after the transaction."""
    db.execute("UPDATE files SET deleted_at = ? WHERE id = ?", (now, file))


def content_path(store: Store, file: str) -> Path:
    """Return the path of the bytes of a file.

    Raises: NotPrivateError for an id that is none of ours: a store from elsewhere must not name other files
    """
    return child_path(store.files, file)


def remove_unlisted_files(store: Store) -> None:
    """Remove what an interrupted upload or deletion left behind: bytes that are not listed and not being written.

    Shape:  files whose names are no ids of ours are not ours, and stay
    """
    with store.read() as db:
        listed = {row["id"] for row in db.execute(f"{_LISTED_FILES} UNION ALL SELECT id FROM parts")}  # noqa: S608 (constants)
    for path in (*store.incoming.iterdir(), *store.files.iterdir(), *store.parts.iterdir()):
        if path.name not in listed and _OWN_NAME.fullmatch(path.name):
            _remove_unless_held(store, path)


def _remove_unless_held(store: Store, path: Path) -> None:
    # A writer holds the lock of its file until the file is listed, so a free lock means that no process will list it,
    # unless that happened between our query and our taking the lock: hence the second query.
    try:
        if not check_regular(path):
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | NO_FOLLOW)
    except (FileNotFoundError, NotPrivateError):
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
    """A file that is arriving. `write` bytes, `place` them, list the file in a transaction, then leave the block."""

    def __init__(self, store: Store, file: str, handle: BinaryIO, folder: Path) -> None:
        self.id = file
        self.size_bytes = 0
        self.path = child_path(store.incoming, file)
        self._final = child_path(folder, file)
        self._handle = handle

    def write(self, block: bytes) -> None:
        """Add some bytes."""
        self._handle.write(block)
        self.size_bytes += len(block)

    def flush(self) -> None:
        """Make every byte written so far visible to a reader of `path`."""
        self._handle.flush()

    def place(self) -> None:
        """Make the bytes durable and move them to the folder of listed files."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.path.rename(self._final)
        self.path = self._final
        sync_folder(self._final.parent)


@contextmanager
def stage_file(store: Store, file: str, folder: Path | None = None) -> Iterator[StagedFile]:
    """Open a new file for the folder of files or another. A file that was not placed is deleted at the end."""
    with _locked_new(child_path(store.incoming, file)) as handle:
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
        handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | NO_FOLLOW, 0o600), "wb")
        # Between our making the file and our locking it, another process may remove it as abandoned.
        if try_lock(handle.fileno()) and path.exists():
            return handle
        handle.close()
