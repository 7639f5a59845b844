"""Old names and adopted jobs, as the specs declare them. Pure.

A stamp is written once: no service lets it be changed. So a spec declares a rename (`moved`), and the adoption of a job
that bears no stamp of ours (`adopt`). Both are applied here, and everywhere else each object has the name that the
specs use today.

A lock file remembers a rename too: it names the job under the name that the specs had when it was written. So `moved`
may be taken out of a spec after an apply, and the job still has one name, and the plan one decision about its model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Part
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, Observed, RemoteFile, RemoteJob
from reconciler.domain.spec import DatasetSpec, ModelSpec, Specs


class NameMap(msgspec.Struct, frozen=True, kw_only=True):
    """Today's names of things.

    Shape:  `moved` maps each old address to today's; `adopted` maps a job to the stamp that it stands for; `recorded`
            maps a job to the stamp under which a lock file names it; `declared` are the models of the specs
    """

    moved: Mapping[Address, Address] = msgspec.field(default_factory=dict)
    adopted: Mapping[JobId, Stamp] = msgspec.field(default_factory=dict)
    recorded: Mapping[JobId, Stamp] = msgspec.field(default_factory=dict)
    declared: frozenset[Address] = frozenset()

    @classmethod
    def of(cls, specs: Specs, locks: Sequence[Lock] = ()) -> "NameMap":
        """Return the names that the specs of one root declare, and those that its lock files remember.

        Shape:  the first of the `locks` counts where two name one job
        """
        moved = {old: new for spec in specs.datasets for old, new in _dataset_moves(spec)}
        moved |= {Address(Kind.MODEL, old): _address(spec) for spec in specs.models for old in spec.moved}
        adopted = {spec.adopt.job: Stamp(_address(spec), spec.adopt.digest) for spec in specs.models if spec.adopt}
        declared = frozenset(map(_address, specs.models))
        return cls(moved=moved, adopted=adopted, recorded=_read_recorded(locks, moved, declared), declared=declared)

    @property
    def is_empty(self) -> bool:
        return not self.moved and not self.adopted and not self.recorded

    def rename_job(self, job: RemoteJob) -> RemoteJob:
        """Return a job under the name and stamp that the specs know it by; one that is not ours stays as it is."""
        if job.id in self.adopted:
            return replace(job, stamp=self.adopted[job.id], is_adopted=True)
        if job.stamp is None:
            return job
        today = self.rename_stamp(job.stamp)
        remembered = self.recorded.get(job.id)
        # A name that the specs declare is not taken from a job, whatever a lock file says of it.
        if remembered and today.address not in self.declared and today.digest.agrees(remembered.digest):
            today = Stamp(remembered.address, today.digest)
        return job if today == job.stamp else replace(job, stamp=today, moved_from=job.stamp.address)

    def rename_file(self, file: RemoteFile) -> RemoteFile:
        """Return a file under the name that the specs know it by."""
        if file.stamp is None or file.stamp.address not in self.moved:
            return file
        stamp = self.rename_stamp(file.stamp)
        return replace(file, stamp=stamp, filename=stamp.filename)

    def rename_stamp(self, stamp: Stamp) -> Stamp:
        """Return a stamp under today's name."""
        return Stamp(self.moved.get(stamp.address, stamp.address), stamp.digest)

    def all_stamps(self, stamp: Stamp) -> tuple[Stamp, ...]:
        """Return every stamp that a thing of this one may bear: today's first, then those of its old names."""
        return (stamp, *(Stamp(old, stamp.digest) for old in self._old(stamp.address)))

    def all_stamps_of(self, stamps: Iterable[Stamp]) -> frozenset[Stamp]:
        """Return every stamp that a thing with any of these may bear."""
        return frozenset(each for stamp in stamps for each in self.all_stamps(stamp))

    def all_versions(self, dataset: Dataset) -> tuple[Dataset, ...]:
        """Return a dataset under every name that its file may bear: today's first."""
        names = (old.name.partition(".")[0] for old in self._old(dataset.stamp.address))
        return (dataset, *(replace(dataset, spec=replace(dataset.spec, name=name)) for name in names))

    def rename_observed(self, observed: Observed) -> Observed:
        """Return what was seen, under the names that the specs use."""
        return replace(
            observed,
            files=tuple(map(self.rename_file, observed.files)),
            jobs=tuple(map(self.rename_job, observed.jobs)),
        )

    def rename_lock(self, lock: Lock) -> Lock:
        """Return what is locked, under the names that the specs use; an entry of today's name wins over an old one."""
        entries: dict[tuple[Address, str], LockEntry] = {}
        for entry in sorted(lock.entries, key=lambda entry: entry.address not in self.moved):
            datasets = tuple(replace(each, stamp=self.rename_stamp(each.stamp)) for each in entry.datasets)
            renamed = replace(entry, stamp=self.rename_stamp(entry.stamp), datasets=datasets)
            entries[renamed.address, renamed.service] = renamed
        return replace(lock, entries=tuple(entries[key] for key in sorted(entries)))

    def _old(self, address: Address) -> tuple[Address, ...]:
        return tuple(sorted(old for old, new in self.moved.items() if new == address))


def _address(spec: ModelSpec) -> Address:
    return Address(Kind.MODEL, spec.name)


def _read_recorded(
    locks: Sequence[Lock], moved: Mapping[Address, Address], declared: frozenset[Address]
) -> Mapping[JobId, Stamp]:
    """Return the stamp of each job that a lock file names for a model of the specs."""
    found: dict[JobId, Stamp] = {}
    for entry in (entry for lock in locks for entry in lock.entries):
        address = moved.get(entry.address, entry.address)
        if address in declared:
            found.setdefault(entry.job, Stamp(address, entry.stamp.digest))
    return found


def _dataset_moves(spec: DatasetSpec) -> Iterator[tuple[Address, Address]]:
    # The held-back side of a split has a file of its own, which moves with it.
    for old in spec.moved:
        for side in ("", f".{Part.VALIDATION}"):
            yield Address(Kind.DATASET, old + side), Address(Kind.DATASET, spec.name + side)
