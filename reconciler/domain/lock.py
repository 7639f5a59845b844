"""The lock: the serving models, as committed beside the specs. It warns and exports, and never decides."""

import msgspec

from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import JobId, ModelId


class LockedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a model was trained on, by its content. Offline comparisons find the earlier rows by it."""

    stamp: Stamp
    rows: int


class LockEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The serving model of one address on one service.

    Shape:  `service` as in Observed, so that the local service of another machine, or another account, gives no
            warning; `finished_at` in Unix seconds of the service; `datasets` are training and validation, empty in
            files of older versions
    """

    stamp: Stamp
    provider: str
    service: str
    job: JobId
    model: ModelId
    finished_at: int | None = None
    datasets: tuple[LockedDataset, ...] = ()

    @property
    def address(self) -> Address:
        return self.stamp.address


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """All lock entries, sorted by address.

    Shape:  `cancelled` are jobs that a plan cancelled: wanted again, they are trained without a request
    """

    entries: tuple[LockEntry, ...] = ()
    cancelled: tuple[JobId, ...] = ()

    def of(self, service: str) -> tuple[LockEntry, ...]:
        """Return the entries of one service."""
        return tuple(entry for entry in self.entries if entry.service == service)

    def find(self, address: Address, provider: str = "") -> LockEntry | None:
        """Return the entry of one model; with a `provider`, the one on a service of that profile."""
        named = (entry for entry in self.entries if entry.address == address)
        return next((entry for entry in named if provider in ("", entry.provider)), None)


class OtherLock(msgspec.Struct, frozen=True, kw_only=True):
    """The lock file of another environment, beside the one that a plan is for: what it names is used there.

    Shape:  `environment` is empty for the file of no environment
    """

    file: str
    environment: str
    lock: Lock
