"""What a service holds, as lists and one by one: text for people, JSON for programs. A dash or null is unknown.

Each thing shows to whom it belongs: our address and digest, or "not ours" with the name that its owner gave it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import Checkpoint, JobEvent, RemoteFile, RemoteJob, RemoteModel
from reconciler.render.json_output import Fields, error_fields, event_fields, pick
from reconciler.render.sanitize import clean
from reconciler.render.terminal.table import ABSENT, Column, column_table
from reconciler.render.text import Style, count_text, duration_text, pad, size_text, time_text, width_of

T = TypeVar("T")

Facts = Iterable[tuple[str, str | int | None]]

NOT_OURS = "not ours"
_LEAST = 24
"""Columns for a part of a name, and the digest after it."""

ModelOfJob = tuple[RemoteModel, RemoteJob | None]
"""A model, and the job that created it, if it is known."""

FileOfJob = tuple[RemoteFile, RemoteJob | None]
"""A file, and the job whose results it holds, if it holds any."""


def files_table(files: Sequence[FileOfJob], *, colour: bool = False, width: int | None = None) -> str:
    """Return one line for each file, in the given order."""
    columns = (
        _column("file", files, lambda each: each[0].id),
        _column("what it is", files, lambda each: file_title(*each), least=_LEAST),
        _column("size", files, lambda each: _size(each[0].size_bytes), rank=2),
        _created_column(files, lambda each: each[0].created_at),
        _column("purpose", files, lambda each: each[0].purpose or "", rank=4),
        _column("status", files, lambda each: each[0].status or "", rank=5),
    )
    return column_table(columns, colour=colour, width=width)


def jobs_table(jobs: Sequence[RemoteJob], *, colour: bool = False, width: int | None = None) -> str:
    """Return one line for each job, in the given order."""
    columns = (
        _column("job", jobs, lambda job: job.id),
        _column("what it is", jobs, job_title, least=_LEAST),
        _column("status", jobs, lambda job: str(job.status) if job.status.is_stated else ""),
        _created_column(jobs, lambda job: job.created_at),
        _column("base", jobs, lambda job: job.base or "", rank=4),
        _column("model", jobs, lambda job: job.model or "", rank=5),
    )
    return column_table(columns, colour=colour, width=width)


def models_table(models: Sequence[ModelOfJob], *, colour: bool = False, width: int | None = None) -> str:
    """Return one line for each model, in the given order."""
    columns = (
        _column("model", models, lambda each: each[0].id),
        _column("what it is", models, lambda each: model_title(*each), least=_LEAST),
        _created_column(models, lambda each: each[0].created_at),
        _column("shutdown", models, lambda each: each[0].shutdown_date or "", rank=4),
        _column("job", models, lambda each: each[1].id if each[1] else "", rank=5),
    )
    return column_table(columns, colour=colour, width=width)


def summary_line(shown: int, total: int, ours: int, noun: str) -> str:
    """Return how much of a list is shown, and how much of it is ours."""
    if shown == total:
        return f"{count_text(total, noun)}, {ours} ours."
    return f"{shown} of {count_text(total, noun)} shown; of all, {ours} ours."


def file_title(file: RemoteFile, job: RemoteJob | None) -> str:
    """Return what a file is: our address and digest, the results of a job, or its name if it is not ours."""
    if file.stamp:
        return str(file.stamp)
    return f"results of {job.stamp}" if job and job.stamp else _foreign(file.filename)


def job_title(job: RemoteJob) -> str:
    """Return what a job trains: our address and digest, or a sign of its owner."""
    if job.stamp:
        return str(job.stamp)
    return _foreign(f"project {job.details.project}" if job.details.project else job.details.suffix or job.base)


def model_title(model: RemoteModel, job: RemoteJob | None) -> str:
    """Return what a model is: our address and digest, or a sign of its owner."""
    if job and job.stamp:
        return str(job.stamp)
    if job and job.details.project:
        return job_title(job)
    return _foreign(model.owner)


def file_fields(file: RemoteFile, job: RemoteJob | None) -> Fields:
    """Return a file as JSON fields; `job` is the one whose results it holds."""
    return {
        "id": file.id,
        **_ownership(file.stamp or (job.stamp if job else None)),
        "job": job.id if job else None,
        "filename": file.filename or None,
        "purpose": file.purpose or None,
        **pick(file, "size_bytes created_at expires_at status detail"),
    }


def job_fields(job: RemoteJob) -> Fields:
    """Return a job as JSON fields; null where a value is unknown."""
    return {
        **_ownership(job.stamp),
        "project": job.details.project,
        "id": job.id,
        "status": str(job.status) if job.status.is_stated else None,
        "base": job.base or None,
        **pick(job, "created_at finished_at estimated_finish model"),
        "method": job.details.method,
        "hyperparameters": dict(job.details.hyperparameters),
        **pick(job.details, "seed suffix"),
        **pick(job, "training_file validation_file"),
        "result_files": list(job.details.result_files),
        "trained_tokens": job.trained_tokens,
        "error": error_fields(job.error),
        "metadata": dict(job.details.metadata),
    }


def model_fields(model: RemoteModel, job: RemoteJob | None) -> Fields:
    """Return a model as JSON fields."""
    return {
        "id": model.id,
        **_ownership(job.stamp if job else None),
        "project": job.details.project if job else None,
        **pick(model, "created_at owner shutdown_date"),
        "job": job.id if job else None,
        "base": job.base or None if job else None,
    }


def _ownership(stamp: Stamp | None) -> Fields:
    return {
        "ours": stamp is not None,
        "address": str(stamp.address) if stamp else None,
        "digest": str(stamp.digest) if stamp else None,
    }


def _size(size_bytes: int | None) -> str:
    return size_text(size_bytes) if size_bytes is not None else ""


def _foreign(name: str | None) -> str:
    return f"{NOT_OURS}: {name}" if name else NOT_OURS


def _column(
    header: str, things: Sequence[T], cell: Callable[[T], str], *, rank: int = 0, least: int | None = None
) -> Column:
    return Column(header=header, cells=tuple(map(cell, things)), rank=rank, least=least)


def _created_column(things: Sequence[T], when: Callable[[T], int | None]) -> Column:
    return Column(
        header="created",
        cells=tuple(_moment(when(thing), "%Y-%m-%d %H:%MZ") for thing in things),
        narrow=tuple(_moment(when(thing), "%Y-%m-%d") for thing in things),
        rank=3,
    )


def _moment(unix_seconds: int | None, time_format: str) -> str:
    return "" if unix_seconds is None else time_text(unix_seconds, time_format)


class JobDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A job with its events and checkpoints; None where the service does not list them.

    Shape:  `list_warnings` say why the events or the checkpoints may not be whole
    """

    job: RemoteJob
    events: tuple[JobEvent, ...] | None
    checkpoints: tuple[Checkpoint, ...] | None
    list_warnings: tuple[str, ...] = ()


