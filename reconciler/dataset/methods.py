"""What methods and graders ask of the rows that were found: formats, numbers of rows, and what graders name."""

import re
from collections.abc import Iterator, Mapping

from reconciler.dataset.row_checks.reinforcement import KNOWN
from reconciler.domain.desired import DatasetMeasure
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import FORMATS_OF, SUPERVISED, Format, ModelSpec, Specs
from reconciler.foundation.suggest import did_you_mean, list_words

MOST_REINFORCEMENT_ROWS = 50_000
MOST_REINFORCEMENT_VALIDATION_ROWS = 1_000

_ITEM = re.compile(r"\{\{\s*item\.([A-Za-z0-9_]+)")
_GUIDE = "OpenAI reinforcement fine-tuning guide"


def misfits(specs: Specs, measures: Mapping[str, DatasetMeasure]) -> Iterator[Problem]:
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
            theirs = [each for each in held if each not in KNOWN]
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
            what = f"{rows} rows of `{name}`; reinforcement takes {most} here ({_GUIDE})"
            hint = "`prepare: [{sample: {rows: …}}]` takes fewer"
            yield Problem(
                where=model.place, path=field, what=what, hint=hint, rule="method.rows", severity=Severity.WARNING
            )
