"""Takes bytes in so that, whenever the process dies, there is either a whole listed file or nothing.

The bytes are written beside the files, made durable, moved into place, and only then listed. Until then their writer
holds their lock, which tells a sweep in another process that they are not yet abandoned.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reconciler.foundation.locks import try_lock
from reconciler.service.store.database import Store


class Incoming:
    """Bytes on their way in. `write` them, `place` them, list them in a transaction, and only then let go."""

    def __init__(self, store: Store, file: str, handle: BinaryIO, folder: Path) -> None:
        self.id = file
        self.size_bytes = 0
        self.path = store.incoming / file
        self._final = folder / file
        self._handle = handle

    def write(self, block: bytes) -> None:
        """Add some bytes."""
        self._handle.write(block)
        self.size_bytes += len(block)

    def flush(self) -> None:
        """Let a reader of `path` see every byte written so far."""
        self._handle.flush()

    def place(self) -> None:
        """Make the bytes durable and move them to where listed files lie."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self.path.rename(self._final)
        self.path = self._final
        sync_folder(self._final.parent)


@contextmanager
def incoming(store: Store, file: str, folder: Path | None = None) -> Iterator[Incoming]:
    """Open a way in for the bytes of one new file, to the folder of files or another; what was not placed is gone."""
    with _locked_new(store.incoming / file) as handle:
        arriving = Incoming(store, file, handle, folder or store.files)
        try:
            yield arriving
        finally:
            (store.incoming / file).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_new(path: Path) -> BinaryIO:
    while True:
        handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb")
        # Between our making the file and our locking it, a sweep may take it for an abandoned one.
        if try_lock(handle.fileno()) and path.exists():
            return handle
        handle.close()
