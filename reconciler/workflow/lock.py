"""The serving models and the newest jobs, by the names of models: from the lock file, else from the service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Desired
from reconciler.domain.errors import InputError, NotFoundError, UsageError
from reconciler.domain.identity import Address, Kind
from reconciler.domain.lock import (
    Lock,
    LockedDataset,
    LockEntry,
    Mentions,
    OtherLock,
    complete_service,
    find_departed,
    is_same_account,
)
from reconciler.domain.observed import JobId, Observed, RemoteJob, oldest_first
from reconciler.domain.plan import Options
from reconciler.domain.ports import Provider
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Specs
from reconciler.specfile import find_lock_environments, find_mentions, lock_name, read_lock, real_path
from reconciler.workflow.measure import measure_datasets
from reconciler.workflow.settings import Setting, select_provider


def read_claimed_lock(setting: Setting, specs: Specs) -> Lock:
    """Read the lock file, under the names that the specs use today."""
    return NameMap.of(specs).rename_lock(read_lock(setting.lock_path))


def read_other_locks(setting: Setting, specs: Specs) -> tuple[OtherLock, ...]:
    """Read the lock files of the other environments beside, under the names that the specs use today."""
    names = NameMap.of(specs)
    paths = {environment: setting.root / lock_name(environment) for environment in find_lock_environments(setting.root)}
    return tuple(
        OtherLock(file=path.name, environment=environment, lock=names.rename_lock(read_lock(path)))
        for environment, path in paths.items()
        if path.name != setting.lock_path.name
    )


def read_mentions(setting: Setting, specs: Specs, options: Options, observed: Observed) -> Mentions:
    """Return what the files of the repository name of what the service holds; nothing where nothing is pruned."""
    if options.target or not (options.prune or specs.project.policy.prune):
        return Mentions()
    things = {thing for job in observed.jobs for thing in (job.id, job.model) if thing}
    return find_mentions(setting.workspace, things | {file.id for file in observed.files}, real_path(setting.root))


def read_names(setting: Setting, specs: Specs) -> NameMap:
    """Return the names that the specs declare and that the lock files remember, that of this environment first.

    A file that cannot be read remembers nothing here: what plans or writes reads it again, and says what is wrong.
    """
    try:
        others = (other.lock for other in read_other_locks(setting, specs))
        return NameMap.of(specs, (read_claimed_lock(setting, specs), *others))
    except InputError:
        return NameMap.of(specs)


def next_lock(
    before: Lock, desired: Desired, observed: Observed, serving: Iterable[LockEntry], cancelled: Iterable[JobId] = ()
) -> Lock:
    """Return the lock after a run: what serves now, beside what other accounts hold.

    Shape:  `before` under today's names; of this account, models that no spec names any more are left out, unless the
            lock file alone knows them; `cancelled` are the jobs that the run cancelled, beside those that earlier runs
            did
    """
    named = {model.address for model in desired.models}
    named |= {entry.address for entry in find_departed(before, named, observed)}
    kept = [
        entry
        for entry in before.entries
        if not is_same_account(entry.service, observed.service) or entry.address in named
    ]
    return add_serving(
        replace(before, entries=tuple(kept), cancelled=tuple(sorted({*before.cancelled, *cancelled}))),
        observed,
        serving,
    )


def add_serving(before: Lock, observed: Observed, serving: Iterable[LockEntry]) -> Lock:
    """Return a lock with what serves now in place of what served in this account; everything else stays."""
    fresh = {entry.address: _with_known_account(entry, before) for entry in serving}
    kept = [
        entry
        for entry in before.entries
        if not is_same_account(entry.service, observed.service) or entry.address not in fresh
    ]
    entries = {(entry.address, entry.service): entry for entry in (*kept, *fresh.values())}
    return replace(before, entries=tuple(entries[key] for key in sorted(entries)))


def _with_known_account(entry: LockEntry, before: Lock) -> LockEntry:
    """Return an entry whose service says what it said when the same job was recorded: a header may be missing once."""
    named = (each for each in before.of(entry.service) if (each.address, each.job) == (entry.address, entry.job))
    known = next(named, None)
    return replace(entry, service=complete_service(entry.service, known.service)) if known else entry


def make_entry(job: RemoteJob, provider: str, service: str, datasets: tuple[Dataset, ...] = ()) -> LockEntry:
    """Return the lock entry of a succeeded job."""
    assert job.model is not None
    return LockEntry(
        stamp=job.own_stamp,
        provider=provider,
        service=service,
        job=job.id,
        model=job.model,
        finished_at=job.finished_at,
        datasets=tuple(LockedDataset(stamp=each.stamp, rows=each.measure.rows) for each in datasets),
    )


def find_locked(setting: Setting, specs: Specs, name: str) -> LockEntry | None:
    """Return the lock file's entry for the name of a model, on the service that the command uses.

    Raises: UsageError when no spec has the name
    """
    return read_claimed_lock(setting, specs).find(_find_address(specs, name), select_provider(setting, specs))


def find_all_serving(
    setting: Setting, specs: Specs, names: Iterable[str], provider: Provider
) -> tuple[Mapping[str, LockEntry], Mapping[str, NotFoundError]]:
    """Return the serving model of each name that has one, as find_serving does, and why the others have none.

    Cost:   the service is listed once, and each dataset is read at most once
    """
    service = _ServiceLook(setting, specs, provider)
    found: dict[str, LockEntry] = {}
    missing: dict[str, NotFoundError] = {}
    for name in names:
        try:
            found[name] = _find_serving(name, service)
        except NotFoundError as error:
            missing[name] = error
    return found, missing


@dataclass
class _ServiceLook:
    """What is on the service and what the specs want; each is looked up once, where it is needed."""

    setting: Setting
    specs: Specs
    provider: Provider

    @cached_property
    def observed(self) -> Observed:
        return self.provider.observe()

    @cached_property
    def desired(self) -> Desired:
        measures = measure_datasets(self.specs, self.setting)
        return Desired.join(self.specs, measures, self.provider.capabilities.neutral_methods)


def find_serving(setting: Setting, specs: Specs, name: str, provider: Provider) -> LockEntry:
    """Return the serving model of a name: the locked one; else the one the specs want, if it exists; else the newest.

    In an environment only the lock file says what serves: models that others have trained serve there after an apply.

    Raises: UsageError when no spec has the name, NotFoundError when nothing was trained yet
    Cost:   without a lock file the model's data is read, to know what is wanted
    """
    return _find_serving(name, _ServiceLook(setting, specs, provider))


def _find_serving(name: str, service: _ServiceLook) -> LockEntry:
    setting, specs = service.setting, service.specs
    entry = find_locked(setting, specs, name)
    if entry:
        return entry
    if setting.environment:
        raise NotFoundError(
            f"in the environment {setting.environment} no model serves as {_find_address(specs, name)} yet:"
            f" {setting.lock_path.name} does not name it",
            hint=f"train or promote it with: {setting.scope.apply()}",
        )
    observed, address = service.observed, _find_address(specs, name)
    jobs = [job for job in observed.jobs if job.address == address and job.model in observed.models]
    if not jobs:
        raise NotFoundError(f"no finished model for {address}", hint=_how_to_train(observed, address, setting))
    wanted = next(model for model in service.desired.models if model.name == name)
    chosen = max(jobs, key=lambda job: (wanted.bears(job.stamp), *job.age_key))
    return make_entry(chosen, service.provider.name, observed.service)


def _how_to_train(observed: Observed, address: Address, setting: Setting) -> str:
    jobs = [job for job in observed.jobs if job.address == address]
    newest = max(jobs, key=lambda job: job.age_key, default=None)
    if newest is None:
        return f"train it with: {setting.scope.apply()}"
    if newest.status.is_active:
        return f"its job {newest.id} is {newest.status}; wait for it with: {setting.scope.call('wait', address.name)}"
    # A job that ended without a model is trained again on request only; which flag it takes, the plan says.
    return f"its newest job {newest.id} is {newest.status}; see what trains it again with: {setting.scope.plan()}"


def find_newest_jobs(specs: Specs, names: tuple[str, ...], observed: Observed) -> tuple[RemoteJob, ...]:
    """Return the newest job of each named model, in the order of the names; of all models without names.

    Raises: UsageError when no spec has a name
    """
    addresses = [_find_address(specs, name) for name in names or sorted(model.name for model in specs.models)]
    newest = {job.address: job for job in oldest_first(observed.jobs)}
    return tuple(newest[address] for address in addresses if address in newest)


def _find_address(specs: Specs, name: str) -> Address:
    known = sorted(model.name for model in specs.models)
    if name not in known:
        raise UsageError(f"the specs name no model {name}; they name {', '.join(known) or 'none'}")
    return Address(Kind.MODEL, name)
