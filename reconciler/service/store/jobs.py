"""Jobs and their events. A finished job never changes again."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping

import msgspec

from reconciler.service.errors import no_job_error
from reconciler.service.store.database import new_id
from reconciler.service.store.rows import PageCursor, RowPage, TableView, insert, read_page, select

VALIDATING, QUEUED, RUNNING = "validating_files", "queued", "running"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
PAUSED = "paused"
ACTIVE = (VALIDATING, QUEUED, RUNNING)

_IS_ACTIVE = f"status IN {ACTIVE}"
_IS_ALIVE = f"status IN {(*ACTIVE, PAUSED)}"


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One fine-tuning job.

    Shape:  `pauses` counts how often it was paused; `hyperparameters` hold "auto" until the
            job was prepared; `error` is the API's object once it failed
    """

    id: str
    base: str
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    metadata: Mapping[str, str] | None
    hyperparameters: Mapping[str, float | str]
    status: str
    created_at: int
    started_at: float | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    attempts: int = 0
    pauses: int = 0
    fine_tuned_model: str | None = None
    result_file: str | None = None
    trained_tokens: int | None = None
    error: Mapping[str, str | None] | None = None

    @property
    def is_active(self) -> bool:
        """Return whether a worker is to run it."""
        return self.status in ACTIVE

    @property
    def is_alive(self) -> bool:
        """Return whether it can still end: it is active or paused."""
        return self.is_active or self.status == PAUSED


def add_job(db: sqlite3.Connection, job: JobRecord) -> None:
    """Store a new job."""
    insert(db, "jobs", job)


def get_job(db: sqlite3.Connection, job: str) -> JobRecord:
    """Return a job that must exist."""
    for record in select(db, JobRecord, "jobs", "WHERE id = ?", (job,)):
        return record
    raise no_job_error(job)


def get_jobs(db: sqlite3.Connection, jobs: Iterable[str]) -> dict[str, JobRecord]:
    """Return several jobs by id."""
    rest = "WHERE id IN (SELECT value FROM json_each(?))"
    return {job.id: job for job in select(db, JobRecord, "jobs", rest, (json.dumps(list(jobs)),))}


def list_jobs(
    db: sqlite3.Connection, cursor: PageCursor, metadata: Mapping[str, str], *, bare: bool = False
) -> RowPage[JobRecord]:
    """Read a page of jobs, newest first: those with all of these metadata, or with none where `bare`."""
    where = ["EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)"] * len(metadata)
    if bare:
        where.append("metadata IS NULL")
    values = tuple(part for pair in metadata.items() for part in pair)
    return read_page(db, TableView(record=JobRecord, table="jobs", where=tuple(where), values=values), cursor)


def active_jobs(db: sqlite3.Connection) -> tuple[JobRecord, ...]:
    """Return every job that a worker is to run, oldest first."""
    return tuple(select(db, JobRecord, "jobs", f"WHERE {_IS_ACTIVE} ORDER BY seq"))


def count_unfinished_jobs(db: sqlite3.Connection) -> int:
    """Return the number of jobs that can still end."""
    return int(db.execute(f"SELECT count(*) FROM jobs WHERE {_IS_ALIVE}").fetchone()[0])  # noqa: S608 (constants)


def find_unchecked_job(db: sqlite3.Connection, leave_out: Collection[str]) -> JobRecord | None:
    """Return the oldest job whose files were not checked yet, and that no worker has begun."""
    rest = "WHERE status = ? AND attempts = 0 AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 1"
    return next(select(db, JobRecord, "jobs", rest, (VALIDATING, json.dumps(list(leave_out)))), None)


def is_in_use(db: sqlite3.Connection, file: str) -> bool:
    """Return whether an unfinished job needs a file."""
    query = f"SELECT 1 FROM jobs WHERE {_IS_ALIVE} AND (training_file = ? OR validation_file = ?)"  # noqa: S608
    return db.execute(query, (file, file)).fetchone() is not None


def change_job(db: sqlite3.Connection, job: str, **fields: object) -> bool:
    """Change fields of an active job. Return whether it was still active."""
    text = ", ".join(f"{name} = ?" for name in fields)
    query = f"UPDATE jobs SET {text} WHERE id = ? AND {_IS_ACTIVE}"  # noqa: S608 (names of keyword arguments)
    return db.execute(query, (*fields.values(), job)).rowcount == 1


def cancel_job(db: sqlite3.Connection, job: str, now: int) -> None:
    """Cancel a job, unless it has ended."""
    query = f"UPDATE jobs SET status = ?, finished_at = ?, estimated_finish = NULL WHERE id = ? AND {_IS_ALIVE}"  # noqa: S608
    db.execute(query, (CANCELLED, now, job))


def pause_job(db: sqlite3.Connection, job: str) -> bool:
    """Pause an active job. Return whether it was active."""
    fields = "pauses = pauses + 1, attempts = 0, started_at = NULL, estimated_finish = NULL"
    query = f"UPDATE jobs SET status = ?, {fields} WHERE id = ? AND {_IS_ACTIVE}"  # noqa: S608 (constants)
    return db.execute(query, (PAUSED, job)).rowcount == 1


def resume_job(db: sqlite3.Connection, job: str) -> bool:
    """Put a paused job back into the queue, to start again. Return whether it was paused."""
    query = "UPDATE jobs SET status = ? WHERE id = ? AND status = ?"
    return db.execute(query, (QUEUED, job, PAUSED)).rowcount == 1


INFO, WARN, ERROR = "info", "warn", "error"


class EventRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a job; `data` holds the numbers of a metrics event."""

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
    """Store an event of a job."""
    event = EventRecord(id=new_id("ftevent-"), created_at=now, level=level, message=message, data=data)
    insert(db, "events", event, job=job, type="message" if data is None else "metrics")


def list_events(db: sqlite3.Connection, job: str, cursor: PageCursor) -> RowPage[EventRecord]:
    """Read a page of a job's events, newest first."""
    return read_page(db, TableView(record=EventRecord, table="events", scope=(("job", job),)), cursor)


def all_events(db: sqlite3.Connection, job: str) -> tuple[EventRecord, ...]:
    """Return every event of a job, oldest first."""
    return tuple(select(db, EventRecord, "events", "WHERE job = ? ORDER BY seq", (job,)))


def events_after(db: sqlite3.Connection, job: str, last: EventRecord) -> tuple[EventRecord, ...]:
    """Return the events of a job after another one, oldest first."""
    rest = "WHERE job = ? AND seq > (SELECT seq FROM events WHERE id = ?) ORDER BY seq"
    return tuple(select(db, EventRecord, "events", rest, (job, last.id)))
