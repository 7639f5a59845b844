"""One version of a dataset, read once: a hash and a place of every row, and the rows themselves where they lie."""

import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.batch import Run
from reconciler.domain.errors import Place

_BLOCK_BYTES = 1 << 20
_KEPT_BYTES = 8 << 20
"""A side that is smaller stays in memory, and a larger one goes to a file that nobody else sees."""

_read_row = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(decimal_format="number").encode

Identify = Callable[[Collection[Place]], Mapping[Place, str]]
"""Reads what identifies the rows at some places of a source."""


@dataclass(slots=True)
class DatasetVersion:
    """The rows of one version.

    Shape:  `keys` are the xxh3_64 of the canonical lines; `firsts` are the rows with which the files begin, and order
            means something only within a file; `id_path` names what identifies a row, within the row or its source
    Cost:   16 bytes a row
    """

    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    firsts: list[int] = field(default_factory=list)
    id_path: str = ""
    identify: Identify | None = None
    _starts: "array[int]" = field(default_factory=lambda: array("Q"))
    _files: list[BinaryIO] = field(default_factory=list)
    _stretches: list[tuple[int, str, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def read_line(self, row: int) -> bytes:
        """Read one row, as its canonical line."""
        file = self._files[bisect_right(self.firsts, row) - 1]
        file.seek(self._starts[row])
        return file.readline()

    def find_place(self, row: int) -> Place | None:
        """Tell where a row was read; None when it was not read from a source."""
        at = bisect_right(self._stretches, row, key=lambda each: each[0]) - 1
        if at < 0:
            return None
        first, file, line = self._stretches[at]
        return Place(file=file, line=line + row - first)

    def read_ids(self, rows: Sequence[int]) -> Mapping[int, str]:
        """Read what identifies some rows; those that have nothing of the kind are left out."""
        if not self.id_path:
            return {}
        found = {row: said for row in rows if (said := _read_line_id(self.read_line(row), self.id_path))}
        missing = {row: place for row in rows if row not in found and (place := self.find_place(row))}
        if missing and self.identify:
            said_at = self.identify(frozenset(missing.values()))
            found |= {row: said_at[place] for row, place in missing.items() if place in said_at}
        return found


@contextmanager
def spool_version(
    runs: Iterable[Run], *, id_path: str = "", identify: Identify | None = None
) -> Iterator[DatasetVersion]:
    """Read canonical lines as they come from sources, and keep them for as long as they are looked at.

    Cost:   their bytes, in memory up to 8 MiB and beyond in a file without a name
    """
    with tempfile.SpooledTemporaryFile(max_size=_KEPT_BYTES) as spool:
        side = DatasetVersion(firsts=[0], id_path=id_path, identify=identify)
        side._files.append(spool)  # type: ignore[arg-type]  # a spooled file is read like any other
        at, following = 0, ("", -1)
        for run in runs:
            if following != (run.file, run.line):
                side._stretches.append((len(side.keys), run.file, run.line))
            following = (run.file, run.line + len(run.keys))
            side.keys.extend(run.keys)
            # A canonical line holds no line end but its own.
            ends = accumulate(map(len, run.text.splitlines(keepends=True)), initial=at)
            side._starts.extend(ends)
            at = side._starts.pop()
            spool.write(run.text)
        yield side


@contextmanager
def open_uploaded_version(paths: Sequence[Path], *, id_path: str = "") -> Iterator[DatasetVersion]:
    """Read files of canonical lines, such as were uploaded, and leave them where they are."""
    side = DatasetVersion(id_path=id_path)
    with ExitStack() as stack:
        for path in paths:
            file = stack.enter_context(path.open("rb"))
            side._files.append(file)
            side.firsts.append(len(side.keys))
            at = 0
            while lines := file.readlines(_BLOCK_BYTES):
                side.keys.extend(map(xxh3_64_intdigest, lines))
                side._starts.extend(accumulate(map(len, lines), initial=at))
                at = side._starts.pop()
        yield side


def read_id(value: object, path: str) -> str:
    """Return a value within a row as text, by its name or a path with dots; empty when it is not there."""
    if isinstance(value, dict) and path in value:
        found = value[path]
    else:
        found = value
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    if found is None or isinstance(found, dict | list):
        return ""
    return found if isinstance(found, str) else _write(found).decode()


def _read_line_id(line: bytes, path: str) -> str:
    return read_id(_read_row(line), path)
