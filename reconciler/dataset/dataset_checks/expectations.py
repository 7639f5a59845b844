"""What the author of a dataset expects of its rows, one look for each kind of expectation."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example_row import DatasetCheck, ExampleRow
from reconciler.dataset.dataset_checks.row_index import RowKeys, RowPlaces
from reconciler.dataset.row_checks import API_KEYS
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.expectations import Expectation, Matches, MaxRatio, MaxRows, MaxTokens, MinRows, OneOf, Unique
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format, ModelSpec, Specs
from reconciler.foundation.suggest import did_you_mean, list_words

_SHOWN = 60


def make_check(expectation: Expectation, tokens: CountTextTokens) -> DatasetCheck:
    """Return the look that an expectation asks for."""
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
            pattern = re.compile(wanted.pattern)
            return _RowCheck(
                expectation, lambda example: _check_match(example.field(wanted.field), wanted.field, pattern)
            )
        case OneOf():
            return _RowCheck(expectation, lambda example: _check_one_of(example.field(wanted.field), wanted))
        case MaxTokens():
            return _RowCheck(expectation, lambda example: _check_tokens(example, wanted.tokens, tokens))


@dataclass(slots=True)
class _RowCheck:
    """Asks every row; the answer is what is wrong, and a hint."""

    expectation: Expectation
    fault: Callable[[ExampleRow], tuple[str, str] | None]

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        found = self.fault(example)
        if found:
            yield _row_problem(self.expectation, places[example.number], *found)

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        return iter(())


@dataclass(slots=True)
class _RowCountCheck:
    """Asks how many rows there are."""

    expectation: Expectation
    holds: Callable[[int], bool]
    wanted: str

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        if not self.holds(places.rows):
            rows = "1 row" if places.rows == 1 else f"{places.rows} rows"
            yield _spec_problem(self.expectation, f"there should be {self.wanted} rows, and there are {rows}")


class _FieldCheck:
    """Notes what each row says in one field."""

    def __init__(self, expectation: Expectation, name: str) -> None:
        self.expectation = expectation
        self.name = name
        self.keys = RowKeys()

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        found = example.field(self.name)
        self.keys.add(0 if found is None else xxh3_64_intdigest(found.encode(errors="surrogatepass")))
        return iter(())


class _UniqueCheck(_FieldCheck):
    """Asks whether two rows say the same."""

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        pairs = list(self.keys.pairs())
        if pairs:
            rows = "1 row says" if len(pairs) == 1 else f"{len(pairs)} rows say"
            what = f"{rows} in `{self.name}` what an earlier one says; this one the same as {places[pairs[0][1]]}"
            yield _row_problem(self.expectation, places[pairs[0][0]], what, "keep one of them")


class _MaxRatioCheck(_FieldCheck):
    """Asks whether most rows say the same."""

    def __init__(self, expectation: Expectation, name: str, ratio: float) -> None:
        super().__init__(expectation, name)
        self.ratio = ratio

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        found = self.keys.commonest()
        if found and found.rows > self.ratio * places.rows:
            percent, most = 100 * found.rows / places.rows, 100 * self.ratio
            what = (
                f"{found.rows} of {places.rows} rows ({percent:.3g} %) say the same in `{self.name}`, the first here;"
                f" at most {most:.3g} % should"
            )
            yield _row_problem(
                self.expectation, places[found.first], what, "add rows of other kinds, or drop some of these"
            )


def _check_match(found: str | None, name: str, pattern: re.Pattern[str]) -> tuple[str, str] | None:
    if found is None:
        return f"there is no `{name}`", ""
    if pattern.fullmatch(found):
        return None
    return f"`{name}` is {_quote(found)}, which does not match {pattern.pattern[:_SHOWN]}", ""


def _check_one_of(found: str | None, wanted: OneOf) -> tuple[str, str] | None:
    if found is None:
        return f"there is no `{wanted.field}`", ""
    if found in wanted.values:
        return None
    hint = did_you_mean(found, wanted.values) or f"one of {list_words(wanted.values)}"
    return f"`{wanted.field}` is {_quote(found)}", hint


def _check_tokens(example: ExampleRow, most: int, tokens: CountTextTokens) -> tuple[str, str] | None:
    found = sum(tokens(text) for _, text in example.texts)
    if found <= most:
        return None
    return f"about {found} tokens; at most {most} are expected", "shorten or split it: services cut long rows off"


def _quote(text: str) -> str:
    return f"`{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}`"


def _row_problem(expectation: Expectation, where: Place, what: str, hint: str) -> Problem:
    because = f"{hint}; " if hint else ""
    return Problem(
        where=where,
        what=what,
        hint=f"{because}{expectation.place} expects it",
        rule="expect.rows",
        severity=expectation.severity,
    )


def _spec_problem(expectation: Expectation, what: str) -> Problem:
    return Problem(
        where=expectation.place, path=expectation.path, what=what, rule="expect.count", severity=expectation.severity
    )


MOST_REINFORCEMENT_ROWS = 50_000
MOST_REINFORCEMENT_VALIDATION_ROWS = 1_000

_ITEM = re.compile(r"\{\{\s*item\.([A-Za-z0-9_]+)")
_REINFORCEMENT_GUIDE = "OpenAI reinforcement fine-tuning guide"


def check_methods(specs: Specs, measures: Mapping[str, DatasetMeasure]) -> Iterator[Problem]:
    """Yield what is wrong between models and the datasets that were measured for them."""
    for model in specs.models:
        for field, name in (("training", model.training), ("validation", model.validation)):
            measured = measures.get(name) if name else None
            if not measured or not name:
                continue
            formats = FORMATS_OF.get(model.recipe.method, tuple(Format))
            if measured.format not in formats:
                yield _misfit(model, field, name, measured.format)
            elif measured.format is Format.REINFORCEMENT:
                yield from _ungraded(model, name, measured)
                yield from _too_many(model, field, name, measured)


def _misfit(model: ModelSpec, field: str, name: str, found: Format) -> Problem:
    wanted = " or ".join(FORMATS_OF[model.recipe.method])
    method = next((method for method, formats in FORMATS_OF.items() if found in formats), SUPERVISED)
    return Problem(
        where=model.place,
        path=field,
        what=f"the rows of `{name}` have the format {found}, and {model.recipe.method} learns from {wanted}",
        hint=f"use another dataset, or `method: {method}`",
        rule="method.format",
    )


def _ungraded(model: ModelSpec, name: str, measured: DatasetMeasure) -> Iterator[Problem]:
    rows = measured.training.rows + (measured.validation.rows if measured.validation else 0)
    held = dict(measured.keys)
    # The recipe holds the grader as JSON; its templates are texts somewhere within.
    for key in sorted(set(_ITEM.findall(model.recipe.extra))):
        if held.get(key, 0) < rows:
            theirs = [each for each in held if each not in API_KEYS]
            what = f"the grader names `item.{key}`, which {held.get(key, 0)} of {rows} rows of `{name}` have"
            hint = did_you_mean(key, theirs) or f"rows have {list_words(theirs) or 'no key for graders'}"
            yield Problem(where=model.place, path="grader", what=what, hint=hint, rule="method.grader")


def _too_many(model: ModelSpec, field: str, name: str, measured: DatasetMeasure) -> Iterator[Problem]:
    sides = [
        (measured.training.rows, MOST_REINFORCEMENT_ROWS if field == "training" else MOST_REINFORCEMENT_VALIDATION_ROWS)
    ]
    if measured.validation and field == "training":
        sides.append((measured.validation.rows, MOST_REINFORCEMENT_VALIDATION_ROWS))
    for rows, most in sides:
        if rows > most:
            what = f"{rows} rows of `{name}`; reinforcement takes {most} here ({_REINFORCEMENT_GUIDE})"
            hint = "`prepare: [{sample: {rows: …}}]` takes fewer"
            yield Problem(
                where=model.place, path=field, what=what, hint=hint, rule="method.rows", severity=Severity.WARNING
            )
