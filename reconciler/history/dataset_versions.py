"""What a version of a dataset is called on the command line, and how it is opened.

data/old.jsonl      a file, as it is
tickets             a dataset of the specs, as it would be sent
main:tickets        the same at a git revision, by the specs of that revision
main:data/t.jsonl   a file at a git revision
service:tickets     what the service holds of a dataset
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from reconciler.cli.data import find_dataset, is_name
from reconciler.cli.options import setting_of
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.spec import DatasetSpec

if TYPE_CHECKING:
    from reconciler.dataset.row_diff import DatasetVersion

SERVICE = "service"
_SPECS = (".yaml", ".yml")


class NamedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version, ready to be read.

    Shape:  `paths` are its source files by the names that places have; `id` is what its spec says identifies a row;
            `bases` are those of the models that use it
    """

    title: str
    open: Callable[[str], AbstractContextManager["DatasetVersion"]]
    paths: Mapping[str, Path] = msgspec.field(default_factory=dict)
    id: str = ""
    bases: frozenset[str] = frozenset()


@contextmanager
def open_version(text: str, root: Path, provider: str | None) -> Iterator[NamedVersion]:
    """Find what is meant, and keep what had to be taken out of a revision for as long as it is looked at.

    Raises: UsageError when there is no such thing, InputError when specs are wrong, ProviderError from the service
    """
    before, colon, after = text.partition(":")
    if not colon or Path(text).exists():
        found = find_dataset(text, root)
        yield _version(text, found.spec, found.workspace, is_file=found.is_file, bases=found.bases)
    elif not before or not after:
        raise UsageError(f"{text}: write REVISION:NAME, REVISION:PATH, service:NAME, a dataset's name, or a file")
    elif before == SERVICE:
        yield _of_service(after, root, provider)
    else:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
            yield _of_revision(text, before, after, root, Path(directory))


def _version(
    title: str, spec: DatasetSpec, workspace: Path, *, is_file: bool, bases: frozenset[str] = frozenset()
) -> NamedVersion:
    from reconciler.dataset.row_diff import find_source_paths, open_dataset_version, open_file_version

    open_side = open_file_version if is_file else open_dataset_version
    return NamedVersion(
        title=title,
        open=lambda id_path: open_side(replace(spec, id=id_path), workspace),
        paths=find_source_paths(spec, workspace),
        id=spec.id,
        bases=bases,
    )


def _of_service(name: str, root: Path, provider: str | None) -> NamedVersion:
    from reconciler.dataset.row_diff import open_uploaded_version
    from reconciler.planner.previous import files_before, users_of
    from reconciler.specfile import read_specs
    from reconciler.workflow.engine import bases_of, open_service
    from reconciler.workflow.row_changes import fetch_file

    setting = setting_of(root, provider)
    specs = read_specs(setting.root, setting.workspace)
    spec = next((each for each in specs.datasets if each.name == name), None)
    with open_service(setting, specs) as opened:
        files = files_before(name, users_of(name, specs), opened.observe())
        if not files:
            raise NotFoundError(f"the service holds no file of a dataset {name}", hint="see reconciler files")
        paths = tuple(fetch_file(file, opened, setting) for file in files)
    return NamedVersion(
        title=" and ".join(file.filename for file in files),
        open=lambda id_path: open_uploaded_version(paths, id_path=id_path),
        id=spec.id if spec else "",
        bases=bases_of(specs, name),
    )


def _of_revision(title: str, revision: str, what: str, root: Path, directory: Path) -> NamedVersion:
    from reconciler.history.revision import open_revision
    from reconciler.specfile import find_workspace, read_specs
    from reconciler.workflow.engine import bases_of

    workspace = find_workspace(root if root.exists() else Path.cwd())
    at = open_revision(revision, workspace)
    if not is_name(what):
        return _file_of_revision(
            title, at.name, what, workspace, lambda path: at.take_out((path,), directory), directory
        )
    inside = root.resolve().relative_to(workspace.resolve()).as_posix()
    at.take_out((inside,), directory, _SPECS)
    if not (directory / inside).is_dir():
        raise UsageError(f"{title}: at {revision} there is no directory {inside}/ of specs")
    specs = read_specs(directory / inside, directory)
    spec = next((each for each in specs.datasets if each.name == what), None)
    if spec is None:
        known = ", ".join(each.name for each in specs.datasets) or "none"
        raise UsageError(f"{title}: at {revision} the specs name no dataset {what}; they name {known}")
    at.take_out(spec.sources, directory)
    return _version(title, spec, directory, is_file=False, bases=bases_of(specs, what))


def _file_of_revision(
    title: str, revision: str, what: str, workspace: Path, take_out: Callable[[str], None], directory: Path
) -> NamedVersion:
    try:
        path = (Path.cwd() / what).resolve().relative_to(workspace.resolve()).as_posix()
    except ValueError as error:
        raise UsageError(f"{title}: the path leads out of the repository") from error
    take_out(path)
    if not (directory / path).is_file():
        raise UsageError(f"{title}: at {revision} git holds no file {path}")
    found = find_dataset(str(directory / path), directory)
    return _version(title, found.spec, found.workspace, is_file=True)
