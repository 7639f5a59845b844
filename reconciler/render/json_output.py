"""Plans, events and problems as JSON for programs: ids, digests and counts.

Of rows there are only the few, cut short, that show what changed in a dataset. The shapes are promised in
`schemas/plan.schema.json` and `schemas/event.schema.json`: a version may add a field, but not rename or remove one.
"""

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

import msgspec

from reconciler.domain.cost import Cost, Estimate
from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import Problem, ProviderError
from reconciler.domain.event import (
    Event,
    EventsMissing,
    Finished,
    Interrupted,
    JobLogged,
    JobMoved,
    JobVanished,
    Progress,
    Resent,
    ServiceAnswered,
    ServiceSilent,
    Started,
)
from reconciler.domain.observed import JobError, JobEvent, RemoteJob
from reconciler.domain.plan import Cancel, Delete, Keep, Plan, Promote, Step, Train, Upload
from reconciler.domain.row_diff import CellChange, RowDiff, RowSample, RowsUnknown
from reconciler.render.plan_words import action_word, count_plan, is_retrain, step_symbol
from reconciler.render.sanitize import clean

FORMAT_VERSION = "1"

Fields = dict[str, object]


def plan_json(plan: Plan, findings: Sequence[Problem] | None = None) -> str:
    """Return a plan as a JSON document, indented and ended by a newline; the same plan gives the same bytes."""
    return json_document(plan_fields(plan, findings))


def plan_fields(plan: Plan, findings: Sequence[Problem] | None = None) -> Fields:
    """Return a plan as every document shows it; with `findings`, those of the checks too."""
    return {
        "format_version": FORMAT_VERSION,
        **pick(plan, "project environment provider service"),
        **({"against": plan.against} if plan.against else {}),
        "basis": {"digest": str(plan.basis.digest), **msgspec.to_builtins(plan.basis)},
        "summary": msgspec.to_builtins(count_plan(plan)),
        "cost": _cost(plan.cost),
        "has_changes": not plan.is_settled,
        "steps": [_step(step) for step in plan.steps],
        "kept": [_keep(keep) for keep in plan.kept],
        "refused": [msgspec.to_builtins(refusal) for refusal in plan.refused],
        "warnings": list(plan.warnings),
        **({} if findings is None else {"findings": list(map(problem_fields, findings))}),
    }


def failure_json(what: str, exit_code: int, service: Fields | None = None, *, is_line: bool = False) -> str:
    """Return why a command failed as a JSON document, ended by a newline.

    Shape:  `service` is what the service answered; `is_line` for a command that writes an object on each line
    """
    fields = {"error": clean(what), "exit_code": exit_code, **({"service": service} if service else {})}
    if is_line:
        return json_text({"type": "error", **fields}) + "\n"
    return json_document({"format_version": FORMAT_VERSION, **fields})


def service_fields(error: ProviderError) -> Fields:
    """Return what a service answered when it refused; empty where it did not answer."""
    return {name: value for name, value in pick(error, "status code param request_id").items() if value is not None}


def diff_json(diff: RowDiff, after: str) -> str:
    """Return a comparison of rows as a JSON document, ended by a newline; `after` names the newer version."""
    document = {"format_version": FORMAT_VERSION, "after": after, **rows_fields(diff)}
    return json_document(document)


def event_json(event: Event) -> str:
    """Return an event as one JSON object on one line, ended by a newline; `type` says which it is."""
    return json_text(_event(event)) + "\n"


def problems_json(problems: Sequence[Problem], unshown: int = 0) -> str:
    """Return problems as a JSON document, indented and ended by a newline; an unknown line is null."""
    found = list(map(problem_fields, problems))
    return json_document({"format_version": FORMAT_VERSION, "problems": found, "unshown": unshown})


def json_document(fields: Fields | Sequence[Fields]) -> str:
    """Return fields, or a list of them, as an indented JSON document, ended by a newline."""
    return json_text(fields, indent=2) + "\n"


def json_text(value: object, indent: int | None = None) -> str:
    """Return JSON in ASCII: no byte in it acts on a terminal, and a CI runner finds no command in it."""
    text = json.dumps(value, indent=indent, ensure_ascii=True, allow_nan=False)
    return text.replace("##[", "\\u0023\\u0023[")


def pick(value: object, names: str) -> Fields:
    """Return the named fields of a value, in the order of the names."""
    return {name: getattr(value, name) for name in names.split()}


def problem_fields(problem: Problem) -> Fields:
    """Return a problem as every document shows it; an unknown line is null, and what is checked out has no revision."""
    where = problem.where
    place: Fields = {"file": where.file, "line": where.line or None, "column": where.column or None}
    place |= {"revision": where.revision} if where.revision else {}
    return {**place, **pick(problem, "path what hint rule severity")}


def _step(step: Step) -> Fields:
    return {
        "id": step.id,
        "action": action_word(step.action),
        "address": str(step.action.address),
        "symbol": step_symbol(step),
        "needs": list(step.needs),
        "changes": [msgspec.to_builtins(change) for change in step.changes],
        **_specifics(step),
    }


