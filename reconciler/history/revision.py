"""Reads a git revision: its files, and the specs and data that they hold. Runs no hook and no filter, calls no service.

Only tracked blobs are read, as they were committed. Problems of an old version are not the user's to correct today:
rows that cannot be read are not compared, and specs that cannot be read raise an error that names their version.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from reconciler.dataset.row_diff import DatasetVersion, open_without_checks
from reconciler.domain.desired import DatasetMeasure, Desired, Model
from reconciler.domain.errors import InputError, Problem, UsageError
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import DatasetSpec, Specs
from reconciler.foundation.git import Git, GitError, GitMissingError, GitTimeoutError
from reconciler.workflow import Setting, find_service, read_setting

_CALL_SECONDS = 120
_POINTER = b"version https://git-lfs.github.com/spec/"
_SHORT = 12
_FILES = ("100644", "100755")
_MAGIC = frozenset("*?[")


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of the repository around a workspace."""

    name: str
    commit: str
    workspace: Path

    def extract(self, patterns: tuple[str, ...], directory: Path, endings: tuple[str, ...] = ("",)) -> None:
        """Write the files of some paths, directories and globs below a directory, each at its own path.

        Shape:  only those whose names end in one of the `endings`
        Raises: UsageError for a file that git only holds a pointer to
        """
        git = _open_git(self.workspace)
        for path, blob in self._list_blobs(patterns, git):
            if not path.lower().endswith(endings):
                continue
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file, _translate_git_errors():
                git.run("cat-file", "blob", blob, out=file)
            with target.open("rb") as file:
                is_pointer = file.read(len(_POINTER)) == _POINTER
            if is_pointer:
                target.unlink()
                raise UsageError(
                    f"{self.name}:{path} is only a pointer of Git LFS: its content is not in the repository; "
                    "fetch it with git lfs, write it to a file, and compare that"
                )

    def _list_blobs(self, patterns: tuple[str, ...], git: Git) -> Iterator[tuple[str, str]]:
        # Literal paths: a pattern is matched where the files are read, below the part of it that is not a pattern.
        prefixes = sorted({fixed for pattern in patterns if (fixed := _fixed_part(pattern))})
        paths = () if any(not _fixed_part(pattern) for pattern in patterns) else prefixes
        with _translate_git_errors():
            listed = git.run("--literal-pathspecs", "ls-tree", "-r", "-z", self.commit, "--", *paths)
        for entry in listed.split(b"\0")[:-1]:
            facts, _, raw = entry.partition(b"\t")
            mode, kind, blob = facts.decode().split(" ")[:3]
            path = os.fsdecode(raw)
            if kind == "blob" and mode in _FILES and _is_safe(path):
                yield path, blob


def open_revision(name: str, workspace: Path) -> Revision:
    """Find a revision by any name that git has for it.

    Raises: UsageError when there is none, or no git
    """
    try:
        commit = _resolve(_open_git(workspace), name)
    except (GitMissingError, GitTimeoutError) as error:
        raise UsageError(str(error)) from error
    except GitError as error:
        raise UsageError(f"{name}: git knows no such revision in {workspace}") from error
    return Revision(name=name, commit=commit, workspace=workspace)


def open_common(one: str, other: str, workspace: Path) -> Revision | None:
    """Find the newest revision that two revisions have in common; None when there is none, or no such revisions.

    Raises: UsageError when there is no git
    """
    git = _open_git(workspace)
    try:
        commits = [_resolve(git, name) for name in (one, other)]
        return _of_commit(git.word("merge-base", *commits), workspace)
    except (GitMissingError, GitTimeoutError) as error:
        raise UsageError(str(error)) from error
    except GitError:
        return None


