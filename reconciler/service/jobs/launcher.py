"""Starts the worker of a store that has jobs: exactly one, which outlives the process that started it.

A worker holds the store's worker lock while it lives. A process that finds the lock free takes it and starts a
worker that inherits it, so that two never start at once and a dead worker is always noticed.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from reconciler.foundation.locks import try_lock
from reconciler.service.jobs.updates import fail_job, last_line
from reconciler.service.store.database import Store
from reconciler.service.store.jobs import active_jobs

PATIENCE = 5
"""The number of failed starts in a row after which jobs fail instead of waiting for ever."""

_PASSED_ON = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "PYTHONHOME", "PYTHONPATH", "PYTHONWARNINGS", "LD_LIBRARY_PATH")

# The shell ends at once, so that the worker has no parent process that must wait for it.
_AWAY = ["/bin/sh", "-c", '"$@" &', "sh"]


def ensure_worker(store: Store, engines: tuple[str, ...], now: int) -> None:
    """Start a worker unless one runs. Return at once."""
    descriptor = os.open(store.worker_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if try_lock(descriptor):
            os.ftruncate(descriptor, 0)  # the process id of a worker that has ended
            if _count_start(store) < PATIENCE:
                _start(store, engines, descriptor)
            else:
                _give_up(store, now)
    finally:
        os.close(descriptor)


def child_environment() -> dict[str, str]:
    """Return the variables that a worker needs from our environment, without any key."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}
    home = str(Path(__file__).resolve().parents[3])
    if home not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        kept["PYTHONPATH"] = os.pathsep.join([home, *filter(None, [kept.get("PYTHONPATH")])])
    return kept


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules; the current directory is never searched for code."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _start(store: Store, engines: tuple[str, ...], lock: int) -> None:
    command = python_command("reconciler.service.jobs.worker", str(store.root), "--lock", str(lock))
    for engine in engines:
        command += ["--engine", engine]
    descriptor = os.open(store.worker_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as log:
        try:
            subprocess.run(  # noqa: S603 (our own interpreter and module)
                [*_AWAY, *command],
                check=True,
                cwd="/",
                env=child_environment(),
                pass_fds=(lock,),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        except (OSError, subprocess.SubprocessError) as error:
            # The request itself succeeded; the next look at the job tries to start a worker again, a few times.
            log.write(f"{error}\n")


def count_failed_starts(store: Store) -> int:
    """Return how often a worker was started in a row and took up no work."""
    with store.read() as db:
        row = db.execute("SELECT value FROM about WHERE key = 'unanswered_starts'").fetchone()
        return int(row["value"])


def _count_start(store: Store) -> int:
    """Count one more start. Return how many before it failed."""
    with store.write() as db:
        row = db.execute(
            "UPDATE about SET value = value + 1 WHERE key = 'unanswered_starts' RETURNING value"
        ).fetchone()
        return int(row["value"]) - 1


def note_worker_started(store: Store) -> None:
    """Store, as the worker, that it has taken up its work."""
    with store.write() as db:
        db.execute("UPDATE about SET value = '0' WHERE key = 'unanswered_starts'")


def _give_up(store: Store, now: int) -> None:
    message = f"No worker could be started: {last_line(store.worker_log) or 'it ended without a word'}"
    with store.write() as db:
        db.execute("UPDATE about SET value = '0' WHERE key = 'unanswered_starts'")
        for job in active_jobs(db):
            fail_job(db, job.id, now, "server_error", store.without_paths(message))
