"""Fine-tunes: what the API of 2021 shows of a job beyond the job itself. Other jobs were created by the current API."""

import sqlite3
from datetime import UTC, datetime

import msgspec

from reconciler.service.engines.port import Classes
from reconciler.service.store.jobs import active_jobs, add_event
from reconciler.service.store.models import find_model
from reconciler.service.store.rows import insert, select


class FineTuneRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The fine-tune of one job.

    Shape:  `model` is the name in the request, which may be an alias of a base
    """

    job: str
    model: str
    prompt_loss_weight: float
    classes: Classes | None


def add_fine_tune(db: sqlite3.Connection, record: FineTuneRecord) -> None:
    """Store that the API of 2021 created a job."""
    insert(db, "fine_tunes", record)


def find_fine_tune(db: sqlite3.Connection, job: str) -> FineTuneRecord | None:
    """Return the fine-tune of a job, hidden or not; None when the current API created the job."""
    return next(select(db, FineTuneRecord, "fine_tunes", "WHERE job = ?", (job,)), None)


def list_fine_tunes(db: sqlite3.Connection) -> tuple[FineTuneRecord, ...]:
    """Return every fine-tune that the API of 2021 lists, oldest first."""
    tables = "fine_tunes JOIN jobs ON jobs.id = fine_tunes.job"
    return tuple(select(db, FineTuneRecord, tables, "WHERE NOT hidden ORDER BY seq"))


def is_listed(db: sqlite3.Connection, job: str) -> bool:
    """Return whether the API of 2021 shows a job: it created the job, and the fine-tune is not deleted."""
    return db.execute("SELECT 1 FROM fine_tunes WHERE job = ? AND NOT hidden", (job,)).fetchone() is not None


def hide_fine_tune(db: sqlite3.Connection, job: str) -> None:
    """Hide a job from the API of 2021, for good. The current API still shows it."""
    db.execute("UPDATE fine_tunes SET hidden = 1 WHERE job = ?", (job,))


def requested_bases(db: sqlite3.Connection) -> dict[str, str]:
    """Return, for each model of a fine-tune, the name of the base in its request."""
    query = "SELECT models.id, fine_tunes.model FROM models JOIN fine_tunes USING (job)"
    return {row["id"]: row["model"] for row in db.execute(query)}


def free_model_name(db: sqlite3.Connection, stem: str, now: int) -> str:
    """Return a name for a new model: base, suffix and time, to the second.

    Two models of one stem within one second would have the same name: the later one takes the next free second.
    """
    while find_model(db, name := f"{stem}-{_timestamp(now)}"):
        now += 1
    return name


def _timestamp(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d-%H-%M-%S")


ENQUEUED_PREFIX = "Fine-tune enqueued. Queue number: "
WAITING_PREFIX = "Fine-tune is in the queue. Queue number: "


def add_queue_event(db: sqlite3.Connection, job: str, now: int) -> None:
    """Add an event with the queue number of a job that was just created."""
    add_event(db, job, now, f"{ENQUEUED_PREFIX}{_queue_numbers(db)[job]}")


def update_queue_events(db: sqlite3.Connection, now: int) -> None:
    """Add an event to every waiting fine-tune whose queue number has fallen. It counts the jobs before it."""
    last = _last_queue_numbers(db)
    for job, place in _queue_numbers(db).items():
        if job in last and place < last[job]:
            add_event(db, job, now, f"{WAITING_PREFIX}{place}")


def _queue_numbers(db: sqlite3.Connection) -> dict[str, int]:
    return {job.id: place for place, job in enumerate(active_jobs(db))}


def _last_queue_numbers(db: sqlite3.Connection) -> dict[str, int]:
    rows = db.execute(
        "SELECT jobs.id, events.message FROM fine_tunes JOIN jobs ON jobs.id = fine_tunes.job"
        " JOIN events ON events.job = jobs.id WHERE jobs.status IN ('validating_files', 'queued')"
        " AND (events.message LIKE ? OR events.message LIKE ?) ORDER BY events.seq",
        (f"{ENQUEUED_PREFIX}%", f"{WAITING_PREFIX}%"),
    )
    return {row["id"]: int(row["message"].rpartition(" ")[2]) for row in rows}
