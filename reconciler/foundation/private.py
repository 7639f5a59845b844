"""Directories that only their owner writes, and names that become paths. No link is followed in them.

What lies in such a directory is believed and removed by programs. So it must not come from a commit, another user or a
link, and no name that was read from a file may lead out of it.
"""

import os
import re
import stat
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\.[0-9]{1,9})?")
"""What our ids look like. Without dots and slashes, no name leads out of its directory."""

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""The flag with which the system refuses to open a link. Windows has none; there the check before it counts."""


class NotPrivateError(OSError):
    """A directory is a link, belongs to another user, or is no directory. `strerror` says which."""

    def __init__(self, why: str, path: Path) -> None:
        super().__init__(None, why, str(path))
        self.strerror = why

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def make_private(path: Path) -> None:
    """Make a directory for its owner only, if it is missing, and check it.

    Raises: NotPrivateError when it is a link, belongs to another user, or is no directory; OSError
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        check_private(path)


def check_private(path: Path) -> bool:
    """Check that a directory is one, and is ours. Return whether it is there at all.

    Raises: NotPrivateError, OSError
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(found.st_mode) or _is_junction(path):
        raise NotPrivateError("it is a link, and links are not followed here", path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotPrivateError("it is not a directory", path)
    _check_owner(found, path)
    return True


def check_regular(path: Path) -> bool:
    """Check that a file is a regular file, and is ours. Return whether it is there at all.

    Raises: NotPrivateError, OSError
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        what = "a link, and links are not followed here" if stat.S_ISLNK(found.st_mode) else "not a regular file"
        raise NotPrivateError(f"it is {what}", path)
    _check_owner(found, path)
    return True


def is_plain_name(name: str) -> bool:
    """Return whether a name has the form of our ids, so that it can name a file and nothing else."""
    return _NAME.fullmatch(name) is not None


def child_path(directory: Path, name: str) -> Path:
    """Return the path of a name in a directory.

    Raises: NotPrivateError for a name that does not have the form of our ids
    """
    if not is_plain_name(name):
        raise NotPrivateError(
            f"{name[:100]!r} is not a name of ours, and nothing is opened or removed by it", directory
        )
    return directory / name


def _check_owner(found: os.stat_result, path: Path) -> None:
    # The administrator works in containers on directories that are mounted from outside, and may read everything.
    if os.name != "nt" and found.st_uid != os.geteuid() and os.geteuid() != 0:
        raise NotPrivateError("it belongs to another user, and is not believed", path)


def _is_junction(path: Path) -> bool:
    is_junction = getattr(os.path, "isjunction", None)
    return bool(is_junction and is_junction(path))