def open_first_parent(workspace: Path) -> Revision | None:
    """Find the branch that a merge was made into, where the commit checked out is a merge; None where it is none.

    Raises: UsageError when there is no git
    """
    git = _open_git(workspace)
    try:
        _resolve(git, "HEAD^2")
        return _of_commit(_resolve(git, "HEAD^1"), workspace)
    except (GitMissingError, GitTimeoutError) as error:
        raise UsageError(str(error)) from error
    except GitError:
        return None


def open_last_change(path: str, workspace: Path) -> Revision | None:
    """Find the newest revision up to the one checked out that changed a file; None when none did.

    Raises: UsageError when there is no git, or no revision at all
    """
    head = open_revision("HEAD", workspace)
    with _translate_git_errors():
        commit = _open_git(workspace).word("--literal-pathspecs", "rev-list", "--max-count=1", head.commit, "--", path)
    return _of_commit(commit, workspace) if commit else None


def open_range(text: str, workspace: Path) -> tuple[Revision, Revision]:
    """Find the two revisions of a range, `main..HEAD` or `main...HEAD`.

    Raises: UsageError when the text is not a range, or git has no such revisions
    """
    for dots in ("...", ".."):
        before, found, after = text.partition(dots)
        if found:
            break
    else:
        raise UsageError(f"{text}: write two revisions with dots between them, as in main..HEAD")
    new = open_revision(after or "HEAD", workspace)
    old = open_revision(before or "HEAD", workspace)
    if dots == "..":
        return old, new
    common = open_common(before or "HEAD", after or "HEAD", workspace)
    if common is None:
        raise UsageError(f"{text}: the two revisions have no commit in common; write two dots instead of three")
    return common, new


def find_commit(workspace: Path) -> str:
    """Return the commit that is checked out; empty where git knows none."""
    try:
        return open_revision("HEAD", workspace).commit
    except UsageError:
        return ""


