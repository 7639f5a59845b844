"""Remembers which saved plans were applied here, so that none is applied twice.

What a plan did to the service makes it stale by itself; this is for plans that only move a pointer, or do nothing.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reconciler.domain.errors import StalePlanError, UsageError

_FOLDER = "applied"


def check_unapplied(home: Path, plan: str) -> None:
    """Make sure that a saved plan was not applied before.

    Raises: StalePlanError
    """
    mark = home / _FOLDER / plan
    if mark.exists():
        at = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
        raise StalePlanError(
            f"this saved plan was applied already, on {at:%Y-%m-%d at %H:%M} UTC, and a plan is applied once."
            " To go on from there, plan again.",
            ("applied",),
        )


def mark_applied(home: Path, plan: str, make_home: Callable[[Path], None]) -> None:
    """Write down that a saved plan is being applied; of two who try at once, one is told that it was.

    Raises: StalePlanError, UsageError when nothing can be written
    """
    make_home(home)
    folder = home / _FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(folder / plan, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        check_unapplied(home, plan)
        raise
    except OSError as error:
        raise UsageError(f"{folder}: it cannot be noted that the plan is applied: {error.strerror}") from error
