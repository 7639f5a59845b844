"""The service's room: verbs to HTTP, JSON to nouns. Hands names on, and loads HTTP only for those who use it."""

from typing import TYPE_CHECKING, Any

from reconciler.providers.profiles import PROFILES, Profile, needs_app

if TYPE_CHECKING:
    from reconciler.providers.factory import open_provider
    from reconciler.providers.http.auth import describe_signing
    from reconciler.providers.openai.provider import OpenAIProvider
    from reconciler.providers.openai_legacy.provider import LegacyProvider
    from reconciler.providers.renaming import with_renames

__all__ = [
    "PROFILES",
    "LegacyProvider",
    "OpenAIProvider",
    "Profile",
    "describe_signing",
    "needs_app",
    "open_provider",
    "with_renames",
]

_HOMES = {
    "LegacyProvider": "openai_legacy.provider",
    "OpenAIProvider": "openai.provider",
    "with_renames": "renaming",
    "open_provider": "factory",
    "describe_signing": "http.auth",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