def _resolve(git: Git, name: str) -> str:
    return git.word("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def _of_commit(text: str, workspace: Path) -> Revision:
    commit = text.split()[0]
    return Revision(name=commit[:_SHORT], commit=commit, workspace=workspace)


def _open_git(workspace: Path) -> Git:
    with _translate_git_errors():
        return Git(workspace, os.environ, _CALL_SECONDS)


@contextmanager
def _translate_git_errors() -> Iterator[None]:
    try:
        yield
    except GitError as error:
        raise UsageError(str(error)) from error


def _fixed_part(pattern: str) -> str:
    parts = []
    for part in PurePosixPath(pattern).parts:
        if _MAGIC & set(part):
            break
        parts.append(part)
    return "/".join(parts)


def _is_safe(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and ".git" not in parts


SPEC_ENDINGS = (".yaml", ".yml")

MOST_KEPT = 8
"""Datasets whose rows are kept from the pass that measures them; rows of others are read again if they changed."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of the repository declares.

    Shape:  `title` names the version; `measures` are those of the datasets that can be read; `sides` are rows that
            are kept, of some of them, without the id of a row in its source; `neutral_methods` as in Capabilities;
            `notes` are about the others
    """

    title: str
    workspace: Path
    specs: Specs
    measures: Mapping[str, DatasetMeasure]
    sides: Mapping[str, DatasetVersion] = msgspec.field(default_factory=dict)
    neutral_methods: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[Model, ...]:
        """The models whose data can be measured, sorted by name."""
        known = tuple(model for model in self.specs.models if {model.training, model.validation} <= self._known)
        return Desired.join(replace(self.specs, models=known), self.measures, self.neutral_methods).models

    @property
    def _known(self) -> frozenset[str | None]:
        return frozenset({*self.measures, None})

    def dataset(self, name: str, claims: NameMap) -> DatasetSpec | None:
        """Return the dataset that has a name today, whatever its name was then."""
        today = Address(Kind.DATASET, name)
        found = {claims.moved.get(there, there): spec for spec in self.specs.datasets if (there := _find_address(spec))}
        return found.get(today)

    def stamps(self, spec: DatasetSpec, claims: NameMap) -> tuple[Stamp, ...]:
        """Return the stamps of a dataset's files under today's names; none where it cannot be measured."""
        measured = self.measures.get(spec.name)
        if measured is None:
            return ()
        sides = {"": measured.training, ".validation": measured.validation}
        return tuple(
            claims.rename_stamp(Stamp(Address(Kind.DATASET, spec.name + side), measure.digest))
            for side, measure in sides.items()
            if measure
        )


@contextmanager
def open_snapshot(title: str, setting: Setting, fetch_sources: Callable[[DatasetSpec], None]) -> Iterator[Snapshot]:
    """Read the specs and data in the directory of a setting.

    Shape:  `fetch_sources` writes the sources of a dataset there, or raises a UsageError with the reason
    Raises: InputError when the specs cannot be read, with places that name the version
    Cost:   reads every dataset once, and keeps the rows of the first few in memory or in files without names
    """
    try:
        specs = read_setting(setting)
    except InputError as error:
        raise name_version(error, title) from error
    measures: dict[str, DatasetMeasure] = {}
    sides: dict[str, DatasetVersion] = {}
    notes = []
    with ExitStack() as kept:
        for spec in specs.datasets:
            try:
                fetch_sources(spec)
                with ExitStack() as opened:
                    measures[spec.name], side = opened.enter_context(open_without_checks(spec, setting.workspace))
                    if len(sides) < MOST_KEPT:
                        sides[spec.name] = side
                        kept.push(opened.pop_all())
            except InputError as error:
                notes.append(f"the rows of {spec.name} at {title} cannot be read: {_describe_first(error)}")
            except UsageError as error:
                notes.append(f"the rows of {spec.name} at {title} are not available: {error}")
        yield Snapshot(
            title=title,
            workspace=setting.workspace,
            specs=specs,
            measures=measures,
            sides=sides,
            neutral_methods=find_service(setting, specs).capabilities.neutral_methods,
            notes=tuple(notes),
        )


def name_version(error: InputError, title: str) -> InputError:
    """Return the same problems, each at the version that it is of: in text, `main:specs/all.yaml`."""
    problems = tuple(replace(each, where=replace(each.where, revision=title)) for each in error.problems)
    return InputError(problems, error.unshown)


def _find_address(spec: DatasetSpec) -> Address:
    return Address(Kind.DATASET, spec.name)


def _describe_first(error: InputError) -> str:
    first: Problem = error.problems[0]
    more = len(error.problems) + error.unshown - 1
    return f"{first.where}: {first.what}" + (f" (and {more} more)" if more else "")


@contextmanager
def open_snapshot_at(revision: Revision, setting: Setting) -> Iterator[Snapshot | None]:
    """Yield the snapshot of a revision, its files in a directory that goes away; None where it has no such root.

    Raises: InputError when its specs cannot be read
    """
    with extract_specs(revision, setting) as there:
        if there is None:
            yield None
            return
        with open_snapshot(revision.name, there, lambda spec: extract_sources(revision, spec, there)) as snapshot:
            yield snapshot


@contextmanager
def extract_specs(revision: Revision, setting: Setting) -> Iterator[Setting | None]:
    """Yield a setting with the specs of a revision, in a directory that goes away; None where it has none."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
        workspace = Path(directory).resolve()
        inside = setting.root.resolve().relative_to(setting.workspace.resolve())
        revision.extract((inside.as_posix(),), workspace, SPEC_ENDINGS)
        root = workspace / inside
        # The directory is new each time, so a cache of it is of no use.
        yield replace(setting, root=root, workspace=workspace, use_cache=False) if root.is_dir() else None


def extract_sources(revision: Revision, spec: DatasetSpec, there: Setting) -> None:
    """Write the sources of a dataset at a revision into the workspace of a setting.

    Raises: UsageError when git holds only a pointer to one
    """
    revision.extract((*spec.sources, *spec.heldout), there.workspace)
