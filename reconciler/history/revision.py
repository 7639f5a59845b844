"""Reads files of a git revision: tracked blobs alone, taken out as they were committed. Runs no hook and no filter."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from reconciler.domain.errors import UsageError

_DEADLINE_SECONDS = 120
_POINTER = b"version https://git-lfs.github.com/spec/"
_SHORT = 12
_FILES = ("100644", "100755")
_MAGIC = frozenset("*?[")
# What a repository's own settings could start is switched off, and nothing is fetched or asked for.
_SETTINGS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of the repository around a workspace."""

    name: str
    commit: str
    workspace: Path

    def take_out(self, patterns: tuple[str, ...], directory: Path, endings: tuple[str, ...] = ("",)) -> None:
        """Write the files of some paths, directories and globs below a directory, each at its own path.

        Shape:  only those whose names end in one of the `endings`
        Raises: UsageError for a file that git only holds a pointer to
        """
        for path, blob in self._blobs(patterns):
            if not path.lower().endswith(endings):
                continue
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                _git(self.workspace, "cat-file", "blob", blob, out=file)
            with target.open("rb") as file:
                is_pointer = file.read(len(_POINTER)) == _POINTER
            if is_pointer:
                target.unlink()
                raise UsageError(
                    f"{self.name}:{path} is only a pointer of Git LFS: its content is not in the repository; "
                    "fetch it with git lfs, write it to a file, and compare that"
                )

    def _blobs(self, patterns: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        # Literal paths: what a pattern means is decided where the files lie, below the part of it that is no pattern.
        prefixes = sorted({fixed for pattern in patterns if (fixed := _fixed_part(pattern))})
        paths = () if any(not _fixed_part(pattern) for pattern in patterns) else prefixes
        listed = _git(self.workspace, "--literal-pathspecs", "ls-tree", "-r", "-z", self.commit, "--", *paths)
        for entry in listed.split(b"\0")[:-1]:
            facts, _, raw = entry.partition(b"\t")
            mode, kind, blob = facts.decode().split(" ")[:3]
            path = os.fsdecode(raw)
            if kind == "blob" and mode in _FILES and _is_tame(path):
                yield path, blob


def open_revision(name: str, workspace: Path) -> Revision:
    """Find a revision by any name that git has for it.

    Raises: UsageError when there is none, or no git
    """
    try:
        said = _git(workspace, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except UsageError as error:
        if isinstance(error.__cause__, subprocess.CalledProcessError):
            raise UsageError(f"{name}: git knows no such revision in {workspace}") from error
        raise
    return Revision(name=name, commit=said.decode().strip(), workspace=workspace)


def open_common(one: str, other: str, workspace: Path) -> Revision | None:
    """Find the newest revision that two revisions have in common; None when there is none, or no such revisions.

    Raises: UsageError when there is no git
    """
    try:
        names = [open_revision(name, workspace).commit for name in (one, other)]
        said = _git(workspace, "merge-base", *names)
    except UsageError as error:
        if isinstance(_origin(error), subprocess.CalledProcessError):
            return None
        raise
    return _of_commit(said, workspace)


def open_last_change(path: str, workspace: Path) -> Revision | None:
    """Find the newest revision before this one, or this one, that changed a file; None when none did.

    Raises: UsageError when there is no git, or no revision at all
    """
    head = open_revision("HEAD", workspace)
    said = _git(workspace, "--literal-pathspecs", "rev-list", "--max-count=1", head.commit, "--", path)
    return _of_commit(said, workspace) if said.strip() else None


def _of_commit(said: bytes, workspace: Path) -> Revision:
    commit = said.decode().split()[0]
    return Revision(name=commit[:_SHORT], commit=commit, workspace=workspace)


def _origin(error: BaseException) -> BaseException:
    return _origin(error.__cause__) if error.__cause__ else error


def _fixed_part(pattern: str) -> str:
    parts = []
    for part in PurePosixPath(pattern).parts:
        if _MAGIC & set(part):
            break
        parts.append(part)
    return "/".join(parts)


def _is_tame(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and ".git" not in parts


def _git(workspace: Path, *arguments: str, out: BinaryIO | None = None) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (a list of arguments, and no shell)
            ["git", *_SETTINGS, *arguments],  # noqa: S607 (whichever git its user has)
            cwd=workspace,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=out or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=_DEADLINE_SECONDS,
            check=True,
        )
    except FileNotFoundError as error:
        raise UsageError("there is no git here, and only git can read a revision") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {_DEADLINE_SECONDS} seconds") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"git refused: {said[-1] if said else f'exit code {error.returncode}'}") from error
    return done.stdout or b""
