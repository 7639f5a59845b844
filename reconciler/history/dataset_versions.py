"""Opens a version of a dataset by its name on the command line.

data/old.jsonl      a file, as it is
tickets             a dataset of the specs, as it would be uploaded
main:tickets        the same at a git revision, by the specs of that revision
main:data/t.jsonl   a file at a git revision
service:tickets     what the service holds of a dataset
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from reconciler.dataset import find_vocabulary
from reconciler.dataset.row_diff import (
    DatasetVersion,
    compare_versions,
    find_reformatted,
    find_source_paths,
    open_dataset_version,
    open_file_version,
    open_uploaded_version,
)
from reconciler.dataset.stats import DatasetTarget, is_dataset_name, target_file
from reconciler.domain.errors import NotFoundError, UnusablePlaceError, UsageError
from reconciler.domain.row_diff import RowDiff
from reconciler.history.revision import SPEC_ENDINGS, Revision, open_revision
from reconciler.planner import files_before, users_of
from reconciler.specfile import find_workspace, read_specs
from reconciler.workflow import find_bases, read_setting, resolve_setting
from reconciler.workflow.plan import fetch_file, open_service
from reconciler.workflow.targets import find_dataset

SERVICE = "service"


class NamedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version, ready to be read.

    Shape:  `paths` are its source files by the names that places have; `id` is the column that identifies a row by its
            spec; `bases` are those of the models that use it
    """

    title: str
    open: Callable[[str], AbstractContextManager[DatasetVersion]]
    paths: Mapping[str, Path] = msgspec.field(default_factory=dict)
    id: str = ""
    bases: frozenset[str] = frozenset()


def compare_named(old: NamedVersion, new: NamedVersion, id_path: str | None, most_samples: int) -> RowDiff:
    """Return the row diff of two versions; `id_path` is the column that identifies a row, else the specs' own."""
    id_path = id_path or new.id or old.id
    vocabulary = find_vocabulary(old.bases | new.bases)
    has_sources = bool(old.paths and new.paths)
    with old.open(id_path) as before, new.open(id_path) as after:
        return compare_versions(
            before,
            after,
            old.title,
            most_samples=most_samples,
            count=vocabulary.count if vocabulary else None,
            reformatted=partial(find_reformatted, before, old.paths, after, new.paths) if has_sources else None,
        )


@contextmanager
def open_version(
    text: str, root: Path, environ: Mapping[str, str], *, provider: str | None = None
) -> Iterator[NamedVersion]:
    """Yield the version that a text names; files of a revision are in a directory that goes away.

    Raises: UsageError when there is no such version, InputError when specs are invalid, ProviderError
    """
    before, colon, after = text.partition(":")
    if not colon or Path(text).exists():
        yield _open_target(text, find_dataset(text, root, environ))
    elif not before or not after:
        raise UsageError(f"{text}: write REVISION:NAME, REVISION:PATH, service:NAME, a dataset's name, or a file")
    elif before == SERVICE:
        yield _open_on_service(after, root, environ, provider)
    else:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
            workspace = find_workspace(root if root.exists() else Path.cwd())
            revision = open_revision(before, workspace)
            open_at = _open_dataset_at if is_dataset_name(after) else _open_file_at
            yield _open_target(text, open_at(text, revision, after, root, Path(directory)))


def _open_target(title: str, target: DatasetTarget) -> NamedVersion:
    open_rows = open_file_version if target.is_file else open_dataset_version
    return NamedVersion(
        title=title,
        open=lambda id_path: open_rows(replace(target.spec, id=id_path), target.workspace),
        paths=find_source_paths(target.spec, target.workspace),
        id=target.spec.id,
        bases=target.bases,
    )


def _open_on_service(name: str, root: Path, environ: Mapping[str, str], provider: str | None) -> NamedVersion:
    setting = resolve_setting(root, environ, provider=provider)
    specs = read_setting(setting)
    spec = next((each for each in specs.datasets if each.name == name), None)
    with open_service(setting, specs) as service:
        files = files_before(name, users_of(name, specs), service.observe())
        if not files:
            raise NotFoundError(
                f"the service holds no file of a dataset {name}", hint=f"see: {setting.scope.call('files')}"
            )
        try:
            paths = tuple(fetch_file(file, service, setting) for file in files)
        except OSError as error:
            advice = "set RECONCILER_HOME to a directory that can be written"
            raise UnusablePlaceError.of_directory(str(setting.home), error, advice) from error
    return NamedVersion(
        title=" and ".join(file.filename for file in files),
        open=lambda id_path: open_uploaded_version(paths, id_path=id_path),
        id=spec.id if spec else "",
        bases=find_bases(specs, name),
    )


def _open_dataset_at(title: str, revision: Revision, name: str, root: Path, directory: Path) -> DatasetTarget:
    inside = root.resolve().relative_to(revision.workspace.resolve()).as_posix()
    revision.extract((inside,), directory, SPEC_ENDINGS)
    if not (directory / inside).is_dir():
        raise UsageError(f"{title}: at {revision.name} there is no directory {inside}/ of specs")
    specs = read_specs(directory / inside, directory)
    spec = next((each for each in specs.datasets if each.name == name), None)
    if spec is None:
        known = ", ".join(each.name for each in specs.datasets) or "none"
        raise UsageError(f"{title}: at {revision.name} the specs name no dataset {name}; they name {known}")
    revision.extract(spec.sources, directory)
    return DatasetTarget(spec=spec, workspace=directory, bases=find_bases(specs, name))


def _open_file_at(title: str, revision: Revision, path: str, _root: Path, directory: Path) -> DatasetTarget:
    try:
        inside = (Path.cwd() / path).resolve().relative_to(revision.workspace.resolve()).as_posix()
    except ValueError as error:
        raise UsageError(f"{title}: the path leads out of the repository") from error
    revision.extract((inside,), directory)
    if not (directory / inside).is_file():
        raise UsageError(f"{title}: at {revision.name} git holds no file {inside}")
    return target_file(str(directory / inside))
