"""Scores one sample: the same number for the same texts, without asking a model."""

import json
import re
from collections.abc import Mapping

import msgspec

from reconciler.evaluation.formula import FormulaError
from reconciler.evaluation.graders import (
    Grader,
    GraderError,
    LabelModel,
    MultiGrader,
    PythonGrader,
    ScoreModel,
    SingleGrader,
    StringCheck,
    TextSimilarity,
)

FUZZY = "fuzzy_match"
LONGEST = 100_000
"""The longest text, in characters, that is compared for similarity."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a grader. `errors` names, in the API's words, why the score is 0."""

    reward: float
    parts: Mapping[str, float] = msgspec.field(default_factory=dict)
    errors: frozenset[str] = frozenset()


def score_sample(grader: Grader, sample: str, item: Mapping[str, object]) -> Score:
    """Grade a sample.

    Raises: GraderError for graders that are not run here
    """
    if not isinstance(grader, MultiGrader):
        return _single(grader, sample, item)
    found = {name: _single(each, sample, item) for name, each in grader.graders.items()}
    errors = frozenset(error for each in found.values() for error in each.errors)
    parts = {name: each.reward for name, each in found.items()}
    try:
        return Score(reward=grader.formula.value(parts), parts=parts, errors=errors)
    except FormulaError:
        return Score(reward=0.0, parts=parts, errors=errors | {"formula_parse_error"})


def text_similarity(left: str, right: str) -> float:
    """Return how alike two texts are, from 0 to 1: twice their longest common subsequence over their total length.

    Cost:   one operation on an integer of as many bits as `left` has characters, for each character of `right`
    """
    if not left and not right:
        return 1.0
    where: dict[str, int] = {}
    for place, letter in enumerate(left):
        where[letter] = where.get(letter, 0) | (1 << place)
    all_of_it = (1 << len(left)) - 1
    # Each 0 in `open_` is a letter of the subsequence: the bit-parallel form of the usual table.
    open_ = all_of_it
    for letter in right:
        taken = open_ & where.get(letter, 0)
        open_ = ((open_ + taken) | (open_ - taken)) & all_of_it
    common = len(left) - open_.bit_count()
    return 2 * common / (len(left) + len(right))


def _single(grader: SingleGrader, sample: str, item: Mapping[str, object]) -> Score:
    if isinstance(grader, PythonGrader | ScoreModel | LabelModel):
        kind = type(grader).__struct_config__.tag
        detail = f"'{kind}' is not run by this service: it needs a model or a sandbox."
        raise GraderError("unsupported", "grader.type", detail)
    if isinstance(grader, TextSimilarity) and grader.metric != FUZZY:
        message = f"'{grader.metric}' is not computed by this service; '{FUZZY}' is."
        raise GraderError("unsupported", "grader.evaluation_metric", message)
    try:
        found, reference = fill_template(grader.input, item, sample), fill_template(grader.reference, item, sample)
    except NoSuchVariableError:
        return Score(reward=0.0, errors=frozenset({"invalid_variable_error"}))
    except NoJsonSampleError:
        return Score(reward=0.0, errors=frozenset({"sample_parse_error"}))
    if isinstance(grader, StringCheck):
        return Score(reward=float(_compare(grader.operation, found, reference)))
    if max(len(found), len(reference)) > LONGEST:
        return Score(reward=0.0, errors=frozenset({"truncated_observation_error"}))
    return Score(reward=text_similarity(found, reference))


def _compare(operation: str, found: str, reference: str) -> bool:
    match operation:
        case "eq":
            return found == reference
        case "ne" | "neq":
            return found != reference
        case "like":
            return reference in found
        case _:
            return reference.casefold() in found.casefold()


_PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class NoSuchVariableError(ValueError):
    """A template names a variable that neither the item nor the sample has."""


class NoJsonSampleError(ValueError):
    """A template reads a field of a sample that is not JSON."""


def fill_template(template: str, item: Mapping[str, object], sample: str) -> str:
    """Replace the variables of a template with their values: a text as it is, anything else as JSON.

    Raises: NoSuchVariableError, NoJsonSampleError
    """
    return _PLACE.sub(lambda place: _as_text(_value(place[1], item, sample)), template)


def _value(path: str, item: Mapping[str, object], sample: str) -> object:
    root, *steps = path.split(".")
    if root == "item" and steps:
        return _walk(item, steps, path)
    if root == "sample" and steps == ["output_text"]:
        return sample
    if root == "sample" and steps[:1] == ["output_json"]:
        try:
            return _walk(json.loads(sample), steps[1:], path)
        except (json.JSONDecodeError, RecursionError) as error:
            raise NoJsonSampleError(f"the sample is no JSON: {error}") from error
    raise NoSuchVariableError(path)


def _walk(value: object, steps: list[str], path: str) -> object:
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,6}", step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise NoSuchVariableError(path)
    return value


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
