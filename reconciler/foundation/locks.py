"""Locks between processes: held by an open file, freed by the system when its holder dies, however it dies."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.01

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file if nobody has it; tells whether it was taken. Never waits."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file if nobody has it; tells whether it was taken. Never waits."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def open_lockable(path: Path) -> int:
    """Open a file that is there to be locked, making it if need be; no child process inherits it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)


def is_free(path: Path) -> bool:
    """Return whether nobody holds the lock of a file, in any process or thread; a file that is gone is free."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return True
    try:
        return try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(
    path: Path,
    wait_seconds: float = WAIT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold a lock file, waiting a while for whoever has it. Only for moments: nobody else gets in meanwhile.

    Raises: TimeoutError when it was held by others all the time
    """
    descriptor = open_lockable(path)
    try:
        deadline = clock() + wait_seconds
        while not try_lock(descriptor):
            if clock() >= deadline:
                raise TimeoutError(f"another process has held it for {wait_seconds:g} seconds")
            sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
