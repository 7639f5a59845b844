"""What an argument of the data commands names: a dataset of the specs, or a file."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from reconciler.dataset.stats import read_file_rows, read_spec_rows
from reconciler.domain.errors import Place, UsageError
from reconciler.domain.identity import NAME_PATTERN
from reconciler.domain.spec import DatasetSpec
from reconciler.domain.stats import RowShown
from reconciler.specfile import find_roots
from reconciler.workflow.measure import find_bases
from reconciler.workflow.settings import locate_setting, read_setting


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


def find_dataset(text: str, root: Path, environ: Mapping[str, str]) -> DatasetTarget:
    """Find what an argument names: a name in the specs comes before a file.

    Raises: UsageError when no spec has the name and there is no such file, InputError when the specs are invalid
    """
    if not is_dataset_name(text):
        return target_file(text)
    if Path(text).is_file() and not root.exists():
        return target_file(text)
    settings = [locate_setting(each, environ) for each in find_roots(root)]
    projects = [(setting, read_setting(setting)) for setting in settings]
    naming = [(setting, specs, spec) for setting, specs in projects for spec in specs.datasets if spec.name == text]
    if len(naming) == 1:
        setting, specs, spec = naming[0]
        return DatasetTarget(spec=spec, workspace=setting.workspace, bases=find_bases(specs, text))
    if naming:
        roots = " and ".join(str(setting.root) for setting, _, _ in naming)
        raise UsageError(f"{roots} both name {text}; choose one with --specs DIR")
    if Path(text).is_file():
        return target_file(text)
    known = ", ".join(spec.name for _, specs in projects for spec in specs.datasets) or "none"
    raise UsageError(f"the specs name no dataset {text}; they name {known}; a file is named by its path")


def target_file(text: str) -> DatasetTarget:
    """Return a file as a dataset of its own."""
    path = Path(text).resolve()
    spec = DatasetSpec(name=path.stem or text, place=Place(file=text), sources=(path.name,))
    return DatasetTarget(spec=spec, workspace=path.parent, is_file=True)
