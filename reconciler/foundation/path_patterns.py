"""Files by a pattern such as `data/**/*.csv`: each directory is read once, however many `**` the pattern has.

`**` stands for any number of directories and does not follow links to them; a `*` in a name does. A file or directory
whose name begins with a dot is found only when the pattern names it.
"""

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path, PurePosixPath

MOST_VISITED = 200_000
"""Files and directories that are looked at for one pattern."""

_ANY_DEPTH = "**"
_MAGIC = re.compile(r"[*?\[]")


class TooManyPathsError(Exception):
    """A pattern for which more files and directories would have to be looked at than the bound allows."""


def match_paths(pattern: str, home: Path, most: int = MOST_VISITED) -> list[str]:
    """Return the paths below a directory that match a pattern, sorted, with forward slashes.

    Raises: TooManyPathsError
    Cost:   each directory that can hold a match is read once; a name is compared with each part of the pattern
    """
    parts = [
        part for part, before in _with_one_before(PurePosixPath(pattern).parts) if part != _ANY_DEPTH or before != part
    ]
    named = frozenset(parts)
    tests = [re.compile(translate(os.path.normcase(part))).match for part in parts]
    found: list[str] = []
    waiting = [("", frozenset({0}))]
    while waiting:
        prefix, begun = waiting.pop()
        # Places in the pattern where the next name may stand: after `**`, that is also the place after it.
        places = {at for start in begun for at in _reachable(parts, start)}
        for entry in _entries(home / prefix, [parts[at] for at in places]):
            most -= 1
            if most < 0:
                raise TooManyPathsError
            if entry.name.startswith(".") and entry.name not in named:
                continue
            name = os.path.normcase(entry.name)
            after = {at + 1 for at in places if parts[at] != _ANY_DEPTH and tests[at](name)}
            if len(parts) in after:
                found.append(prefix + entry.name)
            below = after - {len(parts)}
            if not _is_link(entry):
                below |= {at for at in places if parts[at] == _ANY_DEPTH}
            if below and _is_directory(entry):
                waiting.append((f"{prefix}{entry.name}/", frozenset(below)))
    return sorted(found)


def _with_one_before(parts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from zip(parts, ("", *parts), strict=False)


def _reachable(parts: list[str], start: int) -> Iterator[int]:
    yield start
    if parts[start] == _ANY_DEPTH and start + 1 < len(parts):
        yield start + 1


def _entries(directory: Path, parts: list[str]) -> Iterator["os.DirEntry[str]"]:
    # Where the pattern has plain names, other entries are not compared.
    plain = None if any(map(_MAGIC.search, parts)) else set(map(os.path.normcase, parts))
    try:
        with os.scandir(directory) as entries:
            yield from (each for each in entries if plain is None or os.path.normcase(each.name) in plain)
    except OSError:
        # A directory that cannot be read holds no match, as for a shell.
        return


def _is_link(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_symlink()
    except OSError:
        return True


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
