"""One thing that a service holds, in full: aligned facts for people, JSON for programs."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from reconciler.domain.observed import Checkpoint, JobEvent, RemoteFile, RemoteJob, RemoteModel
from reconciler.render.json_output import event_fields, json_text, pick
from reconciler.render.listing import (
    NOT_OURS,
    file_fields,
    file_title,
    job_title,
    listed_job_fields,
    model_fields,
    model_title,
)
from reconciler.render.sanitize import clean
from reconciler.render.terminal.table import ABSENT
from reconciler.render.text import Style, count_text, duration_text, pad, size_text, time_text, width_of

Facts = Iterable[tuple[str, str | int | None]]


class JobCard(msgspec.Struct, frozen=True, kw_only=True):
    """A job with its events and checkpoints; None where the service does not list them."""

    job: RemoteJob
    events: tuple[JobEvent, ...] | None
    checkpoints: tuple[Checkpoint, ...] | None


def file_card(file: RemoteFile, job: RemoteJob | None, *, colour: bool = False) -> str:
    """Return everything that is known of a file, one fact on each line."""
    return _facts(_file_facts(file, job), Style(colour))


def model_card(model: RemoteModel, job: RemoteJob | None, *, colour: bool = False) -> str:
    """Return everything that is known of a model, one fact on each line."""
    return _facts(_model_facts(model, job), Style(colour))


def job_card(card: JobCard, *, colour: bool = False) -> str:
    """Return everything that is known of a job, one fact on each line; then its checkpoints and last events."""
    style = Style(colour)
    checkpoints = None if card.checkpoints is None else [_checkpoint_line(each) for each in card.checkpoints]
    events = None if card.events is None else [_event_line(each, style) for each in card.events]
    text = _facts(_job_facts(card.job), style)
    return text + _section("Checkpoints", checkpoints, style) + _section("Last events", events, style)


def file_card_json(file: RemoteFile, job: RemoteJob | None) -> str:
    """Return a file as one JSON object, ended by a newline."""
    return json_text(file_fields(file, job), indent=2) + "\n"


def model_card_json(model: RemoteModel, job: RemoteJob | None) -> str:
    """Return a model as one JSON object, ended by a newline."""
    return json_text(model_fields(model, job), indent=2) + "\n"


def job_card_json(card: JobCard) -> str:
    """Return a job as one JSON object, with `checkpoints` and `events`, ended by a newline."""
    checkpoints = (
        None if card.checkpoints is None else [pick(each, "id model step created_at") for each in card.checkpoints]
    )
    events = None if card.events is None else [event_fields(each) for each in card.events]
    return json_text({**listed_job_fields(card.job), "checkpoints": checkpoints, "events": events}, indent=2) + "\n"


def _file_facts(file: RemoteFile, job: RemoteJob | None) -> Iterator[tuple[str, str | int | None]]:
    yield "file", file.id
    yield "what it is", file_title(file, job) if file.stamp or (job and job.stamp) else NOT_OURS
    yield from (("job", job.id),) if job else ()
    yield "name", file.filename or None
    yield "purpose", file.purpose or None
    yield "size", _size(file.size_bytes)
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


def _size(size_bytes: int | None) -> str | None:
    if size_bytes is None:
        return None
    exact = count_text(size_bytes, "byte")
    return exact if size_bytes < 1024 else f"{size_text(size_bytes)} ({exact})"
