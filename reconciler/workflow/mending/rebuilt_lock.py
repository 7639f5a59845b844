"""Writes the lock file again from what the service holds, where it is damaged or in conflict."""

import msgspec

from reconciler.domain.desired import Desired
from reconciler.domain.errors import PolicyError
from reconciler.domain.identity import Address
from reconciler.domain.lock import Lock, LockEntry, is_same_account
from reconciler.domain.renames import NameMap
from reconciler.domain.spec import Specs
from reconciler.specfile import rebuild_lock
from reconciler.workflow.lock import make_entry
from reconciler.workflow.measure import measure_datasets
from reconciler.workflow.plan import open_service
from reconciler.workflow.settings import Setting


class RebuiltLock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock file that was written again; `missing` are the models of the specs that no finished job answers for."""

    lock: Lock
    service: str
    missing: tuple[str, ...] = ()
    was_damaged: bool = False


def rebuild(setting: Setting, specs: Specs) -> RebuiltLock:
    """Write the lock file again from what the service holds: for each model the wanted job, else the newest one.

    Where the file can still be read, entries of other accounts and the record of cancelled jobs are kept, and entries
    of models that no spec names, as far as these exist. In an environment the file decides what serves, so what it
    names stays as it is; beside it, or without it, only models that the specs want exactly are named.

    Raises: InputError when the data of the specs is invalid, PolicyError when the service's list may not be whole,
            UnusablePlaceError when the file cannot be written
    """
    with open_service(setting, specs) as provider:
        observed = provider.observe()
    if observed.list_warnings:
        raise PolicyError(
            f"a list of the service may not be whole: {'; '.join(observed.list_warnings)}; nothing was"
            " written; run again"
        )
    desired = Desired.join(specs, measure_datasets(specs, setting), provider.capabilities.neutral_methods)
    found: dict[Address, LockEntry] = {}
    for model in desired.models:
        jobs = [job for job in observed.jobs if job.address == model.address and job.model in observed.models]
        wanted = [job for job in jobs if model.bears(job.stamp)]
        chosen = max(wanted or ([] if setting.environment else jobs), key=lambda job: job.age_key, default=None)
        if chosen:
            found[model.address] = make_entry(chosen, provider.name, observed.service, model.datasets)
    names, is_damaged = NameMap.of(specs), False
    wanted_addresses = {model.address for model in desired.models}

    def change(now: Lock | None) -> Lock:
        nonlocal is_damaged
        is_damaged = now is None
        before = names.rename_lock(now) if now else Lock()
        here = {entry.address: entry for entry in before.of(observed.service) if entry.model in observed.models}
        stay = here if setting.environment else {each: here[each] for each in here.keys() - wanted_addresses}
        kept = [entry for entry in before.entries if not is_same_account(entry.service, observed.service)]
        entries = sorted((*kept, *(found | stay).values()), key=lambda entry: (entry.address, entry.service))
        return Lock(entries=tuple(entries), cancelled=before.cancelled)

    lock = rebuild_lock(setting.lock_path, change)
    named = {entry.address for entry in lock.of(observed.service)}
    missing = tuple(model.name for model in desired.models if model.address not in named)
    return RebuiltLock(lock=lock, service=observed.service, missing=missing, was_damaged=is_damaged)
