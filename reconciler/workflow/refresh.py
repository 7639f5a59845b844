"""Asks by id for what the service's lists do not show, so that nothing is trained twice because a list lags."""

from collections.abc import Mapping

from msgspec.structs import replace

from reconciler.domain.desired import Desired, Model
from reconciler.domain.errors import NotFoundError
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import SUCCEEDED, ModelId, Observed, RemoteJob, oldest_first
from reconciler.domain.plan import Options
from reconciler.domain.ports import Provider, own_job

MOST_ASKED = 100
"""Where more wanted jobs than this are not listed, the others count as gone without a request."""


def find_unlisted_jobs(
    observed: Observed, desired: Desired, lock: Lock, options: Options, provider: Provider
) -> Observed:
    """Return the observed state with every locked job that is wanted, not listed, and still exists.

    Shape:  a job that is not found by its id either goes into `gone`
    Raises: ProviderError when the service does not answer: that never counts as gone
    Cost:   a request for each job that is locked, wanted and not listed, and none otherwise
    """
    unlisted = _select_unlisted(observed, desired, lock, options)
    answers = [(entry, _find_job(entry, provider)) for entry in unlisted[:MOST_ASKED]]
    found = [job for _, job in answers if job]
    gone = [entry.job for entry, job in answers if job is None] + [entry.job for entry in unlisted[MOST_ASKED:]]
    jobs = oldest_first((*observed.jobs, *found)) if found else observed.jobs
    return replace(observed, jobs=jobs, gone=tuple(gone))


def _select_unlisted(observed: Observed, desired: Desired, lock: Lock, options: Options) -> tuple[LockEntry, ...]:
    listed = {job.id for job in observed.jobs} | set(observed.contradictions)
    wanted = {model.address: model for model in desired.models if not options.target or model.name in options.target}
    return tuple(
        entry for entry in lock.of(observed.service) if _is_wanted(entry.stamp, wanted) and entry.job not in listed
    )


def _find_job(entry: LockEntry, provider: Provider) -> RemoteJob | None:
    try:
        job = own_job(provider, entry.job)
    except NotFoundError:
        return None
    return job if job.is_of(entry.stamp) else None


def confirm_models(observed: Observed, desired: Desired, lock: Lock, provider: Provider) -> Observed:
    """Return the observed state with every model of a wanted job that the list of models does not show yet.

    Cost:   a request for each model of a wanted job that is not listed
    """
    wanted = {model.address: model for model in desired.models}
    ours = [job for job in observed.jobs if _is_wanted(job.own_stamp, wanted)]
    expected = {job.model for job in ours if job.status == SUCCEEDED and job.model}
    expected |= {entry.model for entry in lock.of(observed.service) if _is_wanted(entry.stamp, wanted)}
    found = {model for model in expected if model not in observed.models and _has_model(provider, model)}
    return replace(observed, models=observed.models | found)


def _is_wanted(stamp: Stamp, wanted: Mapping[Address, Model]) -> bool:
    return stamp.address in wanted and wanted[stamp.address].bears(stamp)


def _has_model(provider: Provider, model: ModelId) -> bool:
    try:
        provider.model(model)
    except NotFoundError:
        return False
    return True
