"""Remember which saved plans were applied on this machine, so that none is applied twice.

A plan that changed the service is stale by itself. This is for plans that only promote a model, or do nothing.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reconciler.domain.errors import StalePlanError, UsageError

_FOLDER = "applied"


def check_unapplied(home: Path, plan: str) -> None:
    """Check that a saved plan was not applied before.

    Raises: StalePlanError
    """
    mark = home / _FOLDER / plan
    if mark.exists():
        at = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
        raise StalePlanError(
            f"this saved plan was applied already, on {at:%Y-%m-%d at %H:%M} UTC, and a plan is applied once."
            " To continue, plan again.",
            ("applied",),
        )


def mark_applied(home: Path, plan: str, make_home: Callable[[Path], None]) -> None:
    """Record that a saved plan is being applied. Of two runs at once, one gets the error that it was applied.

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
        raise UsageError(f"{folder}: it cannot be recorded that the plan is applied: {error.strerror}") from error
