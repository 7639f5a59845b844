"""Asks by id for jobs that the lock file remembers and that no list shows, before anybody thinks of paying again."""

from msgspec.structs import replace

from reconciler.domain.desired import Desired
from reconciler.domain.errors import NotFoundError
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import Observed, RemoteJob, oldest_first
from reconciler.domain.plan import Options
from reconciler.domain.ports import Provider, own_job

MOST_ASKED = 100
"""Where a list has lost more wanted jobs than this, asking on tells nothing: the others count as gone."""


def find_unlisted_jobs(
    observed: Observed, desired: Desired, lock: Lock, options: Options, provider: Provider
) -> Observed:
    """Return what was seen, and with it every locked job that is wanted, not listed, and there all the same.

    Shape:  what is not there by its id either goes into `gone`
    Raises: ProviderError when the service refuses to say: that is never taken for gone
    Cost:   a request for each job that is locked, wanted and not listed, and none otherwise
    """
    missed = _missed(observed, desired, lock, options)
    answers = [(entry, _found(entry, provider)) for entry in missed[:MOST_ASKED]]
    found = [job for _, job in answers if job]
    gone = [entry.job for entry, job in answers if job is None] + [entry.job for entry in missed[MOST_ASKED:]]
    jobs = oldest_first((*observed.jobs, *found)) if found else observed.jobs
    return replace(observed, jobs=jobs, gone=tuple(gone))


def _missed(observed: Observed, desired: Desired, lock: Lock, options: Options) -> tuple[LockEntry, ...]:
    listed = {job.id for job in observed.jobs} | set(observed.contradictions)
    wanted = {
        model.address: model.stamp for model in desired.models if not options.target or model.name in options.target
    }
    return tuple(
        entry
        for entry in lock.of(observed.service)
        if entry.address in wanted and entry.stamp.agrees(wanted[entry.address]) and entry.job not in listed
    )


def _found(entry: LockEntry, provider: Provider) -> RemoteJob | None:
    try:
        job = own_job(provider, entry.job)
    except NotFoundError:
        return None
    return job if job.is_of(entry.stamp) else None
