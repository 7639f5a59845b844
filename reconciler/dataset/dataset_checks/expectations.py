"""What specs ask of datasets: the expectations of their authors, and what training methods need of the rows."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example_row import DatasetCheck, ExampleRow, RowKeys, RowPlaces
from reconciler.dataset.row_checks import API_KEYS
from reconciler.dataset.sensitive import mask_text
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.expectations import Expectation, Matches, MaxRatio, MaxRows, MaxTokens, MinRows, OneOf, Unique
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format, ModelSpec, Specs
from reconciler.foundation.expressions import Expression, MatchingTime, SlowExpressionError, compile_expression
from reconciler.foundation.text import did_you_mean, list_words, yaml_scalar

MOST_REINFORCEMENT_ROWS = 50_000
MOST_REINFORCEMENT_VALIDATION_ROWS = 1_000
MATCHED_CHARACTERS = 1_000_000

_ITEM = re.compile(r"\{\{\s*item\.([A-Za-z0-9_]+)")
_REINFORCEMENT_GUIDE = "OpenAI reinforcement fine-tuning guide"
_SHOWN = 60
_MOST_HINTS = 50
_MASKED = 4_000


def make_check(expectation: Expectation, tokens: CountTextTokens, matching: MatchingTime | None = None) -> DatasetCheck:
    """Return the check of an expectation; `matching` is the time that the expressions of a dataset share."""
    wanted = expectation.wanted
    match wanted:
        case MinRows():
            return _RowCountCheck(expectation, lambda rows: rows >= wanted.rows, f"at least {wanted.rows}")
        case MaxRows():
            return _RowCountCheck(expectation, lambda rows: rows <= wanted.rows, f"at most {wanted.rows}")
        case Unique():
            return _UniqueCheck(expectation, wanted.field)
        case MaxRatio():
            return _MaxRatioCheck(expectation, wanted.field, wanted.ratio)
        case Matches():
            expression, time = compile_expression(wanted.pattern), matching or MatchingTime()
            return _RowCheck(
                expectation, lambda example: _check_match(example.field(wanted.field), wanted.field, expression, time)
            )
        case OneOf():
            one_of = _OneOfTest(wanted)
            return _RowCheck(expectation, lambda example: one_of.find_fault(example.field(wanted.field)))
        case MaxTokens():
            return _RowCheck(expectation, lambda example: _check_tokens(example, wanted.tokens, tokens))


@dataclass(slots=True)
class _RowCheck:
    """Checks every row; `find_fault` returns what is wrong, and a hint."""

    expectation: Expectation
    find_fault: Callable[[ExampleRow], tuple[str, str] | None]

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        found = self.find_fault(example)
        if found:
            yield _row_problem(self.expectation, places[example.number], *found)

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        return iter(())


@dataclass(slots=True)
class _RowCountCheck:
    """Checks the number of rows."""

    expectation: Expectation
    holds: Callable[[int], bool]
    wanted: str

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        if not self.holds(places.rows):
            rows = "1 row" if places.rows == 1 else f"{places.rows} rows"
            yield _count_problem(self.expectation, f"there should be {self.wanted} rows, and there are {rows}")


class _FieldCheck:
    """Notes the text of each row in one field."""

    def __init__(self, expectation: Expectation, name: str) -> None:
        self.expectation = expectation
        self.name = name
        self.keys = RowKeys()

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        found = example.field(self.name)
        self.keys.add(0 if found is None else xxh3_64_intdigest(found.encode(errors="surrogatepass")))
        return iter(())


class _UniqueCheck(_FieldCheck):
    """Checks that no two rows have the same text."""

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        pairs = list(self.keys.pairs())
        if pairs:
            rows = "1 row has" if len(pairs) == 1 else f"{len(pairs)} rows have"
            what = f"{rows} the `{self.name}` of an earlier row; this one is the same as {places[pairs[0][1]]}"
            yield _row_problem(self.expectation, places[pairs[0][0]], what, "keep one of them")


class _MaxRatioCheck(_FieldCheck):
    """Checks that not too many rows have the same text."""

    def __init__(self, expectation: Expectation, name: str, ratio: float) -> None:
        super().__init__(expectation, name)
        self.ratio = ratio

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        found = self.keys.find_most_common()
        if found and found.rows > self.ratio * places.rows:
            percent, most = 100 * found.rows / places.rows, 100 * self.ratio
            share = f"{found.rows} of {places.rows} rows ({percent:.3g} %)"
            what = f"{share} have the same `{self.name}`, the first here; at most {most:.3g} % should"
            hint = "add rows of other kinds, or drop some of these"
            yield _row_problem(self.expectation, places[found.first], what, hint)


def _check_match(found: str | None, name: str, expression: Expression, time: MatchingTime) -> tuple[str, str] | None:
    if found is None:
        return f"there is no `{name}`", ""
    if len(found) > MATCHED_CHARACTERS:
        what = f"`{name}` has {len(found):,} characters, and at most {MATCHED_CHARACTERS:,} are matched"
        return what, "shorten or split it"
    try:
        if time.fullmatch(expression, found):
            return None
    except SlowExpressionError as error:
        return error.what, error.hint
    return f"`{name}` is {_quote(found)}, which does not match {expression.pattern[:_SHOWN]}", ""


class _OneOfTest:
    """Finds texts that are none of some values. The nearest value is found for a few of them: that takes long."""

    def __init__(self, wanted: OneOf) -> None:
        self._field, self._values = wanted.field, frozenset(wanted.values)
        self._listed = f"one of {list_words(wanted.values)}"
        self._known = wanted.values
        self._hints: dict[str, str] = {}

    def find_fault(self, found: str | None) -> tuple[str, str] | None:
        if found is None:
            return f"there is no `{self._field}`", ""
        if found in self._values:
            return None
        if found not in self._hints and len(self._hints) < _MOST_HINTS:
            self._hints[found] = did_you_mean(found, self._known) or self._listed
        return f"`{self._field}` is {_quote(found)}", self._hints.get(found, self._listed)


def _check_tokens(example: ExampleRow, most: int, tokens: CountTextTokens) -> tuple[str, str] | None:
    found = sum(tokens(text) for _, text in example.texts)
    if found <= most:
        return None
    return f"about {found} tokens; at most {most} are expected", "shorten or split it: services truncate long rows"


def _quote(text: str) -> str:
    # Masked before it is cut: what is left of a key would not be known as one.
    text = mask_text(text[:_MASKED])
    return f"`{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}`"


def _row_problem(expectation: Expectation, where: Place, what: str, hint: str) -> Problem:
    because = f"{hint}; " if hint else ""
    hint = f"{because}{expectation.place} expects it"
    return Problem(where=where, what=what, hint=hint, rule="expect.rows", severity=expectation.severity)


def _count_problem(expectation: Expectation, what: str) -> Problem:
    where, path = expectation.place, expectation.path
    return Problem(where=where, path=path, what=what, rule="expect.count", severity=expectation.severity)


def check_methods(specs: Specs, measures: Mapping[str, DatasetMeasure]) -> Iterator[Problem]:
    """Yield what is wrong between models and the datasets that were measured for them."""
    for model in specs.models:
        for field, name in (("training", model.training), ("validation", model.validation)):
            measured = measures.get(name) if name else None
            if not measured or not name:
                continue
            formats = FORMATS_OF.get(model.recipe.method, tuple(Format))
            if measured.format not in formats:
                yield _wrong_format(model, field, name, measured.format)
            elif measured.format is Format.REINFORCEMENT:
                yield from _check_grader(model, name, measured)
                yield from _check_row_limits(model, field, name, measured)


def _wrong_format(model: ModelSpec, field: str, name: str, found: Format) -> Problem:
    wanted = " or ".join(FORMATS_OF[model.recipe.method])
    method = next((method for method, formats in FORMATS_OF.items() if found in formats), SUPERVISED)
    what = f"the rows of `{name}` have the format {found}, and {model.recipe.method} learns from {wanted}"
    hint = f"use another dataset, or `method: {method}`"
    return Problem(where=model.place, path=field, what=what, hint=hint, rule="method.format")


def _check_grader(model: ModelSpec, name: str, measured: DatasetMeasure) -> Iterator[Problem]:
    rows = measured.training.rows + (measured.validation.rows if measured.validation else 0)
    counts = dict(measured.keys)
    # The recipe holds the grader as JSON; its templates are texts in it.
    for key in sorted(set(_ITEM.findall(model.recipe.extra))):
        if counts.get(key, 0) < rows:
            keys = [key for key in counts if key not in API_KEYS]
            what = f"the grader names `item.{key}`, which {counts.get(key, 0)} of {rows} rows of `{name}` have"
            drop = f"`prepare: [{{filter: {{column: {yaml_scalar(key)}, present: true}}}}]` drops the others"
            other = did_you_mean(key, keys) or f"rows have {list_words(keys) or 'no key for graders'}"
            hint = f"add `{key}` to every row; {drop}" if key in counts else other
            yield Problem(where=model.place, path="grader", what=what, hint=hint, rule="method.grader")


def _check_row_limits(model: ModelSpec, field: str, name: str, measured: DatasetMeasure) -> Iterator[Problem]:
    is_training = field == "training"
    most_rows = MOST_REINFORCEMENT_ROWS if is_training else MOST_REINFORCEMENT_VALIDATION_ROWS
    sides = [(measured.training.rows, most_rows)]
    if measured.validation and is_training:
        sides.append((measured.validation.rows, MOST_REINFORCEMENT_VALIDATION_ROWS))
    for rows, most in sides:
        if rows > most:
            what = f"{rows} rows of `{name}`; reinforcement takes {most} here ({_REINFORCEMENT_GUIDE})"
            hint, severity = "`prepare: [{sample: {rows: …}}]` takes fewer", Severity.WARNING
            yield Problem(where=model.place, path=field, what=what, hint=hint, rule="method.rows", severity=severity)
