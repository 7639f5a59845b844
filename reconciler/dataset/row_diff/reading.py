"""Opens a version of a dataset where it is: by its spec, or as a file that no spec knows."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from xxhash import xxh3_64_intdigest

from reconciler.dataset.formats import find_format
from reconciler.dataset.pipeline import read_runs, runs
from reconciler.dataset.readers import read
from reconciler.dataset.report import Report
from reconciler.dataset.row_diff.matching import NONE, MatchedRows
from reconciler.dataset.row_diff.version import DatasetVersion, read_id, spool_version
from reconciler.dataset.sources import find_sources
from reconciler.dataset.stream import Meter
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec, Format


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
