"""For tests of people who use the reconciler, and for those who write a dialect: a service in memory, and a contract.

`MemoryProvider` keeps the promises of a provider in dictionaries, with handles to let jobs run, fail and vanish.
`ProviderContract` holds any service to these promises.
"""

from reconciler.testing.contract import ContractService, Keeps, ProviderContract, dataset_of, model_of, rows_of
from reconciler.testing.memory import MemoryProvider
from reconciler.testing.memory_service import MemoryService

__all__ = [
    "ContractService",
    "Keeps",
    "MemoryProvider",
    "MemoryService",
    "ProviderContract",
    "dataset_of",
    "model_of",
    "rows_of",
]
