"""What is sent to create a job, what cannot be sent there at all, and whether what came back is what was sent. Pure."""

import json
from typing import Any

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import MalformedError, RejectedError
from reconciler.domain.observed import FileId, RemoteJob
from reconciler.domain.spec import AUTO, Recipe
from reconciler.providers.openai_legacy import OPENAI_LEGACY
from reconciler.providers.openai_legacy.labels import Request, suffix_of
from reconciler.providers.openai_legacy.wire import Tune, job_of

_TAKEN = OPENAI_LEGACY.capabilities

_UNKNOWN_THERE = ("hyperparameters", "integrations", "metadata", "method", "seed")


def refusal_of_rows(dataset: Dataset) -> RejectedError | None:
    """Return why a dataset cannot be trained on there; None when it can."""
    if dataset.format in _TAKEN.formats:
        return None
    return RejectedError(
        f"{dataset.stamp.address}: its rows are conversations, and servers of the old fine-tunes API train on"
        " prompts and completions only",
        param="format",
        hint="give the Dataset 'format: completion', with rows or templates of a prompt and a completion",
    )


def refusal_of(model: Model, suffix_length: int) -> RejectedError | None:
    """Return the error for a recipe that API has no field, or no length, for; None when it has both for everything."""
    suffix = model.recipe.suffix or ""
    if len(suffix) > suffix_length:
        return RejectedError(
            f"{model.address}: the suffix has {len(suffix)} characters, and this service takes {suffix_length}",
            param="suffix",
            hint="shorten the suffix, or leave it out to have one made of the model's name",
        )
    for field, value, hint in _without_a_field(model.recipe):
        return RejectedError(
            f"{model.address}: the old fine-tunes API has no field for {field} ({value}), and leaving it out would make"
            " another model",
            param=field,
            hint=hint,
        )
    return next((found for each in model.datasets if (found := refusal_of_rows(each))), None)


def write_tune(
    model: Model, training: FileId, validation: FileId | None, suffix_length: int
) -> tuple[dict[str, Any], Request]:
    """Return the body that creates a job, and the same as the job will repeat it.

    What the recipe passes through never replaces what is ours.
    """
    recipe = model.recipe
    suffix = recipe.suffix if recipe.suffix is not None else suffix_of(model.stamp, suffix_length)
    body: dict[str, Any] = {
        **json.loads(recipe.extra),
        **{name: value for name, value in recipe.hyperparameters if value != AUTO},
        "model": recipe.base,
        "training_file": training,
    }
    if validation:
        body["validation_file"] = validation
    if suffix:
        body["suffix"] = suffix
    has_our_suffix = recipe.suffix is None and bool(suffix)
    request = Request(
        base=recipe.base, training=training, validation=validation, settings=body, has_our_suffix=has_our_suffix
    )
    return body, request


def check_created(tune: Tune, model: Model, training: FileId, validation: FileId | None) -> RemoteJob:
    """Return the job that a create made, when it is on the files and base that were sent.

    Raises: MalformedError when the service answers with something else
    """
    job = job_of(tune, model.stamp)
    echoed = {"base": job.base, "training file": job.training_file, "validation file": job.validation_file}
    sent = {"base": model.recipe.base, "training file": training, "validation file": validation}
    wrong = [f"{name} {echoed[name]!r} instead of {sent[name]!r}" for name in sent if echoed[name] != sent[name]]
    if wrong:
        raise MalformedError(f"the service made job {tune.id} with {', '.join(wrong)}")
    return job


def _without_a_field(recipe: Recipe) -> list[tuple[str, object, str]]:
    """Return every field that has no place there, with its value and a way on."""
    found: list[tuple[str, object, str]] = []
    if recipe.seed is not None:
        found.append(("seed", recipe.seed, "remove seed from the Model, and from the Project's defaults"))
    if recipe.method not in _TAKEN.methods:
        found.append(("method", recipe.method, "that API knows supervised training only: remove method"))
    found += [
        (
            f"hyperparameters.{name}",
            value,
            f"that API knows {', '.join(_TAKEN.hyperparameters)}; others may stand in extra",
        )
        for name, value in recipe.hyperparameters
        if name not in _TAKEN.hyperparameters and value != AUTO
    ]
    extra = json.loads(recipe.extra)
    found += [(f"extra.{name}", extra[name], "remove it from extra") for name in _UNKNOWN_THERE if name in extra]
    return found
