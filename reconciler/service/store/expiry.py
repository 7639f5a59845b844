"""Takes away what has lived its time, by the clock of whoever asks: files that were to expire, uploads never completed.

A file that an unfinished job needs is kept until the job is through, as it is when somebody wants it deleted.
"""

import sqlite3

from reconciler.service.store.database import Store
from reconciler.service.store.files import content_of
from reconciler.service.store.jobs import is_in_use
from reconciler.service.store.uploads import EXPIRED, end_upload, part_content, parts_of

_FILES = "SELECT id FROM files WHERE expires_at <= ? AND deleted_at IS NULL"
_UPLOADS = (
    "SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ?"
    " AND id NOT IN (SELECT id FROM seeds WHERE kind = 'upload')"
)


def expire(store: Store, now: int) -> None:
    """Let nobody see what has expired.

    Cost:   two look-ups in an index where nothing has
    """
    with store.read() as db:
        due = _due(db, _FILES, now) or _due(db, _UPLOADS, now)
    if not due:
        return
    with store.write() as db:
        files = [file for file in _due(db, _FILES, now) if not is_in_use(db, file)]
        db.executemany("UPDATE files SET deleted_at = expires_at WHERE id = ?", [(file,) for file in files])
        uploads = _due(db, _UPLOADS, now)
        parts = [part.id for upload in uploads for part in parts_of(db, upload)]
        for upload in uploads:
            end_upload(db, upload, EXPIRED)
    for path in (*(content_of(store, file) for file in files), *(part_content(store, part) for part in parts)):
        path.unlink(missing_ok=True)


def _due(db: sqlite3.Connection, query: str, now: int) -> list[str]:
    return [str(row["id"]) for row in db.execute(query, (now,))]
