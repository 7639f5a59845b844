"""Reads what a request to create a fine-tune asks for, and refuses, in the API's words, what the engine does not do.

`prompt_loss_weight` may be its default or 0, whatever the engine: it is repeated in the object, and has no part in the
training of an engine that learns completions only. Any other value would change what is trained, and is refused.
"""

import re

import msgspec

from reconciler.service.engines.port import AUTO, Classes, Engine
from reconciler.service.engines.registry import Shelf, lacks
from reconciler.service.errors import ApiError, bad_type, bad_value, missing, unsupported
from reconciler.service.fields import Json, flag, number, only, required_text, text, whole
from reconciler.service.legacy.base_aliases import OPTION
from reconciler.service.optional_deps import INSTALL
from reconciler.service.routes.job_request import read_hyperparameters

DEFAULT_MODEL = "curie"
DEFAULT_EPOCHS = 4
PROMPT_LOSS_WEIGHT = 0.01
LONGEST_SUFFIX = 40
MOST_CLASSES, MOST_BETAS = 10_000, 20

_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
_CLASSES = ("classification_n_classes", "classification_positive_class", "classification_betas")
_FIELDS = (
    "training_file",
    "validation_file",
    "model",
    *_HYPERPARAMETERS,
    "prompt_loss_weight",
    "compute_classification_metrics",
    *_CLASSES,
    "suffix",
)


class FineTuneRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A fine-tune that can be begun, as far as one can say without looking at its files."""

    engine: Engine
    model: str
    training_file: str
    validation_file: str | None
    suffix: str
    hyperparameters: dict[str, float | str]
    prompt_loss_weight: float
    classes: Classes | None


def read_fine_tune_request(body: Json, shelf: Shelf) -> FineTuneRequest:
    """Check a request whole.

    Raises: ApiError for the first thing that is wrong
    """
    only(body, _FIELDS)
    training_file = required_text(body, "training_file")
    model = text(body, "model", low=1) or DEFAULT_MODEL
    engine = _engine(model, shelf)
    stated = {name: body[name] for name in _HYPERPARAMETERS if body.get(name) is not None}
    found = read_hyperparameters({"n_epochs": DEFAULT_EPOCHS, **stated}, engine, "")
    return FineTuneRequest(
        engine=engine,
        model=model,
        training_file=training_file,
        validation_file=text(body, "validation_file", low=1),
        suffix=_suffix(body),
        hyperparameters={each.name: found.get(each.name, AUTO) for each in engine.hyperparameters},
        prompt_loss_weight=_prompt_loss_weight(body),
        classes=_classes(body, engine),
    )


def _engine(model: str, shelf: Shelf) -> Engine:
    engine = shelf.of(model)
    if engine is None:
        message = (
            f"The model '{model}' does not exist or cannot be fine-tuned here. This service trains "
            f"{', '.join(sorted(shelf.names))}; its operator can give them the old names with {OPTION}."
        )
        raise ApiError(404, message, param="model", code="model_not_found")
    if lacks(engine):
        message = f"The model '{model}' needs {', '.join(lacks(engine))}, which is not installed here: {INSTALL}"
        raise ApiError(400, message, param="model", code="model_not_available")
    return engine


def _prompt_loss_weight(body: Json) -> float:
    found = number(body, "prompt_loss_weight", 0.0, 1.0)
    if found not in (None, 0, PROMPT_LOSS_WEIGHT):
        message = f"this model learns completions only, and takes {PROMPT_LOSS_WEIGHT} (the default) or 0, got {found}."
        raise bad_value("prompt_loss_weight", message, "unsupported_value")
    return PROMPT_LOSS_WEIGHT if found is None else float(found)


def _suffix(body: Json) -> str:
    asked = text(body, "suffix", low=1, high=LONGEST_SUFFIX)
    found = re.sub("[^a-z0-9]+", "-", (asked or "").lower()).strip("-")
    if asked and not found:
        raise bad_value("suffix", "expected at least one letter or digit.")
    return found


def _classes(body: Json, engine: Engine) -> Classes | None:
    if not flag(body, "compute_classification_metrics"):
        for name in _CLASSES:
            if body.get(name) is not None:
                raise bad_value(name, "it needs 'compute_classification_metrics' to be true.")
        return None
    if not engine.classifies:
        raise unsupported("compute_classification_metrics", f"is not supported for the model {engine.base}.")
    if not body.get("validation_file"):
        raise ApiError(
            400,
            "You must provide a validation file in order to compute classification metrics.",
            param="validation_file",
            code="missing_required_parameter",
        )
    count = whole(body, "classification_n_classes", 2, MOST_CLASSES)
    positive = text(body, "classification_positive_class", low=1)
    betas = _betas(body)
    if count is None and positive is None:
        message = (
            "You must provide classification_n_classes for multiclass classification or "
            "classification_positive_class for binary classification."
        )
        raise ApiError(400, message, param="classification_n_classes", code="missing_required_parameter")
    if positive is None and count == 2:
        raise missing("classification_positive_class")
    if count and count > 2 and (positive is not None or betas):
        name = "classification_betas" if positive is None else "classification_positive_class"
        raise bad_value(name, f"it is for binary classification, and 'classification_n_classes' is {count}.")
    return Classes(count=count or 2, positive=positive, betas=betas or ((1.0,) if positive is not None else ()))


def _betas(body: Json) -> tuple[float, ...]:
    given = body.get("classification_betas")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(beta, int | float) for beta in given):
        raise bad_type("classification_betas", "an array of numbers", given)
    if len(given) > MOST_BETAS or not all(0 < beta <= 1000 for beta in given):
        raise bad_value("classification_betas", f"expected at most {MOST_BETAS} numbers above 0 and up to 1000.")
    return tuple(dict.fromkeys(float(beta) for beta in given))
