"""Services: verbs to HTTP, JSON to nouns. Hands names on, and loads HTTP only for those who use it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reconciler.providers.profile import Profile
from reconciler.providers.registry import PROFILE_NAMES, PROFILES, ProfileCatalog, find_profile, needs_app
from reconciler.providers.service_rules import RuleFault, base_faults, recipe_faults, row_fault

if TYPE_CHECKING:
    from reconciler.providers.factory import open_provider
    from reconciler.providers.http.auth import describe_signing
    from reconciler.providers.http.provider import HttpProvider
    from reconciler.providers.renaming import with_renames

__all__ = [
    "PROFILES",
    "PROFILE_NAMES",
    "HttpProvider",
    "Profile",
    "ProfileCatalog",
    "RuleFault",
    "base_faults",
    "describe_signing",
    "find_profile",
    "needs_app",
    "open_provider",
    "recipe_faults",
    "row_fault",
    "with_renames",
]

_HOMES = {
    "HttpProvider": "http.provider",
    "describe_signing": "http.auth",
    "open_provider": "factory",
    "with_renames": "renaming",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # HTTP takes a tenth of a second to import, and `validate` looks at profiles only.
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
