"""Graders as values: each kind with what it needs, read from the API's JSON and refused where its shape is wrong."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from reconciler.evaluation.formula import Formula, FormulaError, read_formula
from reconciler.evaluation.messages import check_messages
from reconciler.service.endpoint import RequestBody, check_known, read_number, read_object, read_text, read_texts
from reconciler.service.errors import ApiError, missing_error, type_error, value_error

OPERATIONS = ("eq", "ne", "like", "ilike")
METRICS = (
    "cosine",
    "fuzzy_match",
    "bleu",
    "gleu",
    "meteor",
    "rouge_1",
    "rouge_2",
    "rouge_3",
    "rouge_4",
    "rouge_5",
    "rouge_l",
)
LONGEST_SOURCE = 256 * 1024
MOST_LABELS = 1000


class StringCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether two texts are equal, or one contains the other."""

    name: str
    input: str
    reference: str
    operation: str


class TextSimilarity(msgspec.Struct, frozen=True, kw_only=True):
    """How alike two texts are."""

    name: str
    input: str
    reference: str
    metric: str


class UnsupportedGrader(msgspec.Struct, frozen=True, kw_only=True):
    """A grader of the right shape that runs code or asks a model, which this service does for nobody."""

    name: str
    kind: str


class MultiGrader(msgspec.Struct, frozen=True, kw_only=True):
    """Several graders, and a formula that makes one number of theirs."""

    name: str
    graders: Mapping[str, "SingleGrader"]
    formula: Formula


SingleGrader: TypeAlias = StringCheck | TextSimilarity | UnsupportedGrader
Grader: TypeAlias = SingleGrader | MultiGrader


def read_grader(body: RequestBody, at: str = "grader") -> Grader:
    """Read a grader of any kind.

    Raises: ApiError for the first thing that is wrong with its shape
    """
    if body.get("type") == "multi":
        return _multi(body, at)
    return _single(body, at)


def _single(body: RequestBody, at: str) -> SingleGrader:
    kind = body.get("type")
    if kind is None:
        raise missing_error(f"{at}.type")
    match kind:
        case "string_check":
            operation = _one_of(body, "operation", OPERATIONS, at)
            return StringCheck(operation=operation, **_texts(body, at, ("name", "input", "reference")))
        case "text_similarity":
            read_number(body, "pass_threshold", 0.0, 1.0)
            metric = _one_of(body, "evaluation_metric", METRICS, at)
            return TextSimilarity(metric=metric, **_texts(body, at, ("name", "input", "reference")))
        case "python":
            facts = _texts(body, at, ("name", "source"))
            if len(facts["source"].encode()) > LONGEST_SOURCE:
                raise value_error(f"{at}.source", f"expected at most {LONGEST_SOURCE} bytes.", "string_length")
            read_text(body, "image_tag", at=f"{at}.")
        case "score_model":
            facts = _texts(body, at, ("name", "model"))
            check_messages(body, at)
            _range(body, at)
            read_object(body, "sampling_params", at=f"{at}.")
        case "label_model":
            facts = _texts(body, at, ("name", "model"))
            check_messages(body, at)
            labels, passing = read_texts(body, "labels", MOST_LABELS), read_texts(body, "passing_labels", MOST_LABELS)
            if not labels or not set(passing) <= set(labels):
                raise value_error(f"{at}.passing_labels", "expected some of 'labels', of which there is at least one.")
        case "multi":
            raise value_error(f"{at}.type", "a 'multi' grader holds no other 'multi' grader.")
        case _:
            known = "'string_check', 'text_similarity', 'python', 'score_model', 'label_model' or 'multi'"
            raise value_error(f"{at}.type", f"expected {known}.")
    return UnsupportedGrader(name=facts["name"], kind=kind)


def _multi(body: RequestBody, at: str) -> MultiGrader:
    check_known(body, ("type", "name", "graders", "calculate_output"), f"{at}.")
    facts = _texts(body, at, ("name", "calculate_output"))
    inner = read_object(body, "graders", at=f"{at}.")
    if not inner:
        raise missing_error(f"{at}.graders")
    # Some clients send one grader where others send a map of names to graders.
    alone = isinstance(inner.get("type"), str)
    held: Mapping[str, object] = {str(inner.get("name")): inner} if alone else inner
    graders = {}
    for name, each in held.items():
        if not isinstance(each, dict):
            raise type_error(f"{at}.graders.{name}", "an object", each)
        graders[name] = _single(each, f"{at}.graders.{name}")
    try:
        formula = read_formula(facts["calculate_output"], frozenset(graders))
    except FormulaError as error:
        raise value_error(f"{at}.calculate_output", f"{error}.", "invalid_formula") from error
    return MultiGrader(name=facts["name"], graders=graders, formula=formula)


def _texts(body: RequestBody, at: str, names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        value = read_text(body, name, at=f"{at}.")
        if value is None:
            raise missing_error(f"{at}.{name}")
        found[name] = value
    return found


def _one_of(body: RequestBody, name: str, known: tuple[str, ...], at: str) -> str:
    (value,) = _texts(body, at, (name,)).values()
    # The guide on graders writes `neq` where the API's description has `ne`.
    value = "ne" if value == "neq" and name == "operation" else value
    if value not in known:
        raise value_error(f"{at}.{name}", f"expected one of {list(known)}.")
    return value


def _range(body: RequestBody, at: str) -> None:
    bounds = body.get("range")
    if bounds is None:
        return
    if not isinstance(bounds, list) or len(bounds) != 2 or not all(isinstance(each, int | float) for each in bounds):
        raise ApiError(400, f"Invalid type for '{at}.range': expected two numbers.", param=f"{at}.range")
