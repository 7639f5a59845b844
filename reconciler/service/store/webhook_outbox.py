"""What is still to be told to a webhook: one notice for each job that ended while somebody listened."""

import sqlite3

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """That a job has ended. `tries` counts the deliveries that failed."""

    id: str
    job: str
    status: str
    created_at: int
    tries: int


def listen(db: sqlite3.Connection) -> None:
    """Have a notice written for every job that ends from now on."""
    db.execute("INSERT OR IGNORE INTO about VALUES ('webhook', 'on')")


def stop_listening(db: sqlite3.Connection) -> None:
    """Have no more notices written, and forget those that nobody waits for."""
    db.execute("DELETE FROM about WHERE key = 'webhook'")
    db.execute("DELETE FROM notices")


def due_notices(db: sqlite3.Connection, now: int, most: int) -> tuple[Notice, ...]:
    """Return the notices whose time has come, oldest first."""
    rows = db.execute("SELECT * FROM notices WHERE due_at <= ? ORDER BY seq LIMIT ?", (now, most))
    return tuple(Notice(**{name: row[name] for name in Notice.__struct_fields__}) for row in rows)


def settle_notice(db: sqlite3.Connection, notice: str) -> None:
    """Forget a notice: it was told, or given up."""
    db.execute("DELETE FROM notices WHERE id = ?", (notice,))


def postpone_notice(db: sqlite3.Connection, notice: str, due_at: int) -> None:
    """Note that a delivery failed, and when the next one is due."""
    db.execute("UPDATE notices SET tries = tries + 1, due_at = ? WHERE id = ?", (due_at, notice))
