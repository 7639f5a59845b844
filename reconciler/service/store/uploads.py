"""Uploads in parts, and the expiry of files and uploads. A file of an unfinished job is kept until the job ends."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reconciler.foundation.private import child_path
from reconciler.service.errors import no_upload_error, value_error
from reconciler.service.store.database import Store
from reconciler.service.store.files import content_path
from reconciler.service.store.jobs import is_in_use
from reconciler.service.store.rows import insert, select

PENDING, COMPLETED, UPLOAD_CANCELLED, EXPIRED = "pending", "completed", "cancelled", "expired"


class UploadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file that arrives in parts.

    Shape:  `lives_seconds` is how long the complete file is kept, None for ever
    """

    id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: int
    expires_at: int
    lives_seconds: int | None = None
    status: str = PENDING
    file: str | None = None


class PartRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an upload."""

    id: str
    upload: str
    size_bytes: int
    created_at: int


def add_upload(db: sqlite3.Connection, upload: UploadRecord) -> None:
    """Store that a file will arrive in parts."""
    insert(db, "uploads", upload)


def get_upload(db: sqlite3.Connection, upload: str) -> UploadRecord:
    """Return an upload that must exist."""
    for record in select(db, UploadRecord, "uploads", "WHERE id = ?", (upload,)):
        return record
    raise no_upload_error(upload)


def end_upload(db: sqlite3.Connection, upload: str, status: str, file: str | None = None) -> None:
    """Store how an upload ended. Its parts are no longer listed."""
    db.execute("UPDATE uploads SET status = ?, file = ? WHERE id = ?", (status, file, upload))
    db.execute("DELETE FROM parts WHERE upload = ?", (upload,))


def add_part(db: sqlite3.Connection, part: PartRecord) -> None:
    """List a part whose bytes are in place already."""
    insert(db, "parts", part)


def list_parts(db: sqlite3.Connection, upload: str) -> tuple[PartRecord, ...]:
    """Return every part of an upload in the order in which they arrived."""
    return tuple(select(db, PartRecord, "parts", "WHERE upload = ? ORDER BY seq", (upload,)))


def count_parts(db: sqlite3.Connection, upload: str) -> tuple[int, int]:
    """Return the number of parts of an upload, and their bytes together."""
    row = db.execute("SELECT count(*), coalesce(sum(size_bytes), 0) FROM parts WHERE upload = ?", (upload,)).fetchone()
    return int(row[0]), int(row[1])


def order_parts(parts: Sequence[PartRecord], ids: Sequence[str]) -> tuple[PartRecord, ...]:
    """Return the parts that a list of ids names, in its order.

    Raises: ApiError for an id that names no part, or that is named twice
    """
    known = {part.id: part for part in parts}
    for place, id_ in enumerate(ids):
        if id_ not in known:
            raise value_error(f"part_ids[{place}]", f"this upload has no part '{id_}'.")
    if len(set(ids)) < len(ids):
        raise value_error("part_ids", "every part may be named once.")
    return tuple(known[id_] for id_ in ids)


def part_path(store: Store, part: str) -> Path:
    """Return the path of the bytes of a part."""
    return child_path(store.parts, part)


_EXPIRED_FILES = "SELECT id FROM files WHERE expires_at <= ? AND deleted_at IS NULL"
_EXPIRED_UPLOADS = (
    "SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ?"
    " AND id NOT IN (SELECT id FROM seeds WHERE kind = 'upload')"
)


def remove_expired(store: Store, now: int) -> None:
    """Delete what has expired.

    Cost:   two look-ups in an index when nothing has expired
    """
    with store.read() as db:
        due = _find_expired(db, _EXPIRED_FILES, now) or _find_expired(db, _EXPIRED_UPLOADS, now)
    if not due:
        return
    with store.write() as db:
        files = [file for file in _find_expired(db, _EXPIRED_FILES, now) if not is_in_use(db, file)]
        db.executemany("UPDATE files SET deleted_at = expires_at WHERE id = ?", [(file,) for file in files])
        uploads = _find_expired(db, _EXPIRED_UPLOADS, now)
        parts = [part.id for upload in uploads for part in list_parts(db, upload)]
        for upload in uploads:
            end_upload(db, upload, EXPIRED)
    for path in (*(content_path(store, file) for file in files), *(part_path(store, part) for part in parts)):
        path.unlink(missing_ok=True)


def _find_expired(db: sqlite3.Connection, query: str, now: int) -> list[str]:
    return [str(row["id"]) for row in db.execute(query, (now,))]
