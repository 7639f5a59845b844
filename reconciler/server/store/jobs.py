"""Jobs: what was asked, how far it got, how it ended. A finished job never changes again."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.server.errors import no_job
from reconciler.server.store.paging import Cursor, Listing, Page, page

VALIDATING, QUEUED, RUNNING = "validating_files", "queued", "running"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
ACTIVE = (VALIDATING, QUEUED, RUNNING)

_IS_ACTIVE = f"status IN {ACTIVE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One fine-tuning job.

    Shape:  `hyperparameters` hold "auto" until the job was prepared; `error` is the API's object once it failed
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
    fine_tuned_model: str | None = None
    result_file: str | None = None
    trained_tokens: int | None = None
    error: Mapping[str, str | None] | None = None

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


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
        raise no_job(job)
    return _record(row)


def list_jobs(
    db: sqlite3.Connection, cursor: Cursor, metadata: Mapping[str, str], *, bare: bool = False
) -> Page[JobRecord]:
    """Read a page of jobs, newest first: those with all of these metadata, or with none where `bare`."""
    where = ["EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)"] * len(metadata)
    if bare:
        where.append("metadata IS NULL")
    values = tuple(part for pair in metadata.items() for part in pair)
    found = page(db, Listing(table="jobs", where=tuple(where), values=values), cursor)
    return Page(items=tuple(_record(row) for row in found.items), has_more=found.has_more)


def active_jobs(db: sqlite3.Connection) -> tuple[JobRecord, ...]:
    """Give every job that is not finished, oldest first."""
    rows = db.execute(f"SELECT * FROM jobs WHERE {_IS_ACTIVE} ORDER BY seq")  # noqa: S608 (a constant)
    return tuple(_record(row) for row in rows)


def is_in_use(db: sqlite3.Connection, file: str) -> bool:
    """Tell whether a job that is not finished needs a file."""
    query = f"SELECT 1 FROM jobs WHERE {_IS_ACTIVE} AND (training_file = ? OR validation_file = ?)"  # noqa: S608
    return db.execute(query, (file, file)).fetchone() is not None


def change_job(db: sqlite3.Connection, job: str, **fields: object) -> bool:
    """Change fields of a job that is not finished; tells whether it was still unfinished."""
    text = ", ".join(f"{name} = ?" for name in fields)
    query = f"UPDATE jobs SET {text} WHERE id = ? AND {_IS_ACTIVE}"  # noqa: S608 (names of keyword arguments)
    return db.execute(query, (*fields.values(), job)).rowcount == 1


def _record(row: sqlite3.Row) -> JobRecord:
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
        fine_tuned_model=row["fine_tuned_model"],
        result_file=row["result_file"],
        trained_tokens=row["trained_tokens"],
        error=_json(row["error"]),
    )


def _json(text: str | None) -> dict[str, str] | None:
    return None if text is None else json.loads(text)
