"""A cache of files that a service holds, by their content, so that each is fetched once.

The digest that a file's name on the service carries is the key. A cached file is used only when its content has that
digest; otherwise it is fetched again.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from reconciler.domain.errors import MalformedError
from reconciler.domain.identity import Digest

MOST_BYTES = 2 << 30
"""The size of all files in the cache; the files that were not used for the longest time are removed first."""


class FileCache(msgspec.Struct, frozen=True):
    """A directory of files by digest and size.

    Shape:  `make_home` creates the parent directory where it does not exist
    """

    directory: Path
    make_home: Callable[[], None] | None = None
    most_bytes: int = MOST_BYTES

    def get_file(self, digest: Digest, size_bytes: int, fetch: Callable[[], Iterator[bytes]]) -> Path:
        """Return a file of this content, and fetch it when the cache does not hold it.

        Raises: MalformedError when the fetched content is another one, OSError when it cannot be stored, and the
                errors of `fetch`
        Cost:   reads the file once, to check its digest
        """
        path = self.directory / f"{digest.short}-{size_bytes}.jsonl"
        if _is_whole(path, digest, size_bytes):
            with suppress(OSError):
                os.utime(path)
            return path
        if self.make_home:
            self.make_home()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, digest, size_bytes, fetch())
        self._remove_oldest(path)
        return path

    def _remove_oldest(self, newest: Path) -> None:
        with suppress(OSError):
            stats = ((path.stat(), path) for path in self.directory.glob("*.jsonl"))
            files = sorted(((stat.st_mtime_ns, stat.st_size, path) for stat, path in stats), reverse=True)
            total = 0
            for _, size, path in files:
                total += size
                if total > self.most_bytes and path != newest:
                    path.unlink(missing_ok=True)


def _is_whole(path: Path, digest: Digest, size_bytes: int) -> bool:
    try:
        if path.stat().st_size != size_bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().startswith(digest.short)
    except OSError:
        return False


def _write(path: Path, digest: Digest, size_bytes: int, blocks: Iterator[bytes]) -> None:
    content, written = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as file:
        try:
            for block in blocks:
                written += len(block)
                if written > size_bytes:
                    break
                content.update(block)
                file.write(block)
            file.close()
            if written != size_bytes or not content.hexdigest().startswith(digest.short):
                raise MalformedError("the content of the file is not what its name and size say; it was not used")
            os.replace(file.name, path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise
