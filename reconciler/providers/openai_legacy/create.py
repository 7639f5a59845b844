"""What is sent to create a job, what cannot be sent there at all, and whether what came back is what was sent. Pure."""

import json
from typing import Any

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model, find_differences
from reconciler.domain.errors import RejectedError
from reconciler.domain.identity import Address
from reconciler.domain.observed import FileId, RemoteJob
from reconciler.domain.ports import Done
from reconciler.domain.spec import AUTO
from reconciler.providers.http.errors import Proof
from reconciler.providers.openai_legacy import OPENAI_LEGACY
from reconciler.providers.openai_legacy.labels import Request, suffix_of
from reconciler.providers.openai_legacy.wire import Tune, job_of
from reconciler.providers.service_rules import RuleFault, recipe_faults, row_fault

_TAKEN = OPENAI_LEGACY.capabilities

_SERVICE = "the old fine-tunes API"

# The words with which these servers refuse a write, so that it provably had no effect. Servers of 2021 to 2023 left the
# code of most errors null; the built-in service names some. A word too many could pay for a job twice, so a new one
# needs a source.
_REQUEST = frozenset({"invalid_request_error"})

_WRONG_REQUEST = frozenset(
    {
        None,
        "invalid_job_status",
        "invalid_type",
        "invalid_value",
        "missing_required_parameter",
        "model_not_available",
        "unknown_parameter",
        "unsupported_parameter",
    }
)

_MISSING = frozenset({None, "fine_tune_not_found", "model_not_found"})

PROOFS = (
    Proof(status=400, types=_REQUEST, codes=_WRONG_REQUEST),
    Proof(status=401, types=_REQUEST, codes=frozenset({None, "invalid_api_key"})),
    Proof(status=404, types=_REQUEST, codes=_MISSING),
    Proof(status=429, types=frozenset({"requests", "tokens"}), codes=frozenset({None, "rate_limit_exceeded"})),
    Proof(status=429, types=frozenset({"insufficient_quota"}), codes=frozenset({None, "insufficient_quota"})),
)


def refusal_of_rows(dataset: Dataset) -> RejectedError | None:
    """Return why a dataset cannot be trained on there; None when it can."""
    fault = row_fault(dataset.format, _TAKEN, _SERVICE, dataset.spec)
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


def check_created(tune: Tune, model: Model, training: FileId, validation: FileId | None) -> Done[RemoteJob]:
    """Return the job that the answer to a create names, and in what it differs from what was sent.

    A job on another base or other files is returned without a stamp: its label would not fit it.
    """
    job = job_of(tune, model.stamp)
    doubts = tuple(find_differences(model, job, (training,), (validation,) if validation else ()))
    stated = (job.base, job.training_file, job.validation_file)
    is_as_sent = stated == (model.recipe.base, training, validation)
    if not is_as_sent and not doubts:
        doubts = ("without the base and files that were sent",)
    return Done(job if is_as_sent else replace(job, stamp=None), doubts)
