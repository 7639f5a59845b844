"""Which files a dataset is read from: inside the repository, regular files, in the order that the spec gives."""

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
from reconciler.domain.errors import Problem
from reconciler.domain.spec import DatasetSpec, Terms
from reconciler.foundation.suggest import list_words, nearest

_NEIGHBOURS = 10_000
"""Names in a directory that are looked through for one like a missing file."""


DEFAULT_TERMS = Terms()
"""What a path alone says."""


class Source(msgspec.Struct, frozen=True):
    """One file: its name within the repository, where it is on this machine, and how it is read and counted.

    Shape:  `seen` is the device and number of the file that was looked at: what is read later must be that one
    """

    name: str
    path: Path
    terms: Terms = DEFAULT_TERMS
    seen: tuple[int, int] | None = None

    @property
    def extension(self) -> str:
        return self.path.suffix.lower()


def find_sources(spec: DatasetSpec, workspace: Path, report: RowReport) -> tuple[Source, ...]:
    """Expand the sources of a spec to files that may be read; what may not is reported at the spec's place.

    Shape:  a pattern expands in sorted order and leaves directories out
    """
    found = [source for pattern in spec.sources for source in _expand(pattern, spec, workspace, report)]
    looked_at = (_check_source(source, spec, workspace, report) for source in found)
    return tuple(source for source in looked_at if source)


def _expand(pattern: str, spec: DatasetSpec, workspace: Path, report: RowReport) -> Iterator[Source]:
    terms = dict(spec.terms).get(pattern, DEFAULT_TERMS)
    if _leaves(pattern):
        report.stop_reading(_outside(pattern, spec))
    elif os.path.lexists(workspace / pattern):
        yield Source(PurePosixPath(pattern).as_posix(), workspace / pattern, terms)
    elif glob.has_magic(pattern):
        names = _matching(pattern, workspace)
        files = [name for name in names if not (workspace / name).is_dir()]
        if not files:
            report.stop_reading(
                _problem(
                    spec,
                    "source.missing",
                    f"no file matches `{pattern}`",
                    "patterns start at the root of the repository",
                )
            )
        yield from (Source(Path(name).as_posix(), workspace / name, terms) for name in files)
    else:
        report.stop_reading(_missing(pattern, spec, workspace))


def _matching(pattern: str, workspace: Path) -> list[str]:
    # Links to directories are not walked by `**`, and what is hidden is only found by its name.
    try:
        found = [path.relative_to(workspace) for path in workspace.glob(pattern)]
    except (ValueError, OSError):
        return []
    asked = set(PurePosixPath(pattern).parts)
    return sorted(
        path.as_posix() for path in found if not any(part[0] == "." and part not in asked for part in path.parts)
    )


def _leaves(pattern: str) -> bool:
    windows = PureWindowsPath(pattern)
    return "\0" in pattern or pattern.startswith("/") or bool(windows.drive) or ".." in windows.parts


def _is_gits_own(parts: Iterable[str]) -> bool:
    # The second name is the one that Windows gives it besides; there, dots and spaces at the end do not count.
    return any(part.rstrip(". ").lower() in {".git", "git~1"} for part in parts)


def _check_source(source: Source, spec: DatasetSpec, workspace: Path, report: RowReport) -> Source | None:
    home = workspace.resolve()
    try:
        real = source.path.resolve(strict=True)
        found = real.stat()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its links go in a circle"
        report.stop_reading(_problem(spec, "source.unreadable", f"`{source.name}` cannot be read: {reason}", ""))
        return None
    if not real.is_relative_to(home):
        report.stop_reading(_outside(source.name, spec))
        return None
    if _is_gits_own(PurePosixPath(source.name).parts) or _is_gits_own(real.relative_to(home).parts):
        what = f"`{source.name}` lies in git's own directory, which may hold credentials"
        report.stop_reading(_problem(spec, "source.git", what, "name a file that is part of the repository's content"))
        return None
    if not stat.S_ISREG(found.st_mode):
        is_directory = stat.S_ISDIR(found.st_mode)
        kind = "a directory" if is_directory else "a pipe, a socket or a device"
        hint = f"to read every file in it, write a pattern such as `{source.name}/*.jsonl`" if is_directory else ""
        report.stop_reading(_problem(spec, "source.kind", f"`{source.name}` is {kind}, not a file", hint))
        return None
    return replace(source, seen=(found.st_dev, found.st_ino))


def _missing(name: str, spec: DatasetSpec, workspace: Path) -> Problem:
    path = workspace / name
    above = next((each for each in path.parents if each.is_dir()), workspace)
    if above != path.parent:
        wanted = PurePosixPath(name).parts[len(above.relative_to(workspace).parts)]
        what, kind = f"there is no file `{name}`: no directory `{wanted}`", "directories"
        names = _names(above, directories=True)
    else:
        what, kind, wanted = f"there is no file `{name}`", "files", path.name
        names = _names(above, directories=False)
    like = nearest(wanted, names)
    if like:
        hint = f"did you mean `{(above / like).relative_to(workspace).as_posix()}`?"
    else:
        hint = f"{kind} there: {list_words(names, 5)}" if names else ""
    return _problem(spec, "source.missing", what, hint)


def _names(directory: Path, directories: bool) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return sorted(
                each.name
                for each in islice(entries, _NEIGHBOURS)
                if each.is_dir() == directories and not each.name.startswith(".")
            )
    except OSError:
        return []


def _outside(name: str, spec: DatasetSpec) -> Problem:
    return _problem(
        spec,
        "source.outside",
        f"`{name}` leads out of the repository",
        "copy the data into the repository and name it by its path from there",
    )


def _problem(spec: DatasetSpec, rule: str, what: str, hint: str) -> Problem:
    return Problem(where=spec.place, path="source", rule=rule, what=what, hint=hint)


class Row(NamedTuple):
    """One row with the place it was read from.

    Shape:  `value` is whatever the source held; a table's rows are dicts of text by column
    """

    file: str
    line: int
    value: object
