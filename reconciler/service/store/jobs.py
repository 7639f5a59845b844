"""Jobs: what was asked, how far it got, how it ended. A finished job never changes again."""

import json
import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from reconciler.service.errors import no_job_error
from reconciler.service.store.database import PageCursor, RowPage, TableView, new_id, read_page

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
        """Return whether a worker is to do it."""
        return self.status in ACTIVE

    @property
    def is_alive(self) -> bool:
        """Return whether it can still come to an end: it is to be done, or it is paused."""
        return self.is_active or self.status == PAUSED


def add_job(db: sqlite3.Connection, job: JobRecord) -> None:
    """Write a new job down."""
    db.execute(
        "INSERT INTO jobs (id, base, training_file, validation_file, suffix, seed, metadata, hyperparameters, status,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.base,
            job.training_file,
            job.validation_file,
            job.suffix,
            job.seed,
            None if job.metadata is None else json.dumps(dict(job.metadata)),
            json.dumps(dict(job.hyperparameters)),
            job.status,
            job.created_at,
        ),
    )


def get_job(db: sqlite3.Connection, job: str) -> JobRecord:
    """Look a job up that has to be there."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
    if row is None:
        raise no_job_error(job)
    return _job(row)


def get_jobs(db: sqlite3.Connection, jobs: Iterable[str]) -> dict[str, JobRecord]:
    """Look several jobs up."""
    query = "SELECT * FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
    return {row["id"]: _job(row) for row in db.execute(query, (json.dumps(list(jobs)),))}


def list_jobs(
    db: sqlite3.Connection, cursor: PageCursor, metadata: Mapping[str, str], *, bare: bool = False
) -> RowPage[JobRecord]:
    """Read a page of jobs, newest first: those with all of these metadata, or with none where `bare`."""
    where = ["EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)"] * len(metadata)
    if bare:
        where.append("metadata IS NULL")
    values = tuple(part for pair in metadata.items() for part in pair)
    found = read_page(db, TableView(table="jobs", where=tuple(where), values=values), cursor)
    return RowPage(items=tuple(_job(row) for row in found.items), has_more=found.has_more)


def active_jobs(db: sqlite3.Connection) -> tuple[JobRecord, ...]:
    """Return every job that a worker is to do, oldest first."""
    rows = db.execute(f"SELECT * FROM jobs WHERE {_IS_ACTIVE} ORDER BY seq")  # noqa: S608 (a constant)
    return tuple(_job(row) for row in rows)


def is_in_use(db: sqlite3.Connection, file: str) -> bool:
    """Return whether a job that is not finished needs a file."""
    query = f"SELECT 1 FROM jobs WHERE {_IS_ALIVE} AND (training_file = ? OR validation_file = ?)"  # noqa: S608
    return db.execute(query, (file, file)).fetchone() is not None


def change_job(db: sqlite3.Connection, job: str, **fields: object) -> bool:
    """Change fields of a job that a worker is to do; tells whether it was still to be done."""
    text = ", ".join(f"{name} = ?" for name in fields)
    query = f"UPDATE jobs SET {text} WHERE id = ? AND {_IS_ACTIVE}"  # noqa: S608 (names of keyword arguments)
    return db.execute(query, (*fields.values(), job)).rowcount == 1


def cancel_job(db: sqlite3.Connection, job: str, now: int) -> None:
    """End a job at its owner's wish, unless it has ended already."""
    query = f"UPDATE jobs SET status = ?, finished_at = ?, estimated_finish = NULL WHERE id = ? AND {_IS_ALIVE}"  # noqa: S608
    db.execute(query, (CANCELLED, now, job))


def pause_job(db: sqlite3.Connection, job: str) -> bool:
    """Take a job from the worker; tells whether it was to be done."""
    fields = "pauses = pauses + 1, attempts = 0, started_at = NULL, estimated_finish = NULL"
    query = f"UPDATE jobs SET status = ?, {fields} WHERE id = ? AND {_IS_ACTIVE}"  # noqa: S608 (constants)
    return db.execute(query, (PAUSED, job)).rowcount == 1


def resume_job(db: sqlite3.Connection, job: str) -> bool:
    """Return a paused job to the worker, to be begun again; tells whether it was paused."""
    query = "UPDATE jobs SET status = ? WHERE id = ? AND status = ?"
    return db.execute(query, (QUEUED, job, PAUSED)).rowcount == 1


def _job(row: sqlite3.Row) -> JobRecord:
    return JobRecord(
        id=row["id"],
        base=row["base"],
        training_file=row["training_file"],
        validation_file=row["validation_file"],
        suffix=row["suffix"],
        seed=row["seed"],
        metadata=_json(row["metadata"]),
        hyperparameters=json.loads(row["hyperparameters"]),
        status=row["status"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        estimated_finish=row["estimated_finish"],
        attempts=row["attempts"],
        pauses=row["pauses"],
        fine_tuned_model=row["fine_tuned_model"],
        result_file=row["result_file"],
        trained_tokens=row["trained_tokens"],
        error=_json(row["error"]),
    )


def _json(text: str | None) -> dict[str, str] | None:
    return None if text is None else json.loads(text)


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


def list_events(db: sqlite3.Connection, job: str, cursor: PageCursor) -> RowPage[EventRecord]:
    """Read a page of what a job said, newest first."""
    found = read_page(db, TableView(table="events", scope=(("job", job),)), cursor)
    return RowPage(items=tuple(_event(row) for row in found.items), has_more=found.has_more)


def all_events(db: sqlite3.Connection, job: str) -> tuple[EventRecord, ...]:
    """Read everything that a job said, oldest first."""
    return tuple(_event(row) for row in db.execute("SELECT * FROM events WHERE job = ? ORDER BY seq", (job,)))


def events_after(db: sqlite3.Connection, job: str, last: EventRecord) -> tuple[EventRecord, ...]:
    """Read what a job said after something else that it said, oldest first."""
    query = "SELECT * FROM events WHERE job = ? AND seq > (SELECT seq FROM events WHERE id = ?) ORDER BY seq"
    return tuple(_event(row) for row in db.execute(query, (job, last.id)))


def _event(row: sqlite3.Row) -> EventRecord:
    return EventRecord(
        id=row["id"],
        created_at=row["created_at"],
        level=row["level"],
        message=row["message"],
        data=None if row["data"] is None else json.loads(row["data"]),
    )