def _specifics(step: Step) -> Fields:
    match step.action:
        case Upload(dataset=dataset):
            return {"dataset": _dataset(dataset), **({"rows": rows_fields(step.rows)} if step.rows else {})}
        case Train(model=model, excluded_jobs=excluded_jobs, supersedes=supersedes):
            return {
                "retrain": is_retrain(step),
                "model": _model(model),
                "despite": list(excluded_jobs),
                "supersedes": list(supersedes),
                "estimate": _estimate(step.estimate) if step.estimate else None,
            }
        case Cancel(job=job, reason=reason, kept=kept):
            return {"job": job.id, "status": str(job.status), "reason": reason, "kept": kept}
        case Delete(thing=thing, is_model=is_model, job=made_by):
            return {"thing": thing, "kind": "model" if is_model else "file", "job": made_by}
        case Promote(job=trained, model=promoted, instead_of=instead_of):
            return {"job": trained.id, "to": promoted, "instead_of": instead_of}
        case _:
            assert_never(step.action)


def _estimate(estimate: Estimate) -> Fields:
    return {
        "tokens": msgspec.to_builtins(estimate.tokens),
        "epochs": estimate.epochs,
        "epochs_stated": estimate.is_stated,
        "cost": _cost(estimate.cost),
    }


def _cost(cost: Cost) -> Fields:
    return {
        "low_usd": _usd(cost.low),
        "expected_usd": _usd(cost.expected),
        "high_usd": _usd(cost.high),
        **pick(cost, "source dated unknown"),
    }


def _usd(amount: Decimal | None) -> float | None:
    # A millionth of a dollar is less than any token costs, and short enough to be exact in every reader.
    return None if amount is None else float(round(amount, 6))


def _dataset(dataset: Dataset) -> Fields:
    return {
        "digest": str(dataset.measure.digest),
        "file": dataset.stamp.filename,
        **pick(dataset, "part format"),
        **pick(dataset.measure, "rows size_bytes"),
    }


def _model(model: Model) -> Fields:
    return {
        "digest": str(model.stamp.digest),
        **pick(model.recipe, "base method"),
        "training": str(model.training.measure.digest),
        "validation": str(model.validation.measure.digest) if model.validation else None,
    }


def _keep(keep: Keep) -> Fields:
    return {
        "address": str(keep.address),
        **pick(keep, "why job"),
        "status": str(keep.status) if keep.status else None,
        **pick(keep, "model detail hint"),
    }


def _event(event: Event) -> Fields:
    match event:
        case Started(step=step):
            return {"type": "started", **_step_fields(step)}
        case Progress(step=step, message=message, done=done, total=total, unit=unit):
            progress: Fields = {"message": message, "done": done, "total": total or None, "unit": unit}
            return {"type": "progress", **_step_fields(step), **progress}
        case Resent(step=step):
            return {"type": "resent", **_step_fields(step), **pick(event, "attempt most reason")}
        case Finished(step=step, job=job):
            result = pick(event, "outcome message hint file")
            return {"type": "finished", **_step_fields(step), **result, "job": _job_fields(job) if job else None}
        case JobLogged(address=address, job=job_id, event=entry):
            return {"type": "job_logged", "address": _text(address), "job": job_id, **event_fields(entry)}
        case JobMoved(job=moved):
            address = moved.address if moved.stamp else None
            return {"type": "job_moved", "address": _text(address), "job": _job_fields(moved)}
        case JobVanished(address=address, job=job_id):
            return {"type": "job_vanished", "address": _text(address), "job": job_id}
        case EventsMissing(address=address, job=job_id, reason=reason):
            return {"type": "events_missing", "address": _text(address), "job": job_id, "reason": reason}
        case ServiceSilent(seconds=seconds, reason=reason):
            return {"type": "service_silent", "seconds": round(seconds, 1), "reason": reason}
        case ServiceAnswered(seconds=seconds):
            return {"type": "service_answered", "seconds": round(seconds, 1)}
        case Interrupted():
            return {"type": "interrupted"}
        case _:
            assert_never(event)


def _step_fields(step: Step) -> Fields:
    return {"step": step.id, "action": action_word(step.action), "address": str(step.action.address)}


def _text(value: object) -> str | None:
    return str(value) if value else None


def _job_fields(job: RemoteJob) -> Fields:
    return {
        "id": job.id,
        "digest": str(job.stamp.digest) if job.stamp else None,
        "status": str(job.status),
        **pick(job, "base created_at finished_at model trained_tokens"),
        "error": error_fields(job.error),
    }


def event_fields(event: JobEvent) -> Fields:
    """Return a log entry of a job as every document shows it."""
    metrics = {name: value if math.isfinite(value) else None for name, value in event.metrics}
    return {**pick(event, "id created_at level message"), "metrics": metrics}


def error_fields(error: JobError | None) -> Fields | None:
    """Return why a job failed; None when it did not."""
    return pick(error, "code message param") if error else None


def rows_fields(rows: RowDiff | RowsUnknown) -> Fields:
    """Return the changed rows as every document shows them."""
    match rows:
        case RowDiff():
            counts = "before rows_before rows_after added removed edited moved reformatted tokens is_whole"
            training = pick(rows, "training_before training_after") if rows.has_other_share else {}
            return {**pick(rows, counts), **training, "samples": [_sample(each) for each in rows.samples]}
        case RowsUnknown(before=before, why=why):
            return {"before": before, "unknown": why}
        case _:
            assert_never(rows)


def _sample(sample: RowSample) -> Fields:
    place = sample.place
    return {
        "change": sample.change,
        "row_before": sample.row_before or None,
        "row_after": sample.row_after or None,
        "place": {"file": place.file, "line": place.line or None} if place else None,
        "id": sample.id or None,
        "text": sample.text or None,
        "cells": [_cell(each) for each in sample.cells],
        "cells_more": sample.cells_more,
    }


def _cell(cell: CellChange) -> Fields:
    words = [msgspec.to_builtins(each) for each in cell.words]
    return {"path": cell.path, "before": cell.before, "after": cell.after, "words": words}
