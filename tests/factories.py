"""Values for tests. Name only what the test is about; everything else has a sensible default."""

import hashlib

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Desired, Measure, Model, Part
from reconciler.domain.errors import Place
from reconciler.domain.identity import Digest, Stamp
from reconciler.domain.observed import FileId, JobError, JobId, JobStatus, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.spec import DatasetSpec, Format, OnChange, Policy, ProjectSpec, Recipe

LONG_AGO = 1_790_000_000


def a_digest(of: str = "rows") -> Digest:
    """Return a digest of anything that one word distinguishes."""
    return Digest("v1", hashlib.sha256(of.encode()).hexdigest())


def a_dataset(
    name: str = "tickets",
    rows: str = "rows",
    *,
    count: int = 200,
    part: Part = Part.TRAINING,
    format: Format = Format.CHAT,  # noqa: A002 (the word of the field)
) -> Dataset:
    """Return a dataset whose content the word `rows` distinguishes."""
    return Dataset(
        spec=DatasetSpec(name=name, place=Place(file="specs/data.yaml", line=1, column=1), sources=(f"{name}.csv",)),
        part=part,
        format=format,
        measure=Measure(digest=a_digest(rows), rows=count, size_bytes=100 * count),
    )


def a_model(
    name: str = "triage",
    *,
    base: str = "gpt-4.1-mini-2025-04-14",
    training: Dataset | None = None,
    validation: Dataset | None = None,
    epochs: int | None = None,
    on_change: OnChange = OnChange.WAIT,
    retries: int = 0,
) -> Model:
    """A model; `epochs` is the hyperparameter that tests turn."""
    hyperparameters = (("n_epochs", epochs),) if epochs is not None else ()
    return Model(
        name=name,
        place=Place(file="specs/models.yaml", line=1, column=1),
        recipe=Recipe(base=base, hyperparameters=hyperparameters),
        training=training or a_dataset(),
        validation=validation,
        on_change=on_change,
        retries=retries,
    )


def a_job(
    model: Model | Stamp | None = None,
    status: str = "succeeded",
    *,
    id: str = "ftjob-1",  # noqa: A002 (the word of the field)
    age: int = 0,
    error: JobError | None = None,
    answers: bool = True,
    supersedes: tuple[str, ...] = (),
) -> RemoteJob:
    """A job of a model; a larger `age` is older. A succeeded job has a model unless it does not `answer`."""
    model = model or a_model()
    stamp = model if isinstance(model, Stamp) else model.stamp
    succeeded = status == "succeeded" and answers
    return RemoteJob(
        id=JobId(id),
        stamp=stamp,
        status=JobStatus(status),
        created_at=LONG_AGO - age,
        base="gpt-4.1-mini-2025-04-14" if isinstance(model, Stamp) else model.recipe.base,
        finished_at=LONG_AGO - age + 60 if status in {"succeeded", "failed", "cancelled"} else None,
        model=ModelId(f"ft:gpt-4.1-mini-2025-04-14:acme:{stamp.address.name}:{id[-1]}") if succeeded else None,
        training_file=FileId(f"file-{stamp.address.name}"),
        error=error,
        facts=() if isinstance(model, Stamp) else tuple((key, str(value)) for key, value in model.facts.items()),
        supersedes=tuple(JobId(each) for each in supersedes),
    )


def a_file(dataset: Dataset | None = None, *, id: str = "file-1", status: str | None = "processed") -> RemoteFile:  # noqa: A002
    """The file of a dataset, as the service would list it."""
    dataset = dataset or a_dataset()
    return RemoteFile(
        id=FileId(id),
        filename=dataset.stamp.filename,
        size_bytes=dataset.measure.size_bytes,
        created_at=LONG_AGO,
        status=status,
        stamp=Stamp.of_filename(dataset.stamp.filename),
    )


def observed(*things: RemoteJob | RemoteFile, models: tuple[str, ...] | None = None) -> Observed:
    """What the service holds; the models of succeeded jobs are there unless `models` says which are."""
    jobs = tuple(thing for thing in things if isinstance(thing, RemoteJob))
    present = {job.model for job in jobs if job.model} if models is None else {ModelId(model) for model in models}
    return Observed(
        service="api.example.test",
        files=tuple(thing for thing in things if isinstance(thing, RemoteFile)),
        jobs=tuple(sorted(jobs, key=lambda job: (job.created_at, job.id))),
        models=frozenset(present),
        files_in_use=frozenset(job.training_file for job in jobs if job.training_file and job.status.is_active),
    )


def desired(*models: Model, policy: Policy | None = None, project: str = "acme") -> Desired:
    """Everything wanted."""
    where = replace(ProjectSpec(), name=project, policy=policy or Policy())
    return Desired(project=where, models=tuple(sorted(models, key=lambda model: model.name)))
