"""What is sent to create a job, what cannot be sent there at all, and whether what came back is what was sent. Pure."""

import json
from typing import Any

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import MalformedError, RejectedError
from reconciler.domain.identity import Address
from reconciler.domain.observed import FileId, RemoteJob
from reconciler.domain.spec import AUTO
from reconciler.providers.openai_legacy import OPENAI_LEGACY
from reconciler.providers.openai_legacy.labels import Request, suffix_of
from reconciler.providers.openai_legacy.wire import Tune, job_of
from reconciler.providers.service_rules import RuleFault, recipe_faults, row_fault

_TAKEN = OPENAI_LEGACY.capabilities

_SERVICE = "the old fine-tunes API"


def refusal_of_rows(dataset: Dataset) -> RejectedError | None:
    """Return why a dataset cannot be trained on there; None when it can."""
    fault = row_fault(dataset.format, _TAKEN, _SERVICE)
    return _refuse(dataset.stamp.address, fault) if fault else None


def refusal_of(model: Model, suffix_length: int) -> RejectedError | None:
    """Return the error for a recipe that API has no field, or no length, for; None when it has both for everything."""
    taken = replace(_TAKEN, suffix_length=suffix_length)
    for fault in recipe_faults(model.recipe, taken, _SERVICE):
        return _refuse(model.address, fault)
    return next((found for each in model.datasets if (found := refusal_of_rows(each))), None)


def _refuse(address: Address, fault: RuleFault) -> RejectedError:
    return RejectedError(f"{address}: {fault.what}", param=fault.field, hint=fault.hint)


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
