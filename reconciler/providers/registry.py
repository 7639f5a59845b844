"""Every service by its profile's name: built in, brought by installed packages, or described by the operator.

A package brings services by entry points of the group `reconciler.dialects`, each the name of a profile and the place
of a `Profile`. They, and the operator's own, are read only when a name is not built in, so a start pays nothing for
them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any

from reconciler.domain.errors import UsageError
from reconciler.domain.spec import ProfileSpec
from reconciler.providers.openai import AZURE, COMPATIBLE, LOCAL, OPENAI
from reconciler.providers.openai_legacy import OPENAI_LEGACY
from reconciler.providers.own_profiles import make_profile
from reconciler.providers.profile import Profile

GROUP = "reconciler.dialects"

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (LOCAL, OPENAI, OPENAI_LEGACY, AZURE, COMPATIBLE)}
)
"""Every profile that is built in."""


def describe_nothing() -> tuple[ProfileSpec, ...]:
    """Return no profiles of an operator."""
    return ()


class ProfileCatalog(Collection[str]):
    """The profiles that a spec or a flag may name. As a collection, their names.

    Shape:  `read_own` reads what the operator describes, when a name is neither built in nor brought by a package
    """

    def __init__(self, read_own: Callable[[], tuple[ProfileSpec, ...]] = describe_nothing) -> None:
        self._read_own = read_own

    def __contains__(self, name: object) -> bool:
        return name in PROFILES or name in self._others()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*PROFILES, *self._others()}))

    def __len__(self) -> int:
        return len({*PROFILES, *self._others()})

    def find(self, name: str) -> Profile:
        """Return the profile of a name.

        Raises: UsageError for a name that nothing describes, for an entry point that is no profile, and for an
                operator's profile that cannot be used
        """
        if name in PROFILES:
            return PROFILES[name]
        if found := next((each for each in self._own() if each.name == name), None):
            return make_profile(found, self._find_base(found))
        return _find_installed(name, self)

    def _find_base(self, spec: ProfileSpec) -> Profile:
        if spec.like in PROFILES:
            return PROFILES[spec.like]
        if spec.like in _entry_points().names:
            return _find_installed(spec.like, self)
        known = ", ".join(sorted({*PROFILES, *_entry_points().names}))
        raise UsageError(f"the profile {spec.name} is like {spec.like}, and there is none; there are {known}")

    def _own(self) -> tuple[ProfileSpec, ...]:
        found = self._read_own()
        for each in found:
            if each.name in PROFILES:
                raise UsageError(f"the profile {each.name} is built in and cannot be described anew; give yours a name")
        return found

    def _others(self) -> set[str]:
        return {*_entry_points().names, *(each.name for each in self._own())}


PROFILE_NAMES = ProfileCatalog()
"""Every profile that is the same on each machine: built in, or brought by an installed package."""


def find_profile(name: str) -> Profile:
    """Return the profile of a name that is the same on each machine.

    Raises: UsageError for a name that neither is built in nor was installed, and for an entry point that is no profile
    """
    return PROFILE_NAMES.find(name)


def load_dialect(profile: Profile) -> object:
    """Return what the name of a profile's dialect leads to.

    Raises: UsageError when it leads to nothing
    """
    return _load(profile.name, profile.dialect)


def needs_app(profile: str | Profile, environ: Mapping[str, str]) -> bool:
    """Return whether opening this profile takes the application of the built-in service."""
    found = profile if isinstance(profile, Profile) else PROFILES.get(profile)
    return found is not None and found.in_process and not environ.get(found.url_variable, "").strip()


def _find_installed(name: str, names: Collection[str]) -> Profile:
    installed = _entry_points()
    if name not in installed.names:
        raise UsageError(f"there is no provider profile {name!r}; there are {', '.join(names)}")
    found = _load(name, installed[name].value)
    if not isinstance(found, Profile) or found.name != name:
        raise UsageError(f"the entry point {name} of the group {GROUP} does not lead to a Profile of that name")
    return found


def _entry_points() -> Any:
    # Importing this module takes as long as reading the specs, and few runs use a service that is not built in.
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _load(name: str, place: str) -> object:
    try:
        return resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"the profile {name} cannot be loaded from {place}: {error}") from error
