"""The services that the operator of this machine describes, in a file outside of every repository.

A pull request changes files of its repository. It must never decide where a key is sent.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from reconciler.domain.errors import UsageError
from reconciler.domain.spec import ProfileSpec
from reconciler.providers import ProfileCatalog
from reconciler.specfile import read_profiles

PROFILES_VARIABLE = "RECONCILER_PROFILES"
_BELOW_CONFIG = Path("reconciler", "profiles.yaml")
_OF_MACHINE = Path("/etc")


def open_catalog(workspace: Path, environ: Mapping[str, str]) -> ProfileCatalog:
    """Return the profiles that can be named here; the operator's file is read when one of them is asked for."""
    return ProfileCatalog(partial(_read_own, workspace, tuple(_find_files(environ))))


def _find_files(environ: Mapping[str, str]) -> list[Path]:
    """Return the files that describe services: the one of the variable, or the user's and then the machine's."""
    if stated := environ.get(PROFILES_VARIABLE, "").strip():
        return [Path(stated)]
    places = (_find_config_directory(environ), _OF_MACHINE)
    return [path for place in places if place and (path := place / _BELOW_CONFIG).exists()]


def _find_config_directory(environ: Mapping[str, str]) -> Path | None:
    if (chosen := environ.get("XDG_CONFIG_HOME", "")) and Path(chosen).is_absolute():
        return Path(chosen)
    if sys.platform == "win32":
        return Path(chosen) if (chosen := environ.get("APPDATA", "")) else None
    return Path(home, ".config") if (home := environ.get("HOME")) else None


def _read_own(workspace: Path, files: tuple[Path, ...]) -> tuple[ProfileSpec, ...]:
    """Return every service that the files describe; where two describe one, the first counts.

    Raises: UsageError for a file in the repository of the specs, and one that cannot be read; InputError
    """
    found: dict[str, ProfileSpec] = {}
    for file in files:
        real = Path(os.path.realpath(file))
        if real.is_relative_to(os.path.realpath(workspace)):
            raise UsageError(
                f"the profiles file {file} lies in the repository of the specs, where a pull request can change it and"
                f" so decide where a key is sent; keep it outside, and set {PROFILES_VARIABLE} to its path"
            )
        for each in _read_once(real, str(file)):
            found.setdefault(each.name, each)
    return tuple(found.values())


@cache
def _read_once(file: Path, name: str) -> tuple[ProfileSpec, ...]:
    return read_profiles(Path(name))
