"""Graders as values: each kind with its fields, read from the API's JSON and refused when the shape is wrong."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from reconciler.domain.errors import ReconcilerError
from reconciler.evaluation.formula import Formula, FormulaError, read_formula

LONGEST_SOURCE = 256 * 1024
MOST_GRADERS = 64
"""The number of graders in one 'multi' grader."""

# The guide on graders writes `neq` where the API's description has `ne`.
Operation = Literal["eq", "ne", "neq", "like", "ilike"]
Metric = Literal[
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
]
Role = Literal["user", "assistant", "system", "developer"]
AudioFormat = Literal["mp3", "wav"]
Problem = Literal["missing", "type", "value", "unknown", "unsupported"]
Labels = Annotated[list[str], msgspec.Meta(max_length=1000)]


class GraderError(ReconcilerError):
    """A grader that cannot be read, or that is not run here.

    Shape:  `param` is the path of the field, `problem` says what is wrong with it, `code` is the API's word for it
    """

    def __init__(self, problem: Problem, param: str, detail: str = "", code: str = "invalid_value") -> None:
        self.problem = problem
        self.param = param
        self.detail = detail
        self.code = code
        super().__init__(f"{param}: {detail or problem}")


class InputText(msgspec.Struct, frozen=True, tag="input_text"):
    """A text in a message."""

    text: str


class OutputText(msgspec.Struct, frozen=True, tag="output_text"):
    """A text that a model gave earlier."""

    text: str


class InputImage(msgspec.Struct, frozen=True, tag="input_image"):
    """An image in a message."""

    image_url: str
    detail: str = ""


class AudioData(msgspec.Struct, frozen=True):
    """Sound and its format."""

    data: str
    format: AudioFormat


class InputAudio(msgspec.Struct, frozen=True, tag="input_audio"):
    """Sound in a message."""

    input_audio: AudioData


MessagePart: TypeAlias = InputText | OutputText | InputImage | InputAudio


class GraderMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message that a grader sends to a model."""

    type: Literal["message"] = "message"
    role: Role
    content: str | MessagePart | list[str | MessagePart]


class StringCheck(msgspec.Struct, frozen=True, kw_only=True, tag="string_check"):
    """Checks whether two texts are equal, or whether one contains the other."""

    name: str
    input: str
    reference: str
    operation: Operation


class TextSimilarity(msgspec.Struct, frozen=True, kw_only=True, tag="text_similarity"):
    """Measures how alike two texts are."""

    name: str
    input: str
    reference: str
    metric: Metric = msgspec.field(name="evaluation_metric")
    pass_threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class PythonGrader(msgspec.Struct, frozen=True, kw_only=True, tag="python"):
    """Runs code."""

    name: str
    source: str
    image_tag: str | None = None


class ScoreModel(msgspec.Struct, frozen=True, kw_only=True, tag="score_model"):
    """Asks a model for a score."""

    name: str
    model: str
    input: list[GraderMessage]
    range: tuple[float, float] | None = None
    sampling_params: dict[str, object] | None = None


class LabelModel(msgspec.Struct, frozen=True, kw_only=True, tag="label_model"):
    """Asks a model for a label."""

    name: str
    model: str
    input: list[GraderMessage]
    labels: Labels
    passing_labels: Labels


class MultiGrader(msgspec.Struct, frozen=True, kw_only=True):
    """Several graders, and a formula that computes one number from their scores."""

    name: str
    graders: Mapping[str, "SingleGrader"]
    formula: Formula


class _MultiShape(msgspec.Struct, kw_only=True, tag="multi", forbid_unknown_fields=True):
    name: str
    graders: dict[str, object]
    calculate_output: str


SingleGrader: TypeAlias = StringCheck | TextSimilarity | PythonGrader | ScoreModel | LabelModel
Grader: TypeAlias = SingleGrader | MultiGrader

_KINDS = ("string_check", "text_similarity", "python", "score_model", "label_model")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "type": (*_KINDS, "multi"),
    "content.type": ("input_text", "output_text", "input_image", "input_audio"),
    "operation": tuple(word for word in get_args(Operation) if word != "neq"),
    "evaluation_metric": get_args(Metric),
    "role": get_args(Role),
    "format": get_args(AudioFormat),
}
_PLACE = " - at `$"
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_INDEX = re.compile(r"\[[^\]]*\]")
_TYPES = {
    "str": "a string",
    "float": "a number",
    "int": "an integer",
    "object": "an object",
    "array": "an array",
    "bool": "a boolean",
}
_BOUNDS = {
    ">=": ("at least", "out_of_range"),
    "<=": ("at most", "out_of_range"),
    "of length <=": ("of a length of at most", "array_above_max_length"),
}