def file_detail(file: RemoteFile, job: RemoteJob | None, *, colour: bool = False) -> str:
    """Return everything that is known of a file, one fact on each line."""
    return _facts(_file_facts(file, job), Style(colour))


def model_detail(model: RemoteModel, job: RemoteJob | None, *, colour: bool = False) -> str:
    """Return everything that is known of a model, one fact on each line."""
    return _facts(_model_facts(model, job), Style(colour))


def job_detail(detail: JobDetail, *, colour: bool = False) -> str:
    """Return everything that is known of a job, one fact on each line; then its checkpoints and last events."""
    style = Style(colour)
    checkpoints = None if detail.checkpoints is None else [_checkpoint_line(each) for each in detail.checkpoints]
    events = None if detail.events is None else [_event_line(each, style) for each in detail.events]
    text = _facts(_job_facts(detail.job), style)
    return text + _section("Checkpoints", checkpoints, style) + _section("Last events", events, style)


def job_detail_fields(detail: JobDetail) -> Fields:
    """Return a job as JSON fields, with `checkpoints` and `events`, and why these may not be whole."""
    names = "id model step created_at"
    checkpoints = None if detail.checkpoints is None else [pick(each, names) for each in detail.checkpoints]
    events = None if detail.events is None else [event_fields(each) for each in detail.events]
    return {
        **job_fields(detail.job),
        "checkpoints": checkpoints,
        "events": events,
        "warnings": list(detail.list_warnings),
    }


