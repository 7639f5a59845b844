"""Files: what was sent, byte for byte, under a name that never becomes a path."""

import json
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler.foundation.locks import try_lock
from reconciler.service.errors import no_file
from reconciler.service.store.database import Store
from reconciler.service.store.paging import Cursor, Listing, Page, page

FINE_TUNE = "fine-tune"
RESULTS = "fine-tune-results"

_COLUMNS = "id, filename, purpose, size_bytes, created_at, expires_at"
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
    """List a file whose bytes lie in place already."""
    db.execute(
        "INSERT INTO files (id, filename, purpose, size_bytes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (record.id, record.filename, record.purpose, record.size_bytes, record.created_at, record.expires_at),
    )


def find_file(db: sqlite3.Connection, file: str) -> FileRecord | None:
    """Look a file up; None when it is not there, or not any more."""
    query = f"SELECT {_COLUMNS} FROM files WHERE id = ? AND deleted_at IS NULL"  # noqa: S608 (constants)
    row = db.execute(query, (file,)).fetchone()
    return _record(row) if row else None


def past_files(db: sqlite3.Connection, files: Iterable[str]) -> dict[str, tuple[FileRecord, bool]]:
    """Look up files that may be gone by now, each with whether it is; one that never was is left out."""
    query = f"SELECT {_COLUMNS}, deleted_at FROM files WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 (constants)
    rows = db.execute(query, (json.dumps(list(files)),))
    return {row["id"]: (_record(row), row["deleted_at"] is not None) for row in rows}


def get_file(db: sqlite3.Connection, file: str) -> FileRecord:
    """Look a file up that has to be there."""
    found = find_file(db, file)
    if found is None:
        raise no_file(file)
    return found


def list_files(db: sqlite3.Connection, cursor: Cursor, purpose: str | None) -> Page[FileRecord]:
    """Read a page of files."""
    listing = Listing(table="files", columns=_COLUMNS, where=("deleted_at IS NULL",))
    if purpose is not None:
        listing = replace(listing, where=(*listing.where, "purpose = ?"), values=(purpose,))
    found = page(db, listing, cursor)
    return Page(items=tuple(_record(row) for row in found.items), has_more=found.has_more)


def delete_file(db: sqlite3.Connection, file: str, now: int) -> None:
    """Take a file out of every list; its bytes go when the transaction is through."""
    db.execute("UPDATE files SET deleted_at = ? WHERE id = ?", (now, file))


def content_of(store: Store, file: str) -> Path:
    """Tell where the bytes of a file lie."""
    return store.files / file


def sweep(store: Store) -> None:
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


def _record(row: sqlite3.Row) -> FileRecord:
    # By place and not by name: a list may have ten thousand rows, and names cost more than all the rest.
    name, filename, purpose, size_bytes, created_at, expires_at, *_ = row
    return FileRecord(
        id=name,
        filename=filename,
        purpose=purpose,
        size_bytes=size_bytes,
        created_at=created_at,
        expires_at=expires_at,
    )