def read_grader(body: Mapping[str, object], at: str = "grader") -> Grader:
    """Read a grader of any kind.

    Raises: GraderError for the first field that is wrong
    """
    return _read_multi(body, at) if body.get("type") == "multi" else _read_single(body, at)


def _read_single(body: object, at: str) -> SingleGrader:
    if isinstance(body, Mapping) and body.get("type") == "multi":
        raise GraderError("value", f"{at}.type", "a 'multi' grader holds no other 'multi' grader.")
    if isinstance(body, Mapping) and body.get("type") not in (None, *_KINDS):
        raise GraderError("value", f"{at}.type", f"expected one of {list(_KNOWN['type'])}.")
    grader: SingleGrader = _convert(body, SingleGrader, at)
    if isinstance(grader, PythonGrader) and len(grader.source.encode()) > LONGEST_SOURCE:
        raise GraderError("value", f"{at}.source", f"expected at most {LONGEST_SOURCE} bytes.", "string_length")
    if isinstance(grader, LabelModel) and not (grader.labels and set(grader.passing_labels) <= set(grader.labels)):
        detail = "expected some of 'labels', of which there is at least one."
        raise GraderError("value", f"{at}.passing_labels", detail)
    return grader


def _read_multi(body: Mapping[str, object], at: str) -> MultiGrader:
    shape: _MultiShape = _convert(body, _MultiShape, at)
    if not shape.graders:
        raise GraderError("missing", f"{at}.graders")
    if len(shape.graders) > MOST_GRADERS:
        detail = f"expected at most {MOST_GRADERS} graders, got {len(shape.graders)}."
        raise GraderError("value", f"{at}.graders", detail, "object_above_max_properties")
    # Some clients send one grader where others send a map of names to graders.
    alone = isinstance(shape.graders.get("type"), str)
    bodies = {str(shape.graders.get("name")): shape.graders} if alone else shape.graders
    graders = {name: _read_single(inner, f"{at}.graders.{name}") for name, inner in bodies.items()}
    try:
        formula = read_formula(shape.calculate_output, frozenset(graders))
    except FormulaError as error:
        raise GraderError("value", f"{at}.calculate_output", f"{error}.", "invalid_formula") from error
    return MultiGrader(name=shape.name, graders=graders, formula=formula)


def _convert(body: object, kind: Any, at: str) -> Any:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise _explain(str(error), at) from error


def _explain(message: str, at: str) -> GraderError:
    """Translate an error of the library: which field, what is wrong, and what is expected."""
    # The last of them, and never an empty one: a field of the request may be named like a place.
    what, _, path = message.removesuffix("`").rpartition(_PLACE)
    what, path = (what, at + path) if what and path else (message, at)
    if field := _FIELD.fullmatch(what):
        return GraderError("missing" if field[1] == "missing required" else "unknown", f"{path}.{field[2]}")
    if what.endswith("got `null`"):
        return GraderError("missing", path)
    *_, parent, name = f".{_INDEX.sub('', path)}".split(".")
    known = _KNOWN.get(f"{parent}.{name}", _KNOWN.get(name))
    if known and not what.startswith("Expected"):
        return GraderError("value", path, f"expected one of {list(known)}.")
    expected, _, got = what.removeprefix("Expected ").partition(", got ")
    if got:
        detail = f"expected {_type_words(expected)}, but got {_type_words(got)} instead."
        return GraderError("type", path, detail, "invalid_type")
    kind, _, bound = expected.partition("` ")
    sign, _, limit = bound.rpartition(" ")
    words, code = _BOUNDS.get(sign, (sign, "invalid_value"))
    return GraderError("value", path, f"expected {_type_words(kind.strip('`'))} {words} {limit}.", code)


def _type_words(kinds: str) -> str:
    words = (kind.partition(" ") for kind in kinds.replace("`", "").split(" | "))
    return " or ".join(f"{_TYPES.get(kind, kind)} {rest}".strip() for kind, _, rest in words)
