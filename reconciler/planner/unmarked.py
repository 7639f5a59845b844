"""Jobs that may be of a wanted model although they bear no mark of ours: a service, or a gateway, may drop our marks.

Two things point to such a job: the journal, which holds the id that a create of ours was answered with; and the job's
own file and base. Neither proves that the job is ours. So a plan never adopts, cancels or counts it, but
refuses to create another one.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model, find_differences, is_perhaps_of
from reconciler.domain.observed import FileId, JobId, Observed
from reconciler.domain.plan import Options, Train

_DOUBT = "it trains on the same rows and base, and bears no mark"


def find_unmarked(model: Model, observed: Observed) -> Iterator[tuple[JobId, str]]:
    """Yield each job that may be the one of a model, with the reason to think so."""
    known = {job.id for job in observed.jobs}
    named = {claim.job: claim.doubt for claim in observed.claimed if model.bears(claim.stamp)}
    yield from ((job, f"its create was answered with it, {doubt}") for job, doubt in named.items() if job not in known)
    if not observed.unmarked:
        return
    training = _files_of(model.training, observed)
    validation = _files_of(model.validation, observed) if model.validation else frozenset()
    for job in observed.unmarked:
        if job.id not in known | named.keys() and is_perhaps_of(model, job, training):
            differences = ", ".join(find_differences(model, job, training, validation))
            yield (
                job.id,
                _DOUBT + (f"; it shows {differences}, maybe changed by a gateway" if differences else ""),
            )


def count_out_unmarked(train: Train, observed: Observed, options: Options) -> Train:
    """Return a train step that no such job stands in the way of, if the operator asked to train again without it."""
    found = {job for job, _ in find_unmarked(train.model, observed)} if train.model.name in options.replace else set()
    return replace(train, excluded_jobs=tuple(sorted({*train.excluded_jobs, *found}))) if found else train


def _files_of(dataset: Dataset, observed: Observed) -> frozenset[FileId]:
    # The job may have been created when the dataset had another name, on the file of that time.
    measure = dataset.measure
    return frozenset(file.id for file in observed.files if file.has_rows_of(measure.digest, measure.size_bytes))
