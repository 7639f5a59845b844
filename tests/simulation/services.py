"""The services that are simulated, and their capabilities."""

from enum import StrEnum

from reconciler.domain.ports import Capabilities
from reconciler.providers import find_profile
from tests.simulation.scheduler import Actor
from tests.toy_service.dialect import TOY


class ServiceVariant(StrEnum):
    """The services: the Python port, and five that are spoken to over HTTP, one of them by a dialect of the tests."""

    PORT = "port"
    OPENAI = "openai"
    NO_PAGES = "no-pages"
    LEGACY = "legacy"
    TOY = "toy"
    AZURE = "azure"


CHOSEN = (ServiceVariant.PORT, ServiceVariant.OPENAI, ServiceVariant.NO_PAGES, ServiceVariant.LEGACY)
"""Those that a seed chooses among; a seed means the same history for ever, so this list never changes."""

PROFILE_OF = {
    ServiceVariant.OPENAI: find_profile("openai"),
    ServiceVariant.NO_PAGES: find_profile("openai"),
    ServiceVariant.LEGACY: find_profile("openai-legacy"),
    ServiceVariant.TOY: TOY,
    ServiceVariant.AZURE: find_profile("azure"),
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
    return PROFILE_OF.get(variant, find_profile("openai")).capabilities
