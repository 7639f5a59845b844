"""Reads files of a git revision: tracked blobs alone, as they were committed. Runs no hook and no filter."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import msgspec

from reconciler.domain.errors import UsageError
from reconciler.foundation.git import Git, GitError, GitMissingError, GitTimeoutError

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
