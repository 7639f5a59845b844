"""Files that a service holds, kept here by what they contain, so that each is fetched once.

A file is on the shelf under the digest that its name on the service carries, and is taken from it only when its content
has that digest. What is odd about a file there makes it be fetched again, and nothing else.
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
"""What all files on the shelf may take; those that were not used for the longest go first."""


class FileCache(msgspec.Struct, frozen=True):
    """A directory of files by digest and size.

    Shape:  `make_home` makes the directory around it, where there is none yet
    """

    directory: Path
    make_home: Callable[[], None] | None = None
    most_bytes: int = MOST_BYTES

    def get_file(self, digest: Digest, size_bytes: int, fetch: Callable[[], Iterator[bytes]]) -> Path:
        """Return a file of this content, fetched if it is not here.

        Raises: MalformedError when what is fetched is something else, OSError when it cannot be kept, and whatever
                fetching raises
        Cost:   the file is read once, to see that it is whole
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
            found = sorted(
                (
                    (seen.st_mtime_ns, seen.st_size, path)
                    for path in self.directory.glob("*.jsonl")
                    if (seen := path.stat())
                ),
                reverse=True,
            )
            total = 0
            for _, size, path in found:
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
