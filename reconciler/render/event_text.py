"""Events as text: the lines that stay, each beginning with the address; and the progress of a step or job."""

from collections.abc import Iterator
from typing import assert_never

from reconciler.domain.event import (
    Event,
    EventsMissing,
    Finished,
    Interrupted,
    JobLogged,
    JobMoved,
    JobVanished,
    Outcome,
    Progress,
    Resent,
    ServiceAnswered,
    ServiceSilent,
    Started,
)
from reconciler.domain.observed import JobEvent, RemoteJob
from reconciler.domain.plan import Action, Cancel, Delete, Promote, Train, Upload
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, count_text, duration_text, size_text

# The names that services use, and the words for them. The first that a job reports stands for how well it learns.
_QUALITY = {
    "train_loss": "loss",
    "training_loss": "loss",
    "loss": "loss",
    "train_reward_mean": "reward",
    "train_mean_token_accuracy": "accuracy",
    "train_accuracy": "accuracy",
}


def event_text(event: Event, *, colour: bool = False) -> str:
    """Return an event as lines, each ended by a newline; a log entry of a job is a line even for mere progress."""
    style = Style(colour)
    lines = (_log_line(event, style),) if isinstance(event, JobLogged) else event_lines(event, style)
    return "".join(f"{line}\n" for line in lines)


def event_lines(event: Event, style: Style, progress: str = "") -> tuple[str, ...]:
    """Return the lines that an event leaves; none for mere progress. `progress` is the last progress of the job."""
    match event:
        case Started(step=step):
            # To promote takes no time, so only its end has a line.
            is_instant = isinstance(step.action, Promote)
            return () if is_instant else (_line(str(step.action.address), _start_text(step.action), style),)
        case Finished():
            return _end_lines(event, style)
        case JobMoved(job=job):
            name = str(job.stamp.address if job.stamp else job.id)
            return tuple(_line(name, text, style) for text in _status_texts(job, progress, style))
        case JobLogged(event=entry) if not _is_progress(entry):
            return (_log_line(event, style),)
        case JobLogged() | Progress():
            return ()
        case Resent(step=step, attempt=attempt, most=most, reason=reason):
            text = (
                f"it is not known whether it arrived: {clean(reason)}; it is not in the list, so it is sent again"
                f" ({attempt} of {most})"
            )
            return (_line(str(step.action.address), style.yellow(text), style),)
        case JobVanished(address=address, job=gone):
            text = f"job {clean(gone)} no longer exists on the service"
            return (_line(str(address or gone), style.red(text), style),)
        case EventsMissing(address=address, job=job_id, reason=reason):
            text = f"events of job {clean(job_id)} may be missing ({clean(reason)}); its status is followed"
            return (_line(str(address or job_id), style.yellow(text), style),)
        case ServiceSilent(seconds=seconds, reason=reason):
            text = (
                f"The service has not answered for {duration_text(seconds)} ({clean(reason)}). The jobs continue there;"
                " asking again until it answers. To stop waiting: Ctrl-C, or --timeout TIME."
            )
            return (style.yellow(text),)
        case ServiceAnswered(seconds=seconds):
            return (style.green(f"The service answers again, after {duration_text(seconds)}."),)
        case Interrupted():
            return (style.yellow("Interrupted: no new step starts; running jobs continue on the service."),)
        case _:
            assert_never(event)


def start_word(action: Action) -> str:
    """Return one word for an action in progress: `uploading`."""
    return _start_text(action).split()[0]


def is_last_step(event: JobLogged) -> bool:
    """Return whether a job reports its last training step."""
    step, total = _training_step(event)
    return 0 < total <= step


def progress_text(event: Progress | JobLogged) -> str:
    """Return the progress of a step or job in a few words: `step 42/90, loss 0.412`."""
    if isinstance(event, Progress):
        return _step_progress(event)
    (step, total), metrics = _training_step(event), dict(event.event.metrics)
    quality = next((name for name in _QUALITY if name in metrics), None)
    words = [
        f"step {step:g}" + (f"/{total:g}" if total else "") if step else "",
        f"{_QUALITY[quality]} {metrics[quality]:.4g}" if quality else "",
    ]
    return ", ".join(filter(None, words)) or clean(event.event.message, limit=80)


def _training_step(event: JobLogged) -> tuple[float, float]:
    """Return the training step of a job and their total; 0 where the job does not report it."""
    metrics = dict(event.event.metrics)
    return metrics.get("step", 0), metrics.get("total_steps", 0)


def _is_progress(entry: JobEvent) -> bool:
    return bool(entry.metrics) and entry.level not in {"warn", "warning", "error"}


