"""What an argument names: a dataset of the specs, or a file."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from reconciler.dataset.stats.rows import read_file_rows, read_spec_rows
from reconciler.domain.errors import Place
from reconciler.domain.identity import NAME_PATTERN
from reconciler.domain.spec import DatasetSpec
from reconciler.domain.stats import RowShown


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
