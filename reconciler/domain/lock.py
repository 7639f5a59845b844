"""The lock: the serving models, as committed beside the specs. It warns and exports, and never decides."""

from collections.abc import Collection, Mapping

import msgspec

from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import JobId, ModelId, Observed


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
        """Return the entries of one account, under whichever address of its service they were written."""
        return tuple(entry for entry in self.entries if is_same_account(entry.service, service))

    def find(self, address: Address, provider: str = "") -> LockEntry | None:
        """Return the entry of one model; with a `provider`, the newest one on a service of that profile."""
        named = (entry for entry in self.entries if entry.address == address and provider in ("", entry.provider))
        return max(named, key=lambda entry: entry.finished_at or 0, default=None)


def find_departed(lock: Lock, named: Collection[Address], observed: Observed) -> tuple[LockEntry, ...]:
    """Return the lock entries of models that no spec names, where no job of ours shows the model that is still there.

    An adopted job bears no mark, and a service may forget an old job: the lock file alone knows such a model.
    """
    listed = {job.id for job in observed.jobs}
    return tuple(
        entry
        for entry in lock.of(observed.service)
        if entry.address not in named and entry.model in observed.models and entry.job not in listed
    )


class OtherLock(msgspec.Struct, frozen=True, kw_only=True):
    """The lock file of another environment, beside the one that a plan is for: what it names is used there.

    Shape:  `environment` is empty for the file of no environment
    """

    file: str
    environment: str
    lock: Lock


class Mentions(msgspec.Struct, frozen=True, kw_only=True):
    """What the YAML files of a repository name on the service, beside the lock files of the root at hand.

    Shape:  `files` maps an id, as `plain_id` gives it, to the first file that names it; `doubt` says why the files were
            not looked at
    """

    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    doubt: str = ""


def is_same_account(service: str, other: str) -> bool:
    """Return whether two services, as in Observed, are one account, as far as they say.

    One service has several addresses, and one address may lead to several accounts. So an organization or a project
    that both state and that differ are two accounts; one organization that both state is one; otherwise the address
    decides.
    """
    (host, organization, project), (other_host, other_organization, other_project) = map(
        _split_service, (service, other)
    )
    if _differ(organization, other_organization) or _differ(project, other_project):
        return False
    return bool(organization and other_organization) or host == other_host


def complete_service(service: str, earlier: str) -> str:
    """Return the name of a service with what an earlier name of the same account says, and this one does not."""
    (host, organization, project), (_, known_organization, known_project) = map(_split_service, (service, earlier))
    return name_service(host, organization or known_organization, project or known_project)


def name_service(host: str, organization: str | None, project: str | None) -> str:
    """Return the name of a service and of the account there, as far as its answers say: `host/organization/project`."""
    return "/".join((host, organization or "", project or "")).rstrip("/")


def _split_service(service: str) -> tuple[str, str, str]:
    host, _, account = service.partition("/")
    organization, _, project = account.partition("/")
    return host, organization, project


def _differ(stated: str, other: str) -> bool:
    return bool(stated and other) and stated != other


def merge_locks(before: Lock, mine: Lock, now: Lock) -> Lock:
    """Return what the lock file has to hold: what it holds now, with what one run changed since it read it.

    Shape:  `before` is what the run read, `mine` what it wants to write, `now` what the file holds, all under the same
            names; where both changed one entry, the model that finished later is the serving one
    """
    old, wanted, merged = _by_key(before), _by_key(mine), _by_key(now)
    for key in sorted(old.keys() | wanted.keys()):
        entry = wanted.get(key)
        if entry == old.get(key):
            continue
        if entry is None:
            if merged.get(key) == old.get(key):
                merged.pop(key, None)
        elif key not in merged or merged[key] == old.get(key) or _is_later(entry, merged[key]):
            merged[key] = entry
    removed, added = set(before.cancelled) - set(mine.cancelled), set(mine.cancelled) - set(before.cancelled)
    return Lock(
        entries=tuple(merged[key] for key in sorted(merged)),
        cancelled=tuple(sorted((set(now.cancelled) - removed) | added)),
    )


def _by_key(lock: Lock) -> dict[tuple[Address, str], LockEntry]:
    return {(entry.address, entry.service): entry for entry in lock.entries}


def _is_later(entry: LockEntry, other: LockEntry) -> bool:
    return (entry.finished_at or 0, entry.job) >= (other.finished_at or 0, other.job)