def _line(address: str, text: str, style: Style) -> str:
    return f"{style.bold(clean(address))}: {text}"


def _log_line(event: JobLogged, style: Style) -> str:
    text, level = clean(event.event.message), event.event.level
    if level == "error":
        text = style.red(f"error: {text}")
    elif level in {"warn", "warning"}:
        text = style.yellow(f"warning: {text}")
    return _line(str(event.address or event.job), text, style)


def _step_progress(event: Progress) -> str:
    amount_text = size_text if event.unit == "bytes" else str
    if event.total:
        unit = f" {clean(event.unit)}" if event.unit and event.unit != "bytes" else ""
        amount = f"{amount_text(event.done)} of {amount_text(event.total)}{unit}"
    else:
        amount = amount_text(event.done) if event.done else ""
    return ", ".join(filter(None, (clean(event.message), amount)))


def _start_text(action: Action) -> str:
    match action:
        case Upload(dataset=dataset):
            return f"uploading {count_text(dataset.measure.rows, 'row')}, {size_text(dataset.measure.size_bytes)}"
        case Train():
            return "creating a job"
        case Cancel(job=job):
            return f"cancelling job {clean(job.id)}"
        case Delete(thing=thing, is_model=is_model):
            return f"deleting {'model' if is_model else 'file'} {clean(thing)}"
        case Promote(model=model):
            return f"promoting {clean(model)}"
        case _:
            assert_never(action)


def _end_lines(event: Finished, style: Style) -> tuple[str, ...]:
    reason = f": {clean(event.message)}" if event.message else ""
    # A model can have a create and several cancels in one plan.
    name = _step_noun(event.step.action)
    match event.outcome:
        case Outcome.DONE:
            text = style.green(_done_text(event))
        case Outcome.ADOPTED:
            text = style.green(_adoption_text(event))
        case Outcome.FAILED:
            text = style.red(f"{name} failed{reason}")
        case Outcome.REFUSED:
            text = style.red(f"{name} refused{reason}")
        case Outcome.UNKNOWN:
            text = style.red(f"outcome of the {name} unknown{reason}")
        case Outcome.BLOCKED:
            text = style.yellow(f"{name} blocked{reason}")
        case Outcome.STOPPED:
            text = style.yellow(f"{name} stopped{reason}")
        case _:
            assert_never(event.outcome)
    hint = (f"    hint: {clean(event.hint)}",) if event.hint else ()
    return (_line(str(event.step.action.address), text, style), *hint)


def _step_noun(action: Action) -> str:
    match action:
        case Upload():
            return "upload"
        case Train():
            return "create"
        case Cancel(job=job):
            return f"cancel of job {clean(job.id)}"
        case Delete(thing=thing):
            return f"delete of {clean(thing)}"
        case Promote(model=model):
            return f"promotion of {clean(model)}"
        case _:
            assert_never(action)


def _done_text(event: Finished) -> str:
    message = clean(event.message)
    match event.step.action:
        case Upload():
            return f"uploaded as {clean(event.file)}" if event.file else "uploaded"
        case Train():
            return f"created job {_job_text(event.job)}" if event.job else "created a job"
        case Cancel(job=job):
            return f"job {clean(job.id)} {message or 'cancelled'}"
        case Delete(thing=thing):
            return f"{clean(thing)} {message or 'deleted'}"
        case Promote(model=model):
            return f"the serving model is now {clean(model)}"
        case _:
            assert_never(event.step.action)


def _adoption_text(event: Finished) -> str:
    if event.job:
        return f"adopted job {_job_text(event.job)}"
    return f"{clean(event.file)} is already uploaded" if event.file else "already uploaded"


def _job_text(job: RemoteJob) -> str:
    return f"{clean(job.id)} ({_status_text(job)})"


def _status_texts(job: RemoteJob, progress: str, style: Style) -> Iterator[str]:
    if job.status.is_active:
        yield f"job {clean(job.id)} is {_status_text(job)}"
        return
    took = ""
    if job.finished_at and job.created_at is not None:
        took = f" after {duration_text(job.finished_at - job.created_at)}"
    last = f" ({progress})" if progress and not job.error else ""
    why = f": {clean(str(job.error))}" if job.error else ""
    yield style.status(str(job.status), f"job {clean(job.id)} {_status_text(job)}{took}{last}{why}")
    if job.model:
        yield f"created model {clean(job.model)}"


def _status_text(job: RemoteJob) -> str:
    return clean(str(job.status)) if job.status.is_stated else "in an unknown state"
