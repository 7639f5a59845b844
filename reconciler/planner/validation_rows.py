"""Validation rows that change no weights: which jobs validated with other rows than the specs name now. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.domain.cost import Cost
from reconciler.domain.desired import Model
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import FileId, JobId, Observed, RemoteJob
from reconciler.domain.plan import Keep, KeepReason


def find_other_rows(
    models: Iterable[Model], jobs: Mapping[Address, Sequence[RemoteJob]], observed: Observed
) -> dict[JobId, str]:
    """Return the jobs of these models that validated with other rows, each with the title of those rows.

    Shape:  only jobs whose rows are known: by the stamp of their validation file, else by the facts that they bear
    Cost:   one pass over the files and over the jobs of the models that have neutral validation rows
    """
    neutral = [model for model in models if model.validation and model.validation_is_neutral]
    stamps = {file.id: file.stamp for file in observed.files if file.stamp} if neutral else {}
    found = ((job.id, _title_of_rows(model, job, stamps)) for model in neutral for job in jobs.get(model.address, ()))
    return {job: title for job, title in found if title}


def validation_warnings(
    models: Iterable[Model], keeps: Iterable[Keep], other_rows: Mapping[JobId, str], cost_of: Callable[[Model], Cost]
) -> Iterator[str]:
    """Yield a warning for each model that stays although its validation rows changed."""
    wanted = {model.address: model for model in models if model.validation}
    for keep in keeps if other_rows else ():
        title = other_rows.get(keep.job) if keep.job else None
        if title is None or keep.why not in (KeepReason.READY, KeepReason.TRAINING):
            continue
        model = wanted[keep.address]
        assert model.validation is not None
        yield (
            f"{keep.address}: the validation rows changed ({title} → {model.validation.title})."
            f" They change no weights, so nothing is trained, and the figures of job {keep.job} are those of the"
            f" earlier rows. Validating with the new rows takes another training ({cost_of(model)});"
            " to have it, state another seed in the spec"
        )


def _title_of_rows(model: Model, job: RemoteJob, stamps: Mapping[FileId, Stamp]) -> str | None:
    """Return the title of the rows that a job of the model validated with; None if they are today's, or unknown."""
    assert model.validation is not None
    stated = Stamp.of_filename(f"{dict(job.facts).get('validation', '').partition(' ')[0]}.jsonl")
    used = (stamps.get(job.validation_file) if job.validation_file else None) or stated
    if not model.bears(job.stamp) or used is None or used.digest.agrees(model.validation.measure.digest):
        return None
    return used.filename.removesuffix(".jsonl")
