"""What every provider promises. Each promise is made by every service alike."""

from reconciler.testing import ContractService, ProviderContract
from tests.contract.services import (
    AzureHttpService,
    HttpService,
    LegacyHttpService,
    MemoryContractService,
    ToyHttpService,
)


class TestMemory(ProviderContract):
    """The provider in dictionaries."""

    def open_service(self) -> ContractService:
        return MemoryContractService()


class TestOpenAI(ProviderContract):
    """Today's dialect over HTTP."""

    def open_service(self) -> ContractService:
        return HttpService()


class TestOpenAILegacy(ProviderContract):
    """The dialect of 2021 to 2023 over HTTP."""

    def open_service(self) -> ContractService:
        return LegacyHttpService()


class TestToy(ProviderContract):
    """A seventh service: a dialect of its own, and a line of the registry."""

    def open_service(self) -> ContractService:
        return ToyHttpService()


class TestAzure(ProviderContract):
    """Azure's v1 API: today's dialect, with a key, files and deletions of its own."""

    def open_service(self) -> ContractService:
        return AzureHttpService()
