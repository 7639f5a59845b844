"""Locks between processes. An open file holds its lock, and the system frees it when the last holder ends or is killed.

They are taken on descriptors, because a lock is passed to a started process, and because a file that is being written
is locked itself. The library filelock was tried: it opens its files itself (some versions empty them), cannot take
over a descriptor, costs 40 ms of import, and 390 µs a lock where this costs 26.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.foundation.private import NO_FOLLOW

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.01

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file if it is free. Return whether it was taken. Never waits."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Free the lock of an open file."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file if it is free. Return whether it was taken. Never waits."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(descriptor: int) -> None:
        """Free the lock of an open file, for every process that inherited it."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def open_lock_file(path: Path) -> int:
    """Open a file to lock it, and make it if it is missing. No child process inherits it, and no link is followed."""
    return os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0), 0o600)


def is_lock_free(path: Path) -> bool:
    """Return whether no process and no thread holds the lock of a file. A missing file is free."""
    try:
        descriptor = os.open(path, os.O_RDWR | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return True
    try:
        return try_lock(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def hold_lock(
    path: Path,
    wait_seconds: float = WAIT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock of a file. Wait for it while another process has it. For short sections only.

    Raises: TimeoutError when the lock was not free within the time
    """
    descriptor = open_lock_file(path)
    try:
        _wait_for_lock(descriptor, wait_seconds, clock, sleep)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(
    descriptor: int, wait_seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    deadline = clock() + wait_seconds
    while not try_lock(descriptor):
        if clock() >= deadline:
            raise TimeoutError(f"another process has held it for {wait_seconds:g} seconds")
        sleep(POLL_SECONDS)


def open_lockable_directory(directory: Path) -> int | None:
    """Return a descriptor of a directory that can be locked, or None where the system locks no directories."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if try_lock(descriptor):
            unlock(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def hold_directory_lock(
    directory: Path,
    name: str,
    wait_seconds: float = WAIT_SECONDS,
    open_directory: Callable[[Path], int | None] = open_lockable_directory,
) -> Iterator[None]:
    """Hold the lock of a directory, for a short section that replaces the file of this name in it.

    No file stays behind: the directory itself is locked. Windows and network file systems cannot lock one, so a hidden
    file is locked there.

    Raises: TimeoutError when the lock was not free within the time
    """
    descriptor = open_directory(directory)
    if descriptor is None:
        with hold_lock(directory / f".{name}.lock", wait_seconds):
            yield
        return
    try:
        _wait_for_lock(descriptor, wait_seconds, time.monotonic, time.sleep)
        yield
    finally:
        os.close(descriptor)
