"""Reads a request to create a job, of today's API and of the API of 2021, and refuses what no engine here supports."""

import re
import secrets
import sqlite3
from collections.abc import Mapping

import msgspec

from reconciler.service.endpoint import (
    RequestBody,
    check_known,
    read_flag,
    read_id,
    read_integer,
    read_number,
    read_object,
    read_required_text,
    read_text,
)
from reconciler.service.engines.port import AUTO, Classes, Engine, Hyperparameter
from reconciler.service.engines.registry import INSTALL, EngineRegistry, missing_packages
from reconciler.service.errors import (
    ApiError,
    missing_error,
    type_error,
    unsupported_error,
    value_error,
    waiting_jobs_error,
)
from reconciler.service.settings import LEGACY_BASES_OPTION
from reconciler.service.store.files import FINE_TUNE, find_file
from reconciler.service.store.jobs import VALIDATING, JobRecord, count_unfinished_jobs

SUPERVISED = "supervised"
METHODS = (SUPERVISED, "dpo", "reinforcement")
MOST_SEED = 2**31 - 1
MOST_METADATA = 16
MOST_UNFINISHED_JOBS = 1000

_FIELDS = (
    "model",
    "training_file",
    "validation_file",
    "suffix",
    "seed",
    "metadata",
    "method",
    "hyperparameters",
    "integrations",
)


class NewJobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A valid request for a job; its files are not checked yet."""

    engine: Engine
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    metadata: dict[str, str] | None
    hyperparameters: dict[str, float | str]

    def record(self, job: str, now: int) -> JobRecord:
        """Return the record of the job that the request creates."""
        return JobRecord(
            id=job,
            base=self.engine.base,
            training_file=self.training_file,
            validation_file=self.validation_file,
            suffix=self.suffix,
            seed=self.seed,
            metadata=self.metadata,
            hyperparameters=self.hyperparameters,
            status=VALIDATING,
            created_at=now,
        )


def read_job_request(body: RequestBody, registry: EngineRegistry) -> NewJobRequest:
    """Read and check a request.

    Raises: ApiError for the first thing that is wrong
    """
    check_known(body, _FIELDS)
    model = read_required_text(body, "model")
    message = f"Model {model} is not available for fine-tuning or does not exist."
    engine = _find_engine(model, registry, ApiError(400, message, param="model", code="model_not_available"))
    if body.get("integrations"):
        raise unsupported_error("integrations", "is not carried out by this service.")
    stated = _stated_hyperparameters(body, engine)
    seed = read_integer(body, "seed", 0, MOST_SEED)
    return NewJobRequest(
        engine=engine,
        training_file=_read_training_file(body),
        validation_file=read_id(body, "validation_file", "invalid validation_file"),
        suffix=_suffix(body),
        seed=secrets.randbelow(MOST_SEED + 1) if seed is None else seed,
        metadata=read_metadata(body),
        hyperparameters=_with_auto(stated, engine),
    )


def check_new_job(db: sqlite3.Connection, job: JobRecord) -> None:
    """Return when there is room for a new job, and its files can be trained on.

    Raises: ApiError
    """
    if count_unfinished_jobs(db) >= MOST_UNFINISHED_JOBS:
        raise waiting_jobs_error(MOST_UNFINISHED_JOBS)
    for param, file in (("training_file", job.training_file), ("validation_file", job.validation_file)):
        if file is None:
            continue
        record = find_file(db, file)
        if record is None or record.purpose != FINE_TUNE:
            raise ApiError(400, f"invalid {param}: {file}", param=param)


def _read_training_file(body: RequestBody) -> str:
    file = read_id(body, "training_file", "invalid training_file")
    if file is None:
        raise missing_error("training_file")
    return file


def _find_engine(model: str, registry: EngineRegistry, unknown: ApiError) -> Engine:
    engine = registry.find(model)
    if engine is None:
        raise unknown
    if missing_packages(engine):
        message = f"Model {model} needs {', '.join(missing_packages(engine))}, which is not installed here: {INSTALL}"
        raise ApiError(400, message, param="model", code="model_not_available")
    return engine


def _with_auto(stated: Mapping[str, float | str], engine: Engine) -> dict[str, float | str]:
    return {known.name: stated.get(known.name, AUTO) for known in engine.hyperparameters}


def _stated_hyperparameters(body: RequestBody, engine: Engine) -> dict[str, float | str]:
    old = read_object(body, "hyperparameters")
    method = read_object(body, "method")
    if method is None:
        return read_hyperparameters(old or {}, engine, "hyperparameters.")
    kind = method.get("type")
    if kind is None:
        raise missing_error("method.type")
    if kind not in METHODS:
        raise value_error("method.type", f"expected one of {list(METHODS)}.")
    assert isinstance(kind, str)
    if kind not in engine.methods:
        message = f"The method '{kind}' is not supported for the model {engine.base}."
        raise ApiError(400, message, param="method", code="unsupported_method")
    check_known(method, ("type", kind), "method.")
    inner = read_object(method, kind, at="method.") or {}
    check_known(inner, ("hyperparameters",), f"method.{kind}.")
    at = f"method.{kind}.hyperparameters"
    found = read_hyperparameters(read_object(inner, "hyperparameters", at=f"method.{kind}.") or {}, engine, f"{at}.")
    if old and read_hyperparameters(old, engine, "hyperparameters.") != found:
        raise value_error("hyperparameters", f"it contradicts '{at}': give one of the two.")
    return found


def read_hyperparameters(given: RequestBody, engine: Engine, at: str) -> dict[str, float | str]:
    """Read and check the hyperparameters of a request; `at` is the path to them."""
    known = {each.name: each for each in engine.hyperparameters}
    found: dict[str, float | str] = {}
    for name, value in given.items():
        if name not in known:
            raise unsupported_error(at + name, f"is not supported for the model {engine.base}.")
        if value is not None and value != AUTO:
            found[name] = _number(value, known[name], at + name)
    return found


def _number(value: object, hyperparameter: Hyperparameter, param: str) -> float:
    wanted = "an integer or 'auto'" if hyperparameter.whole else "a number or 'auto'"
    kinds = int if hyperparameter.whole else int | float
    if isinstance(value, float) and value.is_integer() and hyperparameter.whole:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise type_error(param, wanted, value)
    if not hyperparameter.low <= value <= hyperparameter.high:
        bounds = f"from {hyperparameter.low:g} to {hyperparameter.high:g}"
        if hyperparameter.low == hyperparameter.high:
            bounds = f"of {hyperparameter.low:g}"
        note = f" ({hyperparameter.note})" if hyperparameter.note else ""
        raise value_error(param, f"this model supports values {bounds}{note}, got {value}.", "unsupported_value")
    return value


def _suffix(body: RequestBody) -> str:
    suffix = read_text(body, "suffix", low=1, high=64) or ""
    if not all(letter.isascii() and (letter.isalnum() or letter in "-_. ") for letter in suffix):
        raise value_error("suffix", "expected letters, digits, spaces, '-', '_' and '.' only.")
    return suffix.lower().replace(" ", "-")


def read_metadata(body: RequestBody) -> dict[str, str] | None:
    """Return the metadata of a request, or None."""
    given = read_object(body, "metadata")
    if not given:
        return None
    if len(given) > MOST_METADATA:
        message = f"expected at most {MOST_METADATA} pairs, got {len(given)}."
        raise value_error("metadata", message, "object_above_max_properties")
    for key, value in given.items():
        if not 1 <= len(key) <= 64:
            raise value_error("metadata", f"expected keys of 1 to 64 characters, got {len(key)}.", "string_length")
        if not isinstance(value, str):
            raise type_error(f"metadata.{key}", "a string", value)
        if len(value) > 512:
            raise value_error(f"metadata.{key}", f"expected at most 512 characters, got {len(value)}.", "string_length")
    return {key: str(value) for key, value in given.items()}


DEFAULT_MODEL = "curie"
DEFAULT_EPOCHS = 4
PROMPT_LOSS_WEIGHT = 0.01
LONGEST_SUFFIX = 40
LEGACY_SEED = 0
"""The API of 2021 had no seed; the same rows with the same hyperparameters give the same model."""

MOST_CLASSES, MOST_BETAS = 10_000, 20

_HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")
_CLASSES = ("classification_n_classes", "classification_positive_class", "classification_betas")
_LEGACY_FIELDS = (
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
    """A valid request for a fine-tune: a job, and what only the API of 2021 has. `model` may be an alias."""

    job: NewJobRequest
    model: str
    prompt_loss_weight: float
    classes: Classes | None


def read_fine_tune_request(body: RequestBody, registry: EngineRegistry) -> FineTuneRequest:
    """Read and check a request.

    Raises: ApiError for the first thing that is wrong
    """
    check_known(body, _LEGACY_FIELDS)
    training_file = _read_training_file(body)
    model = read_text(body, "model", low=1) or DEFAULT_MODEL
    message = (
        f"The model '{model}' does not exist or cannot be fine-tuned here. This service trains "
        f"{', '.join(sorted(registry.names))}; its operator can give them the old names with {LEGACY_BASES_OPTION}."
    )
    engine = _find_engine(model, registry, ApiError(404, message, param="model", code="model_not_found"))
    stated = {name: body[name] for name in _HYPERPARAMETERS if body.get(name) is not None}
    hyperparameters = read_hyperparameters({"n_epochs": DEFAULT_EPOCHS, **stated}, engine, "")
    job = NewJobRequest(
        engine=engine,
        training_file=training_file,
        validation_file=read_id(body, "validation_file", "invalid validation_file"),
        suffix=_legacy_suffix(body),
        seed=LEGACY_SEED,
        metadata=None,
        hyperparameters=_with_auto(hyperparameters, engine),
    )
    weight = _read_prompt_loss_weight(body)
    return FineTuneRequest(job=job, model=model, prompt_loss_weight=weight, classes=_read_classes(body, engine))


def _read_prompt_loss_weight(body: RequestBody) -> float:
    found = read_number(body, "prompt_loss_weight", 0.0, 1.0)
    if found not in (None, 0, PROMPT_LOSS_WEIGHT):
        message = f"this model learns completions only, and takes {PROMPT_LOSS_WEIGHT} (the default) or 0, got {found}."
        raise value_error("prompt_loss_weight", message, "unsupported_value")
    return PROMPT_LOSS_WEIGHT if found is None else float(found)


def _legacy_suffix(body: RequestBody) -> str:
    text = read_text(body, "suffix", low=1, high=LONGEST_SUFFIX)
    suffix = re.sub("[^a-z0-9]+", "-", (text or "").lower()).strip("-")
    if text and not suffix:
        raise value_error("suffix", "expected at least one letter or digit.")
    return suffix


def _read_classes(body: RequestBody, engine: Engine) -> Classes | None:
    if not read_flag(body, "compute_classification_metrics"):
        for name in _CLASSES:
            if body.get(name) is not None:
                raise value_error(name, "it needs 'compute_classification_metrics' to be true.")
        return None
    if not engine.classifies:
        raise unsupported_error("compute_classification_metrics", f"is not supported for the model {engine.base}.")
    if not body.get("validation_file"):
        raise ApiError(
            400,
            "You must provide a validation file in order to compute classification metrics.",
            param="validation_file",
            code="missing_required_parameter",
        )
    count = read_integer(body, "classification_n_classes", 2, MOST_CLASSES)
    positive = read_text(body, "classification_positive_class", low=1)
    betas = _read_betas(body)
    if count is None and positive is None:
        message = (
            "You must provide classification_n_classes for multiclass classification or "
            "classification_positive_class for binary classification."
        )
        raise ApiError(400, message, param="classification_n_classes", code="missing_required_parameter")
    if positive is None and count == 2:
        raise missing_error("classification_positive_class")
    if count and count > 2 and (positive is not None or betas):
        name = "classification_betas" if positive is None else "classification_positive_class"
        raise value_error(name, f"it is for binary classification, and 'classification_n_classes' is {count}.")
    return Classes(count=count or 2, positive=positive, betas=betas or ((1.0,) if positive is not None else ()))


def _read_betas(body: RequestBody) -> tuple[float, ...]:
    given = body.get("classification_betas")
    if given is None:
        return ()
    if not isinstance(given, list) or not all(
        isinstance(beta, int | float) and not isinstance(beta, bool) for beta in given
    ):
        raise type_error("classification_betas", "an array of numbers", given)
    if len(given) > MOST_BETAS or not all(0 < beta <= 1000 for beta in given):
        raise value_error("classification_betas", f"expected at most {MOST_BETAS} numbers above 0 and up to 1000.")
    return tuple(dict.fromkeys(float(beta) for beta in given))
