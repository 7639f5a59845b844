"""One version of a dataset, read once: a hash and a place of every row, and the rows themselves where they lie."""

import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain
from pathlib import Path
from typing import BinaryIO

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.batch import Run
from reconciler.dataset.formats import find_format
from reconciler.dataset.pipeline import read_runs, runs
from reconciler.dataset.readers import read
from reconciler.dataset.report import Report
from reconciler.dataset.row_diff.matching import NONE, MatchedRows
from reconciler.dataset.sources import find_sources
from reconciler.dataset.stream import Meter
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec, Format

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


@contextmanager
def open_dataset_version(spec: DatasetSpec, workspace: Path) -> Iterator[DatasetVersion]:
    """Read the rows of a dataset as they would be sent, whatever the rules say of them.

    Raises: InputError when they cannot be read
    """
    report = Report()
    _, lines = read_runs(spec, workspace, report, check_rows=False)
    identify = partial(_read_source_ids, spec, workspace) if spec.id else None
    with spool_version(lines, id_path=spec.id, identify=identify) as side:
        report.raise_errors()
        yield side


@contextmanager
def open_file_version(spec: DatasetSpec, workspace: Path) -> Iterator[DatasetVersion]:
    """Read the rows of files as they are in them: those of a table are objects of text by column.

    Raises: InputError when they cannot be read
    """
    report = Report()
    rows = chain.from_iterable(read(each, spec, report, Meter()) for each in find_sources(spec, workspace, report))
    first = next(rows, None)
    shown = find_format(first.value) if first else None
    lines = runs(chain((first,), rows) if first else rows, shown or Format.COMPLETION)
    with spool_version(lines, id_path=spec.id) as side:
        report.raise_errors()
        yield side


def find_source_paths(spec: DatasetSpec, workspace: Path) -> Mapping[str, Path]:
    """Return the files of a dataset by the names that places have; what cannot be read is told when it is opened."""
    return {source.name: source.path for source in find_sources(spec, workspace, Report())}


def find_reformatted(
    before: DatasetVersion,
    before_paths: Mapping[str, Path],
    after: DatasetVersion,
    after_paths: Mapping[str, Path],
    matched: MatchedRows,
) -> Sequence[int]:
    """Return the rows that are the same and are written otherwise in their files; of JSON Lines alone.

    Shape:  the paths are those of the names that places have
    Cost:   8 bytes a line of each file
    """
    olds, news = _hash_lines(before_paths), _hash_lines(after_paths)
    found = []
    for row, other in enumerate(matched.of_after):
        if other != NONE:
            new, old = _find_key(news, after.find_place(row)), _find_key(olds, before.find_place(other))
            if new is not None and old is not None and new != old:
                found.append(row)
    return found


def _hash_lines(paths: Mapping[str, Path]) -> dict[str, "array[int]"]:
    found = {}
    for name, path in paths.items():
        if path.suffix.lower() == ".jsonl":
            with path.open("rb") as file:
                found[name] = array("Q", (xxh3_64_intdigest(line.rstrip(b"\n")) for line in file))
    return found


def _find_key(keys: Mapping[str, "array[int]"], place: Place | None) -> int | None:
    found = keys.get(place.file) if place else None
    return found[place.line - 1] if found is not None and place and place.line <= len(found) else None


def _read_source_ids(spec: DatasetSpec, workspace: Path, places: Collection[Place]) -> Mapping[Place, str]:
    report, found = Report(), {}
    for source in find_sources(spec, workspace, report):
        for row in read(source, spec, report, Meter()):
            place = Place(file=row.file, line=row.line)
            if place in places and (said := read_id(row.value, spec.id)):
                found[place] = said
    return found
