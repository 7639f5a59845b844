"""Single rows of a dataset as they are uploaded, or of a file as they are written there, and what an argument names."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from heapq import nsmallest
from itertools import count, islice
from pathlib import Path

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.digest import choose_part
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.readers import ProgressMeter, read_source
from reconciler.dataset.report import RowReport
from reconciler.dataset.sensitive import mask_row
from reconciler.dataset.sources import find_sources
from reconciler.domain.errors import Place, UsageError
from reconciler.domain.identity import NAME_PATTERN
from reconciler.domain.spec import DatasetSpec
from reconciler.domain.stats import RowShown

_encode = msgspec.json.Encoder(decimal_format="number").encode

Progress = Callable[[int], None] | None
"""Called with the number of bytes read so far."""


def read_spec_rows(spec: DatasetSpec, workspace: Path, progress: Progress = None) -> Iterator[RowShown]:
    """Yield the rows of a dataset as they are uploaded, each with its part; faulty rows as far as they can be read.

    Raises: InputError at the end, when no row could be read
    """
    report, numbers = RowReport(), count(1)
    _, runs = read_batches(spec, workspace, report, check_rows=False, progress=progress)
    for run in runs:
        lines = run.text.splitlines()
        for at, (line, key) in enumerate(zip(lines, run.keys, strict=True)):
            part = choose_part(key, spec.validation_share)
            yield RowShown(number=next(numbers), file=run.file, line=run.line + at, text=line.decode(), part=part)
    if next(numbers) == 1:
        report.raise_errors()


def read_file_rows(spec: DatasetSpec, workspace: Path, progress: Progress = None) -> Iterator[RowShown]:
    """Yield the rows of a dataset's files as they are written there; a table's rows are objects by column.

    Raises: InputError at the end, when no row could be read
    """
    report, numbers, meter = RowReport(), count(1), ProgressMeter(progress)
    for source in find_sources(spec, workspace, report):
        for row in read_source(source, spec, report, meter):
            text = _encode(row.value).decode()
            yield RowShown(number=next(numbers), file=row.file, line=row.line, text=text)
    if next(numbers) == 1:
        report.raise_errors()


def find_row(rows: Iterator[RowShown], number: int) -> RowShown:
    """Return one row by its number, and read no further.

    Raises: UsageError, when there are fewer rows
    """
    last = None
    for last in islice(rows, number):
        if last.number == number:
            return mask_row(last)
    reason = "there are no rows" if last is None else f"the last row is {last.number}"
    raise UsageError(f"--row {number}: {reason}")


def sample_rows(rows: Iterator[RowShown], wanted: int, seed: int) -> tuple[RowShown, ...]:
    """Return `wanted` rows, chosen by their content and a seed, in their order.

    The same rows give the same sample; an added row changes at most one row of it.

    Cost:   one pass over all rows, with the chosen ones in memory
    """
    chosen = nsmallest(wanted, rows, key=lambda row: (xxh3_64_intdigest(row.text.encode(), seed=seed), row.number))
    return tuple(map(mask_row, sorted(chosen, key=lambda row: row.number)))


class DatasetTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset and where its files are; `bases` are those of the models trained on it."""

    spec: DatasetSpec
    workspace: Path
    is_file: bool = False
    bases: frozenset[str] = frozenset()

    def read_rows(self, progress: Callable[[str, int], None]) -> Iterator[RowShown]:
        """Return the rows: of a dataset as they are uploaded, of a file as they are written."""
        read = read_file_rows if self.is_file else read_spec_rows
        return read(self.spec, self.workspace, partial(progress, self.spec.name))


def is_dataset_name(text: str) -> bool:
    """Return whether an argument has the form of a dataset's name, and not of a path."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def names_file(text: str, root: Path) -> bool:
    """Return whether an argument names a file, whatever the specs below a root say."""
    return not is_dataset_name(text) or (Path(text).is_file() and not root.exists())


def target_file(text: str) -> DatasetTarget:
    """Return a file as a dataset of its own."""
    path = Path(text).resolve()
    spec = DatasetSpec(name=path.stem or text, place=Place(file=text), sources=(path.name,))
    return DatasetTarget(spec=spec, workspace=path.parent, is_file=True)
