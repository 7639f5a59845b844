"""Looks for the job of a wanted model: by its stamp, and where the marks may be lost, by its file and base."""

from collections.abc import Iterable

from reconciler.domain.desired import Dataset, is_perhaps_of
from reconciler.domain.errors import ProviderError
from reconciler.domain.observed import SUCCEEDED, FileId, RemoteFile, RemoteJob
from reconciler.domain.plan import Train
from reconciler.executor.context import RunContext

WHOLE_SECOND = 1.0
"""Seconds: what a list showed at one moment was made up to so much earlier than its time says."""


def find_job(train: Train, context: RunContext) -> RemoteJob | None:
    """Return a job of this stamp that the plan did not know; of several, the one that every run would choose.

    A job that has failed meanwhile counts too: the same training is not paid for twice unless the user asks for it.
    """
    return min(list_new_jobs(train, context), key=keep_order, default=None)


def list_new_jobs(train: Train, context: RunContext) -> tuple[RemoteJob, ...]:
    """Return the jobs of this stamp that the plan did not know."""
    found = {job.id: job for stamp in train.model.stamps for job in context.provider.jobs_of(stamp)}
    new = tuple(job for job in found.values() if job.id not in train.excluded_jobs)
    for job in new:
        context.see(job.id)
    return new


def list_new_jobs_or_none(train: Train, context: RunContext) -> tuple[RemoteJob, ...]:
    """Return the jobs of this stamp that the plan did not know; none when they cannot be listed now."""
    try:
        return list_new_jobs(train, context)
    except ProviderError:
        return ()


def find_unmarked(train: Train, context: RunContext) -> RemoteJob | None:
    """Return a job without any mark that may be of this model, because the service did not keep its marks.

    Cost:   the lists of files and jobs, all their pages; the files once more where such jobs exist
    """
    new = [job for job in context.provider.unmarked_jobs() if job.id not in train.excluded_jobs]
    if not new:
        return None
    # Another run may have sent the same rows since the plan was made, and created its job on that file.
    listed = context.provider.list_files().items
    training = _list_files_of_rows(train.model.training, listed, context)
    return next((job for job in new if is_perhaps_of(train.model, job, training)), None)


def _list_files_of_rows(dataset: Dataset, listed: Iterable[RemoteFile], context: RunContext) -> frozenset[FileId]:
    measure = dataset.measure
    found = (file.id for file in listed if file.has_rows_of(measure.digest, measure.size_bytes))
    return frozenset({*context.list_files_of_rows(dataset), *found})


def find_unmarked_or_none(train: Train, context: RunContext) -> RemoteJob | None:
    """Return such a job; None also when the jobs cannot be listed now."""
    try:
        return find_unmarked(train, context)
    except ProviderError:
        return None


def keep_order(job: RemoteJob) -> tuple[bool, bool, int, str]:
    """Return a sort key by which every run keeps the same job of one stamp: first those that serve, or may serve."""
    spent = job.status.is_terminal and job.status != SUCCEEDED
    return (spent, job.status != SUCCEEDED, *job.age_key)


def is_in_every_list(job: RemoteJob, context: RunContext) -> bool:
    """Return whether a job was seen so long ago that every list shows it. A younger one may be missing from the next.

    The time since is read from our own clock: a wrong date of the service must not make it longer.
    """
    lag = context.provider.capabilities.list_lag_seconds
    return lag == 0 or context.clock() - context.see(job.id) >= lag + WHOLE_SECOND
