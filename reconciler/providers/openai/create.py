"""What is sent to create a thing, and whether what came back is what was sent. Pure."""

import json
from typing import Any

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import FileId, JobId, RemoteFile, RemoteJob
from reconciler.providers.openai.stamps import marks_of
from reconciler.providers.openai.wire import PURPOSE


def write_job(
    project: str, model: Model, training: FileId, validation: FileId | None, supersedes: tuple[JobId, ...], suffix: str
) -> dict[str, Any]:
    """Return the body that creates a job; what the recipe passes through never replaces what is ours."""
    recipe = model.recipe
    extra: dict[str, Any] = json.loads(recipe.extra)
    theirs = extra.get("metadata")
    numbers = dict(recipe.hyperparameters)
    settings: dict[str, Any] = {"hyperparameters": numbers} if numbers else {}
    if recipe.method == "reinforcement" and "grader" in extra:
        settings["grader"] = extra.pop("grader")
    body: dict[str, Any] = {
        **extra,
        "model": recipe.base,
        "training_file": training,
        "method": {"type": recipe.method, **({recipe.method: settings} if settings else {})},
        "metadata": {**(theirs if isinstance(theirs, dict) else {}), **marks_of(project, model, supersedes)},
    }
    optional = {"validation_file": validation, "suffix": suffix or None, "seed": recipe.seed}
    return body | {name: value for name, value in optional.items() if value is not None}


def suffix_of(model: Model, length: int) -> str:
    """Return the suffix a model's name ends in: the recipe's own, else what fits of the model's name."""
    if model.recipe.suffix is not None:
        return model.recipe.suffix
    return model.name[:length].strip("-")


def check_upload(file: RemoteFile, dataset: Dataset) -> RemoteFile:
    """Return the file that an upload made, when it is the one that was sent.

    Raises: MalformedError when the service echoes another name, size or purpose
    """
    echoed = {"filename": file.filename, "bytes": file.size_bytes or 0, "purpose": file.purpose}
    sent = {"filename": dataset.stamp.filename, "bytes": dataset.measure.size_bytes, "purpose": PURPOSE}
    wrong = [f"{name} {echoed[name]!r} instead of {sent[name]!r}" for name in sent if echoed[name] != sent[name]]
    if wrong:
        raise MalformedError(f"the service made file {file.id} with {', '.join(wrong)}")
    return file


def check_created(job: RemoteJob, model: Model, training: FileId) -> RemoteJob:
    """Return the job that a create made, when it bears the stamp it was sent with.

    Raises: MalformedError when the service did not keep the stamp, or names another file
    """
    if job.stamp is None or job.stamp != model.stamp:
        raise MalformedError(f"the service made job {job.id} without the marks that were sent, so it cannot be ours")
    if job.training_file != training:
        raise MalformedError(f"the service made job {job.id} on file {job.training_file}, not on {training}")
    return job
