"""Which spec roots lie under a directory. A directory with a Project of its own is a root of its own."""

import re
from pathlib import Path

_PROJECT = re.compile(rb"^kind:[ \t]*[\"']?Project\b", re.MULTILINE)
_READ_BYTES = 1 << 20


def find_roots(base: Path) -> tuple[Path, ...]:
    """Return the roots at or under a directory, sorted.

    Several directories with a Project are several roots. The only one is the root if nothing lies outside it, so that
    `specs` finds `specs/quickstart`. In every other case it is the directory itself.
    Source: only text is looked at, so that a broken document still shows where it belongs
    """
    files = _files(base)
    holders = sorted({path.parent for path in files if _PROJECT.search(_beginning(path))})
    if len(holders) > 1 or (holders and all(path.is_relative_to(holders[0]) for path in files)):
        return tuple(holders)
    return (base,)


def _files(base: Path) -> list[Path]:
    found = [*base.rglob("*.yaml"), *base.rglob("*.yml")] if base.is_dir() else []
    return [path for path in found if path.is_file() and not _hidden(path.relative_to(base))]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_READ_BYTES)
    except OSError:
        # The loader will say what is wrong with it, with its place.
        return b""
