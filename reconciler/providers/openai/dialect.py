"""Today's dialect, `/fine_tuning/jobs`: what is sent to create a job, and how jobs are read. Pure."""

import json
from functools import partial
from typing import Any

from reconciler.domain.desired import Model
from reconciler.providers.http.dialect import Dialect, JobRequest, JobRules
from reconciler.providers.http.marks import marks_of
from reconciler.providers.http.metadata_jobs import MetadataJobs
from reconciler.providers.openai.wire import read_checkpoint, read_event, read_job


def write_job(request: JobRequest) -> dict[str, Any]:
    """Return the body that creates a job; what the recipe passes through never replaces what is ours."""
    model, recipe = request.model, request.model.recipe
    extra: dict[str, Any] = json.loads(recipe.extra)
    theirs = extra.get("metadata")
    numbers = dict(recipe.hyperparameters)
    settings: dict[str, Any] = {"hyperparameters": numbers} if numbers else {}
    if recipe.method == "reinforcement" and "grader" in extra:
        settings["grader"] = extra.pop("grader")
    body: dict[str, Any] = {
        **extra,
        "model": recipe.base,
        "training_file": request.training,
        "method": {"type": recipe.method, **({recipe.method: settings} if settings else {})},
        "metadata": {
            **(theirs if isinstance(theirs, dict) else {}),
            **marks_of(request.project, model, request.supersedes),
        },
    }
    suffix = suffix_of(model, request.suffix_length)
    optional = {"validation_file": request.validation, "suffix": suffix or None, "seed": recipe.seed}
    return body | {name: value for name, value in optional.items() if value is not None}


def suffix_of(model: Model, length: int) -> str:
    """Return the suffix a model's name ends in: the recipe's own, else what fits of the model's name."""
    if model.recipe.suffix is not None:
        return model.recipe.suffix
    return model.name[:length].strip("-")


DIALECT = Dialect(
    name="openai",
    jobs=partial(
        MetadataJobs,
        rules=JobRules(read=read_job, read_event=read_event, read_checkpoint=read_checkpoint, write=write_job),
    ),
)