def _file_facts(file: RemoteFile, job: RemoteJob | None) -> Iterator[tuple[str, str | int | None]]:
    yield "file", file.id
    yield "what it is", file_title(file, job) if file.stamp or (job and job.stamp) else NOT_OURS
    yield from (("job", job.id),) if job else ()
    yield "name", file.filename or None
    yield "purpose", file.purpose or None
    yield "size", _exact_size(file.size_bytes)
    yield "status", file.status
    yield from (("detail", file.detail),) if file.detail else ()
    yield "created", _time(file.created_at)
    yield from (("expires", _time(file.expires_at)),) if file.expires_at else ()


def _model_facts(model: RemoteModel, job: RemoteJob | None) -> Iterator[tuple[str, str | int | None]]:
    yield "model", model.id
    yield "what it is", model_title(model, job) if job and (job.stamp or job.details.project) else NOT_OURS
    yield "owner", model.owner
    yield "created", _time(model.created_at)
    yield "shutdown", model.shutdown_date
    yield "job", job.id if job else None
    yield "base", job.base or None if job else None


def _job_facts(job: RemoteJob) -> Iterator[tuple[str, str | int | None]]:
    yield "job", job.id
    yield "what it is", job_title(job) if job.stamp or job.details.project else NOT_OURS
    yield from (("digest", str(job.stamp.digest)),) if job.stamp else ()
    yield "status", str(job.status) if job.status.is_stated else None
    if job.error:
        yield "error", str(job.error)
        yield from (("error param", job.error.param),) if job.error.param else ()
    yield "base", job.base or None
    yield "method", job.details.method
    yield from job.details.hyperparameters or (("hyperparameters", None),)
    yield "seed", job.details.seed
    yield from (("suffix", job.details.suffix),) if job.details.suffix else ()
    yield "training file", job.training_file
    yield "validation file", job.validation_file
    yield "result files", ", ".join(job.details.result_files) or None
    yield "trained tokens", job.trained_tokens
    yield "created", _time(job.created_at)
    yield "finished", _finish_text(job)
    yield from (
        (("estimated end", _time(job.estimated_finish)),) if job.estimated_finish and not job.status.is_terminal else ()
    )
    yield "model", job.model
    for name, value in job.details.metadata:
        yield f"metadata {name}", value


def _facts(facts: Facts, style: Style) -> str:
    shown = [(clean(name), clean(str(value)) if value is not None else ABSENT) for name, value in facts]
    column = max(width_of(name) for name, _ in shown)
    return "".join(f"{style.bold(pad(name, column))}  {_colour_value(name, value, style)}\n" for name, value in shown)


def _colour_value(name: str, value: str, style: Style) -> str:
    if name == "status":
        return style.status(value, value) if value not in {ABSENT, "processed"} else value
    return style.red(value) if name == "error" else value


def _section(title: str, lines: Sequence[str] | None, style: Style) -> str:
    if lines is None:
        return f"\n{style.bold(title)}: unknown, the service does not list them\n"
    return f"\n{style.bold(title)}:\n" + "".join(f"  {line}\n" for line in lines) if lines else ""


def _checkpoint_line(checkpoint: Checkpoint) -> str:
    return f"step {checkpoint.step}  {clean(checkpoint.model)}"


def _event_line(event: JobEvent, style: Style) -> str:
    text = clean(event.message)
    level = clean(event.level)
    colour = style.red if level == "error" else style.yellow
    return f"{time_text(event.created_at)}  {text if level == 'info' else colour(f'{level}: {text}')}"


def _time(unix_seconds: int | None) -> str | None:
    return time_text(unix_seconds) if unix_seconds is not None else None


def _finish_text(job: RemoteJob) -> str | None:
    if job.finished_at is None:
        return None
    took = f" (after {duration_text(job.finished_at - job.created_at)})" if job.created_at is not None else ""
    return time_text(job.finished_at) + took


def _exact_size(size_bytes: int | None) -> str | None:
    if size_bytes is None:
        return None
    exact = count_text(size_bytes, "byte")
    return exact if size_bytes < 1024 else f"{size_text(size_bytes)} ({exact})"
