"""The fields of one step: what is known of it, each with its value before and after."""

import re
from typing import assert_never

import msgspec

from reconciler.domain.observed import ModelId
from reconciler.domain.plan import Cancel, Change, Delete, Promote, Step, Train, Upload
from reconciler.domain.row_diff import RowDiff, RowsUnknown
from reconciler.render.plan_words import (
    cost_text,
    counts_text,
    has_earlier_version,
    is_retrain,
    more_tokens,
    tokens_text,
    training_text,
)
from reconciler.render.sanitize import clean
from reconciler.render.text import size_text

KNOWN_LATER = "(known after apply)"
FORCES = "# forces a new job"
_VALUE = 400
_LONG_DIGEST = re.compile(r"\bv\d+:([0-9a-f]{12})[0-9a-f]*")


class StepField(msgspec.Struct, frozen=True):
    """One line of a step: already cleaned, with the symbol before it and the remark after it."""

    symbol: str
    name: str
    values: tuple[str, ...]
    remark: str = ""


def step_fields(step: Step, previous: ModelId | None) -> list[StepField]:
    """Return what is known of a step, a field each; `previous` is the serving model."""
    match step.action:
        case Upload(dataset=dataset):
            facts = {
                "source": ", ".join(dict.fromkeys(dataset.spec.sources)),
                "rows": str(dataset.measure.rows),
                "size": size_text(dataset.measure.size_bytes),
                "file": dataset.stamp.filename,
            }
            fields = [change_field(change) for change in step.changes]
            if step.rows:
                fields.append(_rows_field(step.rows))
            stated = {change.field for change in step.changes} | ({"rows"} if step.rows else set())
            return fields + [value_field(name, value) for name, value in facts.items() if name not in stated]
        case Train():
            return _train_fields(step, step.action, previous)
        case Cancel(job=job):
            facts = {"status": f"{job.status}", "base": job.base, "version": job.own_stamp.digest.short}
            return [value_field(name, value, "-") for name, value in facts.items() if value]
        case Delete(job=job):
            return [value_field("made by", f"job {job}", "-")] if job else []
        case Promote(model=model, instead_of=instead_of):
            before = (clean(instead_of),) if instead_of else ()
            return [StepField("~" if before else "+", "model id", (*before, clean(model)))]
        case _:
            assert_never(step.action)


def value_field(name: str, value: str, symbol: str = "+") -> StepField:
    """Return a field with one value."""
    return StepField(symbol, _name(name), (_value(value),))


def change_field(change: Change, remark: str = "") -> StepField:
    """Return a field that was added, removed or changed."""
    name = _name(change.field)
    match change.before, change.after:
        case None, after:
            return StepField("+", name, (_value(after or ""),), remark)
        case before, None:
            return StepField("-", name, (_value(before or ""), "(not set)"), remark)
        case before, after:
            return StepField("~", name, (_value(before or ""), _value(after or "")), remark)


def estimate_fields(step: Step) -> list[StepField]:
    """Return the cost fields of one job; none where the job is free or was not estimated."""
    estimate = step.estimate
    if estimate is None or estimate.cost.is_free:
        return []
    return [value_field("tokens", tokens_text(estimate), " "), value_field("cost", cost_text(estimate.cost), " ")]


def _rows_field(rows: RowDiff | RowsUnknown) -> StepField:
    match rows:
        case RowDiff():
            sizes = f"{rows.rows_before} → {rows.rows_after} since {clean(rows.before)}"
            notes = [sizes, training_text(rows), more_tokens(rows)]
            return StepField("~", "rows", (f"{counts_text(rows)}  ({', '.join(filter(None, notes))})",))
        case RowsUnknown(before=before, why=why):
            return StepField("~", "rows", (f"differ from {clean(before)}; {clean(why)}",))
        case _:
            assert_never(rows)


def _train_fields(step: Step, train: Train, previous: ModelId | None) -> list[StepField]:
    serving = (clean(previous),) if previous and is_retrain(step) else ()
    model_id = StepField("~" if serving else "+", "model id", (*serving, KNOWN_LATER))
    if has_earlier_version(step):
        stated = {change.field for change in step.changes}
        # The base is shown even where it stays the same, because every reader looks for it.
        same = [value_field("base", train.model.recipe.base, " ")] if "base" not in stated else []
        return [*same, *(change_field(change, FORCES) for change in step.changes), *estimate_fields(step), model_id]
    # Nothing differs from an earlier version: the fields only say what will be trained.
    symbol = " " if train.excluded_jobs else "+"
    facts = [(change.field, change.after or "") for change in step.changes] or train.model.displayed_facts
    return [*(value_field(name, value, symbol) for name, value in facts), *estimate_fields(step), model_id]


def _name(field: str) -> str:
    # The API's names are clear without the prefix, which would push every value to the right.
    return clean(field.removeprefix("hyperparameters."))


def _value(text: str) -> str:
    return _LONG_DIGEST.sub(r"\1", clean(text, limit=_VALUE)) or '""'
