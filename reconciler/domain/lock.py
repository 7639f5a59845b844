"""What answered last, as committed beside the specs: an alarm and an export, never the authority."""

import msgspec

from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import JobId, ModelId


class LockedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a model was made of, by its content: offline, the rows before are known by it."""

    stamp: Stamp
    rows: int


class LockEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One model that was seen to have succeeded.

    Shape:  `service` as in Observed, so that another machine's local service or another account is no alarm;
            `finished_at` in Unix seconds of the service; `datasets` are training and validation, and empty in files
            that were written before they were recorded
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
    """All of them, sorted by address.

    Shape:  `cancelled` are jobs that a plan of ours cancelled: wanted again they may be trained without being asked
    """

    entries: tuple[LockEntry, ...] = ()
    cancelled: tuple[JobId, ...] = ()

    def of(self, service: str) -> tuple[LockEntry, ...]:
        """Return what is locked on one service."""
        return tuple(entry for entry in self.entries if entry.service == service)

    def find(self, address: Address) -> LockEntry | None:
        """Return the entry of one model."""
        return next((entry for entry in self.entries if entry.address == address), None)
