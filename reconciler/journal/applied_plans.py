"""Remember which saved plans were applied on this machine, so that none is applied twice.

A plan that changed the service is stale by itself. This is for plans that only promote a model, or do nothing.
"""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from reconciler.domain.errors import StalePlanError, UnusablePlaceError
from reconciler.foundation.private import NO_FOLLOW, check_private, check_regular, child_path, make_private

_FOLDER = "applied"


def check_unapplied(homes: Iterable[Path], plan: str) -> None:
    """Check that a saved plan was not applied before, in any of the directories that may know.

    Raises: StalePlanError, UnusablePlaceError when that cannot be known
    """
    for home in homes:
        try:
            check_private(home / _FOLDER)
            mark = child_path(home / _FOLDER, plan)
            if check_regular(mark):
                raise _applied_already(mark)
        except OSError as error:
            raise _unusable(home / _FOLDER, error) from error


def mark_applied(home: Path, plan: str, make_home: Callable[[Path], None]) -> None:
    """Record that a saved plan is being applied. Of two runs at once, one gets the error that it was applied.

    Raises: StalePlanError, UnusablePlaceError when nothing can be written
    """
    make_home(home)
    folder = home / _FOLDER
    try:
        make_private(folder)
        mark = child_path(folder, plan)
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_FOLLOW, 0o600))
    except FileExistsError as error:
        raise _applied_already(mark) from error
    except OSError as error:
        raise _unusable(folder, error) from error


def _applied_already(mark: Path) -> StalePlanError:
    at = datetime.fromtimestamp(mark.lstat().st_mtime, UTC)
    return StalePlanError(
        f"this saved plan was applied already, on {at:%Y-%m-%d at %H:%M} UTC, and a plan is applied once."
        " To continue, plan again.",
        ("applied",),
    )


def _unusable(folder: Path, error: OSError) -> UnusablePlaceError:
    advice = "set RECONCILER_HOME to a directory of your own that can be written, and plan again"
    return UnusablePlaceError.of_directory(str(folder), error, advice)
