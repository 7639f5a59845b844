"""The files that a dataset is read from: regular files inside the repository, in the order that the spec gives."""

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from reconciler.dataset.report import RowReport
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import DatasetSpec, Terms
from reconciler.foundation.text import list_words, nearest

_MOST_NEIGHBOURS = 10_000
"""Names in a directory that are compared with the name of a missing file."""

DEFAULT_TERMS = Terms()
"""The terms of a source that is only a path."""


class Source(msgspec.Struct, frozen=True):
    """One file: its name within the repository, its path on this machine, and how it is read and counted.

    Shape:  `seen` is the device and number of the file that was checked: the file that is read must be the same one
    """

    name: str
    path: Path
    terms: Terms = DEFAULT_TERMS
    seen: tuple[int, int] | None = None

    @property
    def extension(self) -> str:
        return self.path.suffix.lower()

    def problem(
        self,
        rule: str,
        what: str,
        hint: str = "",
        *,
        line: int = 0,
        column: int = 0,
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """Return a problem of this file, or of a line of it."""
        where = Place(file=self.name, line=line, column=column)
        return Problem(where=where, what=what, hint=hint, rule=rule, severity=severity)


class Row(NamedTuple):
    """One row with the place it was read from.

    Shape:  `value` is what the source held; a table's rows are dicts of text by column
    """

    file: str
    line: int
    value: object

    def problem(self, rule: str, path: str, what: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        """Return a problem of this row; `path` is the path in it."""
        where = Place(file=self.file, line=self.line)
        return Problem(where=where, path=path, what=what, hint=hint, rule=rule, severity=severity)


class SourceFiles(msgspec.Struct, frozen=True):
    """The files of one dataset, and what is wrong with those that may not be read."""

    files: tuple[Source, ...]
    problems: tuple[Problem, ...] = ()


class SourceIndex:
    """Finds the files of each dataset once, however often a run asks for them."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._found: dict[object, SourceFiles] = {}

    def find(self, spec: DatasetSpec) -> SourceFiles:
        """Return the files of a dataset.

        Shape:  a pattern expands in sorted order, without directories
        Cost:   reads directories the first time; later changes on disk are not seen, but `open_source` refuses to read
                another file than the one that was found
        """
        key = spec.place, spec.sources, spec.terms
        if key not in self._found:
            problems: list[Problem] = []
            named = (each for pattern in spec.sources for each in _expand(pattern, spec, self._workspace, problems))
            checked = [_check_source(source, spec, self._workspace, problems) for source in named]
            self._found[key] = SourceFiles(tuple(source for source in checked if source), tuple(problems))
        return self._found[key]

    def open(self, spec: DatasetSpec, report: RowReport) -> tuple[Source, ...]:
        """Return the files of a dataset that may be read, and report the others."""
        found = self.find(spec)
        for problem in found.problems:
            report.stop_reading(problem)
        return found.files

    def names(self, spec: DatasetSpec) -> tuple[str, ...]:
        """Return the names of a dataset's files within the repository, and of the files that links lead to."""
        home, files = self._workspace.resolve(), self.find(spec).files
        real = (source.path.resolve() for source in files)
        behind = (path.relative_to(home).as_posix() for path in real if path.is_relative_to(home))
        return tuple(dict.fromkeys((*(source.name for source in files), *behind)))


def find_sources(spec: DatasetSpec, workspace: Path, report: RowReport) -> tuple[Source, ...]:
    """Return the files of a dataset that may be read, and report the others. For a single reading."""
    return SourceIndex(workspace).open(spec, report)


def spec_problem(
    spec: DatasetSpec, rule: str, path: str, what: str, hint: str = "", severity: Severity = Severity.ERROR
) -> Problem:
    """Return a problem at the place of a dataset in the specs."""
    return Problem(where=spec.place, path=path, what=what, hint=hint, rule=rule, severity=severity)


def _expand(pattern: str, spec: DatasetSpec, workspace: Path, problems: list[Problem]) -> Iterator[Source]:
    terms = dict(spec.terms).get(pattern, DEFAULT_TERMS)
    if _leaves_repository(pattern):
        problems.append(_outside(pattern, spec))
    elif os.path.lexists(workspace / pattern):
        yield Source(PurePosixPath(pattern).as_posix(), workspace / pattern, terms)
    elif glob.has_magic(pattern):
        files = [name for name in _match(pattern, workspace) if not (workspace / name).is_dir()]
        if not files:
            what, hint = f"no file matches `{pattern}`", "patterns start at the root of the repository"
            problems.append(spec_problem(spec, "source.missing", "source", what, hint))
        yield from (Source(Path(name).as_posix(), workspace / name, terms) for name in files)
    else:
        problems.append(_missing(pattern, spec, workspace))


def _match(pattern: str, workspace: Path) -> list[str]:
    # `**` does not follow links to directories. A hidden file is found only when the pattern names it.
    try:
        found = [path.relative_to(workspace) for path in workspace.glob(pattern)]
    except (ValueError, OSError):
        return []
    named = set(PurePosixPath(pattern).parts)
    return sorted(
        path.as_posix() for path in found if not any(part[0] == "." and part not in named for part in path.parts)
    )


def _leaves_repository(pattern: str) -> bool:
    windows = PureWindowsPath(pattern)
    return "\0" in pattern or pattern.startswith("/") or bool(windows.drive) or ".." in windows.parts


def _is_in_git_directory(parts: Iterable[str]) -> bool:
    # `git~1` is the short name that Windows gives the directory; there, dots and spaces at the end do not count.
    return any(part.rstrip(". ").lower() in {".git", "git~1"} for part in parts)


def _check_source(source: Source, spec: DatasetSpec, workspace: Path, problems: list[Problem]) -> Source | None:
    name, home = source.name, workspace.resolve()
    try:
        real = source.path.resolve(strict=True)
        found = real.stat()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its links form a circle"
        problems.append(spec_problem(spec, "source.unreadable", "source", f"`{name}` cannot be read: {reason}"))
        return None
    if not real.is_relative_to(home):
        problems.append(_outside(name, spec))
        return None
    if _is_in_git_directory(PurePosixPath(name).parts) or _is_in_git_directory(real.relative_to(home).parts):
        what = f"`{name}` is in git's own directory, which may hold credentials"
        hint = "name a file that is part of the repository's content"
        problems.append(spec_problem(spec, "source.git", "source", what, hint))
        return None
    if not stat.S_ISREG(found.st_mode):
        is_directory = stat.S_ISDIR(found.st_mode)
        kind = "a directory" if is_directory else "a pipe, a socket or a device"
        hint = f"to read every file in it, write a pattern such as `{name}/*.jsonl`" if is_directory else ""
        problems.append(spec_problem(spec, "source.kind", "source", f"`{name}` is {kind}, not a file", hint))
        return None
    return replace(source, seen=(found.st_dev, found.st_ino))


def _missing(name: str, spec: DatasetSpec, workspace: Path) -> Problem:
    path = workspace / name
    above = next((parent for parent in path.parents if parent.is_dir()), workspace)
    if above != path.parent:
        wanted = PurePosixPath(name).parts[len(above.relative_to(workspace).parts)]
        what, kind = f"there is no file `{name}`: no directory `{wanted}`", "directories"
    else:
        what, kind, wanted = f"there is no file `{name}`", "files", path.name
    names = _list_directory(above, directories=kind == "directories")
    near = nearest(wanted, names)
    if near:
        hint = f"did you mean `{(above / near).relative_to(workspace).as_posix()}`?"
    else:
        hint = f"{kind} there: {list_words(names, 5)}" if names else ""
    return spec_problem(spec, "source.missing", "source", what, hint)


def _list_directory(directory: Path, directories: bool) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            some = islice(entries, _MOST_NEIGHBOURS)
            return sorted(
                entry.name for entry in some if entry.is_dir() == directories and not entry.name.startswith(".")
            )
    except OSError:
        return []


def _outside(name: str, spec: DatasetSpec) -> Problem:
    hint = "copy the data into the repository and name it by its path from there"
    return spec_problem(spec, "source.outside", "source", f"`{name}` leads out of the repository", hint)
