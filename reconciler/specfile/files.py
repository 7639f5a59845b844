"""Find spec roots and spec files, and read them: only regular files inside the repository, up to a size.

`home` is the workspace. The directory of every path is real, without links. So names decide whether a file is inside,
and a link goes by its own name.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.domain.errors import InputError, Place, Problem
from reconciler.foundation.path_patterns import MOST_VISITED, TooManyPathsError, match_paths
from reconciler.specfile.yaml.text import MAX_BYTES

_LOCK = re.compile(r"models(?:\.([a-z0-9-]+))?\.lock\.yaml")
MAX_FILES = 50_000
_ENDINGS = {".yaml", ".yml"}


def lock_name(environment: str | None) -> str:
    """Return the name of the lock file in a spec root. Each environment has its own."""
    return f"models.{environment}.lock.yaml" if environment else "models.lock.yaml"


def is_lock(path: Path) -> bool:
    """Return whether a file is a lock file, by its name."""
    return _LOCK.fullmatch(path.name) is not None


def find_lock_environments(root: Path) -> tuple[str, ...]:
    """Return the environments that have a lock file in a spec root, sorted; the empty one is that of no environment."""
    try:
        found = [match[1] or "" for each in root.iterdir() if (match := _LOCK.fullmatch(each.name))]
    except OSError:
        return ()
    return tuple(sorted(found))


def find_workspace(root: Path) -> Path:
    """Return the repository around a spec root. Paths are relative to it, and no file may be outside.

    Shape:  the nearest directory at or above the root that holds `.git`; without one, the current directory if the
            root is in it, else the root itself. Of a root that is a link out of a repository, that repository: then
            the root is outside, and is refused when its specs are read
    """
    here, around = real_path(root), _find_repository_of_link(root)
    if around and not here.is_relative_to(around):
        return around
    for each in (here, *here.parents):
        if (each / ".git").exists():
            return each
    current = real_path(Path.cwd())
    return current if here.is_relative_to(current) else here


def _find_repository_of_link(root: Path) -> Path | None:
    # A commit can make the root, or a directory on the way to it, a link to anywhere.
    written = Path(os.path.abspath(root))
    return next((real_path(each) for each in written.parents if (each / ".git").exists()), None)


def real_path(path: Path) -> Path:
    """Return a path without links, as far as it exists."""
    return Path(os.path.realpath(path))


def place_name(path: Path, home: Path) -> str:
    """Return a path as messages show it: relative to the workspace if it is inside, with forward slashes."""
    name = path.relative_to(home) if path.is_relative_to(home) else path
    return name.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def spec_files(root: Path, home: Path, most: int = MOST_VISITED) -> tuple[tuple[Path, ...], tuple[Problem, ...]]:
    """Return the spec files of a root in order, and a problem for each link and directory that cannot be followed.

    Raises: InputError when there is no such root, it is outside the repository, it holds too many spec files, or more
            than `most` files and directories would have to be looked at
    """
    name = place_name(root, home)
    if not root.is_relative_to(home):
        raise _input_error(name, "this is outside the repository", "name a root inside it", "spec.outside")
    if not root.exists():
        hint = "name another root, or let 'reconciler init' write one to start from"
        raise _input_error(name, "there is no such directory", hint, "spec.no-root")
    if not root.is_dir():
        raise _input_error(name, "this is not a directory", "name the directory that contains it", "spec.no-root")
    problems: list[Problem] = []
    found: list[Path] = []
    for path in _walk(root, home, problems, most):
        found.append(path)
        if len(found) > MAX_FILES:
            raise _input_error(name, f"this holds more than {MAX_FILES:,} spec files", "split it", "spec.too-many")
    return tuple(sorted(found, key=lambda path: path.parts)), tuple(problems)


def read_bytes(path: Path, home: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file, and one byte more than the limit if it is larger.

    Raises: InputError when it is outside the workspace, is not a regular file, or cannot be read
    """
    name = place_name(path, home)
    try:
        if not real_path(path).is_relative_to(home):
            hint = "put the file itself into the repository"
            raise _input_error(name, "this link leads out of the repository", hint, "spec.outside")
        if not stat.S_ISREG(path.stat().st_mode):
            raise _input_error(name, "this is not a regular file", "rename or remove it", "spec.unreadable")
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise InputError((_unreadable(name, error),)) from error


def _walk(root: Path, home: Path, problems: list[Problem], most: int) -> Iterator[Path]:
    """Yield every spec file below a root, and below links from there to other places in the repository."""
    waiting, seen, left = [root], {root}, most
    while waiting:
        here = waiting.pop()
        try:
            entries = [each for each in here.iterdir() if not each.name.startswith(".")]
        except OSError as error:
            problems.append(_unreadable(place_name(here, home), error))
            continue
        left -= len(entries)
        if left < 0:
            raise _too_many_paths(place_name(root, home), most)
        for entry in entries:
            if not entry.is_dir():
                if entry.suffix.lower() in _ENDINGS and not _LOCK.fullmatch(entry.name):
                    yield entry
            elif not (target := real_path(entry)).is_relative_to(home):
                hint = "put the directory itself into the repository"
                what = "this link leads out of the repository"
                problems.append(_problem(place_name(entry, home), what, hint, "spec.outside"))
            elif target not in seen:
                seen.add(target)
                waiting.append(target)


def _unreadable(name: str, error: OSError) -> Problem:
    what = f"this cannot be read: {error.strerror}"
    return _problem(name, what, "correct it, or move it out of the root", "spec.unreadable")


def _too_many_paths(name: str, most: int) -> InputError:
    what = f"this holds more than {most:,} files and directories"
    return _input_error(name, what, "name the directory that holds the specs, such as specs/", "spec.too-many")


def _input_error(name: str, what: str, hint: str, rule: str) -> InputError:
    return InputError((_problem(name, what, hint, rule),))


def _problem(name: str, what: str, hint: str, rule: str) -> Problem:
    return Problem(where=Place(file=name), what=what, hint=hint, rule=rule)


_PROJECT = re.compile(rb"^kind:[ \t]*[\"']?Project\b", re.MULTILINE)
_READ_BYTES = 1 << 20


def find_roots(base: Path, most: int = MOST_VISITED) -> tuple[Path, ...]:
    """Return the roots at or under a directory, sorted.

    Several directories with a Project are several roots. A single one is the root if no spec is outside it, so that
    `specs` finds `specs/quickstart`. In every other case the directory itself is the root.
    Source: only the text is searched, so that a broken document still belongs to its root
    Raises: InputError, when more than `most` files and directories would have to be looked at
    Cost:   one walk, without hidden directories
    """
    try:
        files = yaml_files(base, most)
    except TooManyPathsError as error:
        raise _too_many_paths(place_name(base, Path.cwd()), most) from error
    holders = sorted({path.parent for path in files if _PROJECT.search(_read_beginning(path))})
    if len(holders) > 1 or (holders and all(path.is_relative_to(holders[0]) for path in files)):
        return tuple(holders)
    return (base,)


def yaml_files(base: Path, most: int = MOST_VISITED) -> list[Path]:
    """Return every YAML file at or under a directory, sorted.

    Raises: TooManyPathsError, when more than `most` files and directories would have to be looked at
    """
    found = match_paths("**/*.[yY]*[mM][lL]", base, most) if base.is_dir() else []
    return [path for path in map(base.joinpath, found) if path.suffix.lower() in _ENDINGS and _is_file(path)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # What cannot be looked at is no root; the loader says so where it belongs to one.
        return False


def _read_beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_READ_BYTES)
    except OSError:
        # The loader reports what is wrong with it, with its place.
        return b""
