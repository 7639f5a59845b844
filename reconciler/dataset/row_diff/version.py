"""One version of a dataset: a hash and a place of every row, and the rows themselves in a file or in memory."""

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

from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.digest import StreamDigest, split_batch
from reconciler.dataset.pipeline import read_batches, write_batches
from reconciler.dataset.readers import ProgressMeter, read_source
from reconciler.dataset.recognise import recognise_format
from reconciler.dataset.report import RowReport
from reconciler.dataset.row_diff.matching import NONE, MatchedRows
from reconciler.dataset.row_ids import read_id
from reconciler.dataset.sources import find_sources
from reconciler.domain.desired import DatasetMeasure, Part
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec, Format

_BLOCK_BYTES = 1 << 20
_MEMORY_BYTES = 8 << 20
"""A smaller version stays in memory; a larger one goes to a temporary file without a name."""

_read_row = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(decimal_format="number").encode

Identify = Callable[[Collection[Place]], Mapping[Place, str]]
"""Reads the ids of the rows at some places of a source."""


@dataclass(slots=True)
class DatasetVersion:
    """The rows of one version.

    Shape:  `keys` are the xxh3_64 of the canonical lines; `firsts` are the first rows of the files, because order has
            a meaning only within a file; `id_path` names the id of a row, within the row or its source
    Cost:   16 bytes a row
    """

    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    firsts: list[int] = field(default_factory=list)
    id_path: str = ""
    identify: Identify | None = None
    _starts: "array[int]" = field(default_factory=lambda: array("Q"))
    _files: list[BinaryIO] = field(default_factory=list)
    _runs_read: list[tuple[int, str, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def read_line(self, row: int) -> bytes:
        """Return one row as its canonical line."""
        file = self._files[bisect_right(self.firsts, row) - 1]
        file.seek(self._starts[row])
        return file.readline()

    def find_place(self, row: int) -> Place | None:
        """Return the place a row was read from; None when it was not read from a source."""
        at = bisect_right(self._runs_read, row, key=lambda run: run[0]) - 1
        if at < 0:
            return None
        first, file, line = self._runs_read[at]
        return Place(file=file, line=line + row - first)

    def read_ids(self, rows: Sequence[int]) -> Mapping[int, str]:
        """Return the ids of some rows; rows without an id are left out."""
        if not self.id_path:
            return {}
        ids = {row: row_id for row in rows if (row_id := read_id(_read_row(self.read_line(row)), self.id_path))}
        missing = {row: place for row in rows if row not in ids and (place := self.find_place(row))}
        if missing and self.identify:
            ids_at = self.identify(frozenset(missing.values()))
            ids |= {row: ids_at[place] for row, place in missing.items() if place in ids_at}
        return ids


@contextmanager
def spool_version(
    runs: Iterable[LineBatch], *, id_path: str = "", identify: Identify | None = None
) -> Iterator[DatasetVersion]:
    """Yield a version of canonical lines as they come from sources, kept until the context ends.

    Cost:   their bytes, in memory up to 8 MiB and beyond that in a temporary file
    """
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as spool:
        version = DatasetVersion(firsts=[0], id_path=id_path, identify=identify)
        version._files.append(spool)  # type: ignore[arg-type]  # a spooled file is read like any other
        at, following = 0, ("", -1)
        for run in runs:
            if following != (run.file, run.line):
                version._runs_read.append((len(version.keys), run.file, run.line))
            following = (run.file, run.line + len(run.keys))
            version.keys.extend(run.keys)
            # A canonical line holds no line end but its own.
            ends = accumulate(map(len, run.text.splitlines(keepends=True)), initial=at)
            version._starts.extend(ends)
            at = version._starts.pop()
            spool.write(run.text)
        yield version


@contextmanager
def open_uploaded_version(paths: Sequence[Path], *, id_path: str = "") -> Iterator[DatasetVersion]:
    """Yield a version of files of canonical lines, such as were uploaded; rows are read from them when needed."""
    version = DatasetVersion(id_path=id_path)
    with ExitStack() as stack:
        for path in paths:
            file = stack.enter_context(path.open("rb"))
            version._files.append(file)
            version.firsts.append(len(version.keys))
            at = 0
            while lines := file.readlines(_BLOCK_BYTES):
                version.keys.extend(map(xxh3_64_intdigest, lines))
                version._starts.extend(accumulate(map(len, lines), initial=at))
                at = version._starts.pop()
        yield version


@contextmanager
def open_dataset_version(spec: DatasetSpec, workspace: Path) -> Iterator[DatasetVersion]:
    """Yield the rows of a dataset as they would be uploaded, without the row checks.

    Raises: InputError, when they cannot be read
    """
    report = RowReport()
    _, lines = read_batches(spec, workspace, report, check_rows=False)
    identify = partial(_read_source_ids, spec, workspace) if spec.id else None
    with spool_version(lines, id_path=spec.id, identify=identify) as version:
        report.raise_errors()
        yield version


@contextmanager
def open_file_version(spec: DatasetSpec, workspace: Path) -> Iterator[DatasetVersion]:
    """Yield the rows of files as they are written there; a table's rows are objects of text by column.

    Raises: InputError, when they cannot be read
    """
    report = RowReport()
    rows = chain.from_iterable(
        read_source(each, spec, report, ProgressMeter()) for each in find_sources(spec, workspace, report)
    )
    first = next(rows, None)
    shown = recognise_format(first.value) if first else None
    lines = write_batches(chain((first,), rows) if first else rows, shown or Format.COMPLETION)
    with spool_version(lines, id_path=spec.id) as version:
        report.raise_errors()
        yield version


@contextmanager
def open_without_checks(spec: DatasetSpec, workspace: Path) -> Iterator[tuple[DatasetMeasure, DatasetVersion]]:
    """Yield the digests of a dataset's sides, which are those of `measure`, and its rows, ready to be compared.

    For a version that is not sent: whatever the checks would say of its rows, it has a content.

    Raises: InputError when they cannot be read
    Cost:   one reading, a third of the time of `measure`; the lines are kept as `spool_version` keeps them
    """
    report, digests = RowReport(spec.allow, spec.find_field("allow").place), {part: StreamDigest() for part in Part}
    row_format, batches = read_batches(spec, workspace, report, check_rows=False)

    def digest_batches() -> Iterator[LineBatch]:
        for batch in batches:
            for part, text, rows in split_batch(batch, spec.validation_share):
                digests[part].add(text, rows)
            yield batch

    with spool_version(digest_batches()) as version:
        report.raise_errors()
        training, validation = (digests[part].measure() for part in (Part.TRAINING, Part.VALIDATION))
        yield (
            DatasetMeasure(
                format=row_format, training=training, validation=validation if spec.validation_share else None
            ),
            version,
        )


def find_source_paths(spec: DatasetSpec, workspace: Path) -> Mapping[str, Path]:
    """Return the files of a dataset by the names that places have; problems are reported when the files are opened."""
    return {source.name: source.path for source in find_sources(spec, workspace, RowReport())}


def find_reformatted(
    before: DatasetVersion,
    before_paths: Mapping[str, Path],
    after: DatasetVersion,
    after_paths: Mapping[str, Path],
    matched: MatchedRows,
) -> Sequence[int]:
    """Return the rows that are equal but written differently in their files. Only JSON Lines are compared.

    Shape:  paths by the names that places have
    Cost:   8 bytes a line of each file
    """
    olds, news = _hash_lines(before_paths), _hash_lines(after_paths)
    reformatted = []
    for row, other in enumerate(matched.of_after):
        if other != NONE:
            new, old = _find_key(news, after.find_place(row)), _find_key(olds, before.find_place(other))
            if new is not None and old is not None and new != old:
                reformatted.append(row)
    return reformatted


def _hash_lines(paths: Mapping[str, Path]) -> dict[str, "array[int]"]:
    keys = {}
    for name, path in paths.items():
        if path.suffix.lower() == ".jsonl":
            with path.open("rb") as file:
                keys[name] = array("Q", (xxh3_64_intdigest(line.rstrip(b"\n")) for line in file))
    return keys


def _find_key(keys: Mapping[str, "array[int]"], place: Place | None) -> int | None:
    lines = keys.get(place.file) if place else None
    return lines[place.line - 1] if lines is not None and place and place.line <= len(lines) else None


def _read_source_ids(spec: DatasetSpec, workspace: Path, places: Collection[Place]) -> Mapping[Place, str]:
    report, ids = RowReport(), {}
    for source in find_sources(spec, workspace, report):
        for row in read_source(source, spec, report, ProgressMeter()):
            place = Place(file=row.file, line=row.line)
            if place in places and (row_id := read_id(row.value, spec.id)):
                ids[place] = row_id
    return ids
