"""Finds the dataset that an argument of the data commands names."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.dataset.stats import DatasetTarget, names_file, target_file
from reconciler.domain.errors import UsageError
from reconciler.specfile import find_roots
from reconciler.workflow.measure import find_bases
from reconciler.workflow.settings import locate_setting, read_setting


def find_dataset(text: str, root: Path, environ: Mapping[str, str]) -> DatasetTarget:
    """Find what an argument names: a name in the specs comes before a file.

    Raises: UsageError when no spec has the name and there is no such file, InputError when the specs are invalid
    """
    if names_file(text, root):
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
