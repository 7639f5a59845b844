"""Reads what a request to create a job asks for, and refuses, in the API's words, what no engine here carries out."""

import secrets

import msgspec

from reconciler.service.engines.port import AUTO, Engine, Hyperparameter
from reconciler.service.engines.registry import Shelf, lacks
from reconciler.service.errors import ApiError, bad_type, bad_value, missing, unsupported
from reconciler.service.fields import Json, only, required_text, table, text, whole
from reconciler.service.optional_deps import INSTALL

SUPERVISED = "supervised"
METHODS = (SUPERVISED, "dpo", "reinforcement")
MOST_SEED = 2**31 - 1

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


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A job that can be begun, as far as one can say without looking at its files."""

    engine: Engine
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    metadata: dict[str, str] | None
    hyperparameters: dict[str, float | str]


def read_job_request(body: Json, shelf: Shelf) -> JobRequest:
    """Check a request whole.

    Raises: ApiError for the first thing that is wrong
    """
    only(body, _FIELDS)
    engine = _engine(required_text(body, "model"), shelf)
    if body.get("integrations"):
        raise unsupported("integrations", "is not carried out by this service.")
    stated = _stated_hyperparameters(body, engine)
    seed = whole(body, "seed", 0, MOST_SEED)
    return JobRequest(
        engine=engine,
        training_file=required_text(body, "training_file"),
        validation_file=text(body, "validation_file", low=1),
        suffix=_suffix(body),
        seed=secrets.randbelow(MOST_SEED + 1) if seed is None else seed,
        metadata=read_metadata(body),
        hyperparameters={each.name: stated.get(each.name, AUTO) for each in engine.hyperparameters},
    )


def _engine(model: str, shelf: Shelf) -> Engine:
    engine = shelf.of(model)
    if engine is None:
        message = f"Model {model} is not available for fine-tuning or does not exist."
        raise ApiError(400, message, param="model", code="model_not_available")
    if lacks(engine):
        message = f"Model {model} needs {', '.join(lacks(engine))}, which is not installed here: {INSTALL}"
        raise ApiError(400, message, param="model", code="model_not_available")
    return engine


def _stated_hyperparameters(body: Json, engine: Engine) -> dict[str, float | str]:
    old = table(body, "hyperparameters")
    method = table(body, "method")
    if method is None:
        return read_hyperparameters(old or {}, engine, "hyperparameters.")
    kind = method.get("type")
    if kind is None:
        raise missing("method.type")
    if kind not in METHODS:
        raise bad_value("method.type", f"expected one of {list(METHODS)}.")
    assert isinstance(kind, str)
    if kind not in engine.methods:
        message = f"The method '{kind}' is not supported for the model {engine.base}."
        raise ApiError(400, message, param="method", code="unsupported_method")
    only(method, ("type", kind), "method.")
    inner = table(method, kind, at="method.") or {}
    only(inner, ("hyperparameters",), f"method.{kind}.")
    at = f"method.{kind}.hyperparameters"
    found = read_hyperparameters(table(inner, "hyperparameters", at=f"method.{kind}.") or {}, engine, f"{at}.")
    if old and read_hyperparameters(old, engine, "hyperparameters.") != found:
        raise bad_value("hyperparameters", f"it contradicts '{at}': give one of the two.")
    return found


def read_hyperparameters(given: Json, engine: Engine, at: str) -> dict[str, float | str]:
    """Check the hyperparameters that a request states; `at` is where they stand in it."""
    known = {each.name: each for each in engine.hyperparameters}
    found: dict[str, float | str] = {}
    for name, value in given.items():
        if name not in known:
            raise unsupported(at + name, f"is not supported for the model {engine.base}.")
        if value is not None and value != AUTO:
            found[name] = _number(value, known[name], at + name)
    return found


def _number(value: object, hyperparameter: Hyperparameter, param: str) -> float:
    wanted = "an integer or 'auto'" if hyperparameter.whole else "a number or 'auto'"
    kinds = int if hyperparameter.whole else int | float
    if isinstance(value, float) and value.is_integer() and hyperparameter.whole:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise bad_type(param, wanted, value)
    if not hyperparameter.low <= value <= hyperparameter.high:
        bounds = f"from {hyperparameter.low:g} to {hyperparameter.high:g}"
        if hyperparameter.low == hyperparameter.high:
            bounds = f"of {hyperparameter.low:g}"
        note = f" ({hyperparameter.note})" if hyperparameter.note else ""
        raise bad_value(param, f"this model supports values {bounds}{note}, got {value}.", "unsupported_value")
    return value


def _suffix(body: Json) -> str:
    suffix = text(body, "suffix", low=1, high=64) or ""
    if not all(letter.isascii() and (letter.isalnum() or letter in "-_. ") for letter in suffix):
        raise bad_value("suffix", "expected letters, digits, spaces, '-', '_' and '.' only.")
    return suffix.lower().replace(" ", "-")


def read_metadata(body: Json) -> dict[str, str] | None:
    """Return the metadata of a request, None where there are none."""
    given = table(body, "metadata")
    if not given:
        return None
    if len(given) > 16:
        raise bad_value("metadata", f"expected at most 16 pairs, got {len(given)}.", "object_above_max_properties")
    for key, value in given.items():
        if not 1 <= len(key) <= 64:
            raise bad_value("metadata", f"expected keys of 1 to 64 characters, got {len(key)}.", "string_length")
        if not isinstance(value, str):
            raise bad_type(f"metadata.{key}", "a string", value)
        if len(value) > 512:
            raise bad_value(f"metadata.{key}", f"expected at most 512 characters, got {len(value)}.", "string_length")
    return {key: str(value) for key, value in given.items()}
