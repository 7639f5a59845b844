"""The queue, as the old API tells of it: a queue number is how many jobs are before this one, the running one included.

Jobs are done in the order in which they were created, whichever API created them. A number is said when a job enters
the queue, and again whenever it has become smaller.
"""

import sqlite3

from reconciler.service.store.events import add_event
from reconciler.service.store.jobs import active_jobs

ENQUEUED = "Fine-tune enqueued. Queue number: "
WAITING = "Fine-tune is in the queue. Queue number: "


def say_enqueued(db: sqlite3.Connection, job: str, now: int) -> None:
    """Tell a job that has just been created where it stands."""
    add_event(db, job, now, f"{ENQUEUED}{_places(db)[job]}")


def say_places(db: sqlite3.Connection, now: int) -> None:
    """Tell every job of the old API that waits where it stands, if it has moved up."""
    last = _said(db)
    for job, place in _places(db).items():
        if job in last and place < last[job]:
            add_event(db, job, now, f"{WAITING}{place}")


def _places(db: sqlite3.Connection) -> dict[str, int]:
    return {job.id: place for place, job in enumerate(active_jobs(db))}


def _said(db: sqlite3.Connection) -> dict[str, int]:
    rows = db.execute(
        "SELECT jobs.id, events.message FROM fine_tunes JOIN jobs ON jobs.id = fine_tunes.job"
        " JOIN events ON events.job = jobs.id WHERE jobs.status IN ('validating_files', 'queued')"
        " AND (events.message LIKE ? OR events.message LIKE ?) ORDER BY events.seq",
        (f"{ENQUEUED}%", f"{WAITING}%"),
    )
    return {row["id"]: int(row["message"].rpartition(" ")[2]) for row in rows}
