"""Objects that are always there, whatever is done to them: for test suites made by others, which count on fixed ids.

A seed is a plain row of its table with a mark beside it. A change to it is answered as if it had been made.
"""

import sqlite3
from enum import StrEnum


class Seeded(StrEnum):
    """What can be a seed."""

    FILE = "file"
    JOB = "job"
    MODEL = "model"
    UPLOAD = "upload"
    PERMISSION = "permission"


def add_seed(db: sqlite3.Connection, kind: Seeded, id: str) -> bool:  # noqa: A002 (the word of the column)
    """Mark an object as a seed; tells whether it was not one before."""
    return db.execute("INSERT OR IGNORE INTO seeds (kind, id) VALUES (?, ?)", (kind, id)).rowcount == 1


def is_seed(db: sqlite3.Connection, kind: Seeded, id: str) -> bool:  # noqa: A002
    """Return whether an object is a seed."""
    return db.execute("SELECT 1 FROM seeds WHERE kind = ? AND id = ?", (kind, id)).fetchone() is not None


def seeded_models(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the names of the seeded models, which have no weights, in order."""
    rows = db.execute("SELECT id FROM seeds WHERE kind = ? ORDER BY id", (Seeded.MODEL,))
    return tuple(str(row["id"]) for row in rows)


def has_seeds(db: sqlite3.Connection) -> bool:
    """Return whether a store was made for other people's test suites."""
    return db.execute("SELECT 1 FROM seeds LIMIT 1").fetchone() is not None
