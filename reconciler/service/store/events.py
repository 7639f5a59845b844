"""What jobs said, in the one order in which they said it."""

import json
import sqlite3
from collections.abc import Mapping

import msgspec

from reconciler.service.ids import new_id
from reconciler.service.store.paging import Cursor, Listing, Page, page

INFO, WARN, ERROR = "info", "warn", "error"


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a job said; `data` holds the numbers of a metrics event."""

    id: str
    created_at: int
    level: str
    message: str
    data: Mapping[str, float] | None


def add_event(
    db: sqlite3.Connection,
    job: str,
    now: int,
    message: str,
    *,
    level: str = INFO,
    data: Mapping[str, float] | None = None,
) -> None:
    """Write down what a job said."""
    db.execute(
        "INSERT INTO events (id, job, created_at, level, type, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            new_id("ftevent-"),
            job,
            now,
            level,
            "message" if data is None else "metrics",
            message,
            None if data is None else json.dumps(dict(data)),
        ),
    )


def list_events(db: sqlite3.Connection, job: str, cursor: Cursor) -> Page[EventRecord]:
    """Read a page of what a job said, newest first."""
    found = page(db, Listing(table="events", scope=(("job", job),)), cursor)
    return Page(items=tuple(_record(row) for row in found.items), has_more=found.has_more)


def all_events(db: sqlite3.Connection, job: str) -> tuple[EventRecord, ...]:
    """Read everything that a job said, oldest first."""
    return tuple(_record(row) for row in db.execute("SELECT * FROM events WHERE job = ? ORDER BY seq", (job,)))


def events_after(db: sqlite3.Connection, job: str, last: EventRecord) -> tuple[EventRecord, ...]:
    """Read what a job said after something else that it said, oldest first."""
    query = "SELECT * FROM events WHERE job = ? AND seq > (SELECT seq FROM events WHERE id = ?) ORDER BY seq"
    return tuple(_record(row) for row in db.execute(query, (job, last.id)))


def _record(row: sqlite3.Row) -> EventRecord:
    return EventRecord(
        id=row["id"],
        created_at=row["created_at"],
        level=row["level"],
        message=row["message"],
        data=None if row["data"] is None else json.loads(row["data"]),
    )
