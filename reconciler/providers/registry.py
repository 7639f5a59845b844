"""Every service by its profile's name: those built in, and those that installed packages bring.

A package brings services by entry points of the group `reconciler.dialects`, each the name of a profile and the place
of a `Profile`. They are read only when a name is not built in, so a start pays nothing for them.
"""

from collections.abc import Collection, Iterator, Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any

from reconciler.domain.errors import UsageError
from reconciler.providers.openai import LOCAL, OPENAI
from reconciler.providers.openai_legacy import OPENAI_LEGACY
from reconciler.providers.profile import Profile

GROUP = "reconciler.dialects"

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (LOCAL, OPENAI, OPENAI_LEGACY)}
)
"""Every profile that is built in."""


class _ProfileNames(Collection[str]):
    """The names of all profiles. Installed packages are looked at only for a name that is not built in."""

    def __contains__(self, name: object) -> bool:
        return name in PROFILES or name in _entry_points().names

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*PROFILES, *_entry_points().names}))

    def __len__(self) -> int:
        return len({*PROFILES, *_entry_points().names})


PROFILE_NAMES: Collection[str] = _ProfileNames()
"""The name of every profile that a spec or a flag may give: built in, or brought by an installed package."""


def find_profile(name: str) -> Profile:
    """Return the profile of a name.

    Raises: UsageError for a name that neither is built in nor was installed, and for an entry point that is no profile
    """
    if name in PROFILES:
        return PROFILES[name]
    installed = _entry_points()
    if name not in installed.names:
        raise UsageError(f"there is no provider profile {name!r}; there are {', '.join(PROFILE_NAMES)}")
    found = _load(name, installed[name].value)
    if not isinstance(found, Profile) or found.name != name:
        raise UsageError(f"the entry point {name} of the group {GROUP} does not lead to a Profile of that name")
    return found


def load_dialect(profile: Profile) -> object:
    """Return what the name of a profile's dialect leads to.

    Raises: UsageError when it leads to nothing
    """
    return _load(profile.name, profile.dialect)


def needs_app(profile: str | Profile, environ: Mapping[str, str]) -> bool:
    """Return whether opening this profile takes the application of the built-in service."""
    found = profile if isinstance(profile, Profile) else PROFILES.get(profile)
    return found is not None and found.in_process and not environ.get(found.url_variable, "").strip()


def _entry_points() -> Any:
    # Importing this module takes as long as reading the specs, and few runs use a service that is not built in.
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _load(name: str, place: str) -> object:
    try:
        return resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"the profile {name} cannot be loaded from {place}: {error}") from error
