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
LONGEST = 50_000
"""The longest text, in characters, that is compared for similarity."""

BLOCK = 4096
"""The characters that are compared at once: long enough to be fast, short enough for one integer a letter."""

MOST_CHARACTERS = 4_000_000
"""The characters of all texts of one grading, after their variables were filled in."""

MOST_PAIRS = LONGEST**2
"""The pairs of characters that one grading may compare for similarity: as many as two texts of full length have."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a grader. `errors` names, in the API's words, why the score is 0."""

    reward: float
    parts: Mapping[str, float] = msgspec.field(default_factory=dict)
    errors: frozenset[str] = frozenset()


def score_sample(grader: Grader, sample: str, item: Mapping[str, object]) -> Score:
    """Grade a sample.

    Raises: GraderError for graders that are not run here
    """
    work = _Grading(sample, item)
    if not isinstance(grader, MultiGrader):
        return _single(grader, work)
    found = {name: _single(each, work) for name, each in grader.graders.items()}
    errors = frozenset(error for each in found.values() for error in each.errors)
    parts = {name: each.reward for name, each in found.items()}
    try:
        return Score(reward=grader.formula.value(parts), parts=parts, errors=errors)
    except FormulaError:
        return Score(reward=0.0, parts=parts, errors=errors | {"formula_parse_error"})


def text_similarity(left: str, right: str) -> float:
    """Return how alike two texts are, from 0 to 1: twice their longest common subsequence over their total length.

    Cost:   one operation on a short integer for each character of `right`, for each `BLOCK` characters of `left`;
            memory for one block, and a bit for each character of `right`
    """
    if not left and not right:
        return 1.0
    common = 0
    carries: bytes | bytearray = bytes(len(right))
    for start in range(0, len(left), BLOCK):
        found, carries = _common_in_block(left[start : start + BLOCK], right, carries)
        common += found
    return 2 * common / (len(left) + len(right))


def _common_in_block(block: str, right: str, carries: bytes | bytearray) -> tuple[int, bytearray]:
    """Return the part of the subsequence that lies in a block, and what each addition carries into the next block."""
    where: dict[str, int] = {}
    for place, letter in enumerate(block):
        where[letter] = where.get(letter, 0) | (1 << place)
    size = len(block)
    all_of_it = (1 << size) - 1
    carried = bytearray(len(right))
    # Each 0 in `open_` is a letter of the subsequence: the bit-parallel form of the usual table.
    open_ = all_of_it
    for at, letter in enumerate(right):
        taken = open_ & where.get(letter, 0)
        total = open_ + taken + carries[at]
        carried[at] = total >> size
        open_ = (total | (open_ - taken)) & all_of_it
    return size - open_.bit_count(), carried


def _single(grader: SingleGrader, work: "_Grading") -> Score:
    if isinstance(grader, PythonGrader | ScoreModel | LabelModel):
        kind = type(grader).__struct_config__.tag
        detail = f"'{kind}' is not run by this service: it needs a model or a sandbox."
        raise GraderError("unsupported", "grader.type", detail)
    if isinstance(grader, TextSimilarity) and grader.metric != FUZZY:
        message = f"'{grader.metric}' is not computed by this service; '{FUZZY}' is."
        raise GraderError("unsupported", "grader.evaluation_metric", message)
    try:
        found, reference = work.fill(grader.input), work.fill(grader.reference)
    except NoSuchVariableError:
        return Score(reward=0.0, errors=frozenset({"invalid_variable_error"}))
    except NoJsonSampleError:
        return Score(reward=0.0, errors=frozenset({"sample_parse_error"}))
    if isinstance(grader, StringCheck):
        return Score(reward=float(_compare(grader.operation, found, reference)))
    if max(len(found), len(reference)) > LONGEST:
        return Score(reward=0.0, errors=frozenset({"truncated_observation_error"}))
    work.count_pairs(len(found) * len(reference))
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


_PLACE = re.compile(r"\{\{([^{}]*)\}\}")


class NoSuchVariableError(ValueError):
    """A template names a variable that neither the item nor the sample has."""


class NoJsonSampleError(ValueError):
    """A template reads a field of a sample that is not JSON."""


class _Grading:
    """One sample that is graded: fills the templates, and counts the work against its limits."""

    def __init__(self, sample: str, item: Mapping[str, object]) -> None:
        self._sample = sample
        self._item = item
        self._values: dict[str, str] = {}
        self._parsed: list[object] = []
        self._characters = MOST_CHARACTERS
        self._pairs = MOST_PAIRS

    def fill(self, template: str) -> str:
        """Replace the variables of a template with their values: a text as it is, anything else as JSON.

        Raises: NoSuchVariableError, NoJsonSampleError; GraderError when the texts become too long
        """
        parts = []
        for place, part in enumerate(_PLACE.split(template)):
            text = self._text(part.strip()) if place % 2 else part
            self._characters -= len(text)
            if self._characters < 0:
                detail = (
                    f"the texts of this grader have more than {MOST_CHARACTERS} characters when they are filled in."
                )
                raise GraderError("value", "grader", detail, "string_above_max_length")
            parts.append(text)
        return "".join(parts)

    def count_pairs(self, pairs: int) -> None:
        """Count the pairs of characters that a comparison looks at.

        Raises: GraderError when they are too many together
        """
        self._pairs -= pairs
        if self._pairs < 0:
            detail = f"the texts to compare are too long: {MOST_PAIRS} pairs of characters are compared at once."
            raise GraderError("value", "grader", detail, "string_above_max_length")

    def _text(self, path: str) -> str:
        if path not in self._values:
            self._values[path] = _as_text(self._value(path))
        return self._values[path]

    def _value(self, path: str) -> object:
        root, *steps = path.split(".")
        if root == "item" and steps:
            return _walk(self._item, steps, path)
        if root == "sample" and steps == ["output_text"]:
            return self._sample
        if root == "sample" and steps[:1] == ["output_json"]:
            if not self._parsed:
                self._parsed.append(_parse(self._sample))
            return _walk(self._parsed[0], steps[1:], path)
        raise NoSuchVariableError(path)


def _parse(sample: str) -> object:
    try:
        return json.loads(sample)
    except (ValueError, RecursionError) as error:
        raise NoJsonSampleError(f"the sample is no JSON: {error}") from error


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
