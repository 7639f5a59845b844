"""The services that are simulated, and their capabilities."""

from enum import StrEnum

from reconciler.domain.ports import Capabilities
from reconciler.providers import PROFILES
from tests.simulation.scheduler import Actor


class ServiceVariant(StrEnum):
    """The services: the Python port, and three that are spoken to over HTTP."""

    PORT = "port"
    OPENAI = "openai"
    NO_PAGES = "no-pages"
    LEGACY = "legacy"


PROFILE_OF = {
    ServiceVariant.OPENAI: "openai",
    ServiceVariant.NO_PAGES: "openai",
    ServiceVariant.LEGACY: "openai-legacy",
}


class SideBySide:
    """A provider whose observations, made by several threads, count as one span of time and one turn."""

    def __init__(self, inner: object, actor: Actor) -> None:
        self._inner, self._actor = inner, actor

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def observe(self) -> object:
        self._actor.looking = True
        try:
            return self._inner.observe()  # type: ignore[attr-defined]  # a provider, by delegation
        finally:
            self._actor.looked()


def capabilities_of(variant: ServiceVariant) -> Capabilities:
    """The bounds of a service as its profile says them; the port is given those of a hosted one."""
    return PROFILES[PROFILE_OF.get(variant, "openai")].capabilities
