"""One event in words: the line that stays, the address first; or how far something is, in a few words."""

from collections.abc import Iterator
from typing import assert_never

import msgspec

from reconciler.domain.event import (
    Event,
    Finished,
    Interrupted,
    JobLogged,
    JobMoved,
    JobVanished,
    Outcome,
    Progress,
    Started,
)
from reconciler.domain.observed import JobEvent, RemoteJob
from reconciler.domain.plan import Action, Cancel, Delete, Promote, Train, Upload
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, count_text, duration_text, size_text

# The services' names, and what people call them; the first of them that a job reports stands for how well it learns.
_QUALITY = {
    "train_loss": "loss",
    "training_loss": "loss",
    "loss": "loss",
    "train_reward_mean": "reward",
    "train_mean_token_accuracy": "accuracy",
    "train_accuracy": "accuracy",
}


class Measured(msgspec.Struct, frozen=True):
    """How far something is; a total of 0 is not known."""

    done: float = 0
    total: float = 0

    @property
    def is_last(self) -> bool:
        return 0 < self.total <= self.done


def facts_of(event: Event, style: Style, measures: str = "") -> tuple[str, ...]:
    """Return the lines that an event leaves; none for mere progress. `measures` is how far a job last was."""
    match event:
        case Started(step=step):
            # Moving a pointer takes no time, so only its end is told.
            if isinstance(step.action, Promote):
                return ()
            return (_told(str(step.action.address), _beginning(step.action), style),)
        case Finished():
            return _ending(event, style)
        case JobMoved(job=job):
            return tuple(
                _told(str(job.stamp.address if job.stamp else job.id), text, style)
                for text in _moved(job, measures, style)
            )
        case JobLogged(event=logged) if not _is_progress(logged):
            return (_job_line(event, style),)
        case JobLogged() | Progress():
            return ()
        case JobVanished(address=address, job=gone):
            text = f"job {clean(gone)} is gone: the service does not know it any more"
            return (_told(str(address or gone), style.red(text), style),)
        case Interrupted():
            return (style.yellow("Interrupted: nothing new is begun; jobs that run go on at the service."),)
        case _:
            assert_never(event)


def event_text(event: Event, *, colour: bool = False) -> str:
    """Return an event as lines, each ended by a newline; what a job logs is a line even where it is mere progress."""
    style = Style(colour)
    lines = (_job_line(event, style),) if isinstance(event, JobLogged) else facts_of(event, style)
    return "".join(f"{line}\n" for line in lines)


def doing_of(action: Action) -> str:
    """Say in one word what is being done."""
    return _beginning(action).split()[0]


def measured(event: Progress | JobLogged) -> Measured:
    """Read how far something is."""
    if isinstance(event, Progress):
        return Measured(event.done, event.total)
    metrics = dict(event.event.metrics)
    return Measured(metrics.get("step", 0), metrics.get("total_steps", 0))


def measures_of(event: Progress | JobLogged) -> str:
    """Say how far something is, in a few words: `step 42/90, loss 0.412`."""
    if isinstance(event, Progress):
        return _progress(event)
    far, metrics = measured(event), dict(event.event.metrics)
    quality = next((name for name in _QUALITY if name in metrics), None)
    words = [
        f"step {far.done:g}" + (f"/{far.total:g}" if far.total else "") if far.done else "",
        f"{_QUALITY[quality]} {metrics[quality]:.4g}" if quality else "",
    ]
    return ", ".join(filter(None, words)) or clean(event.event.message, limit=80)


def _is_progress(logged: JobEvent) -> bool:
    return bool(logged.metrics) and logged.level not in {"warn", "warning", "error"}


def _job_line(event: JobLogged, style: Style) -> str:
    return _told(str(event.address or event.job), _logged(event.event, style), style)


def _told(address: str, text: str, style: Style) -> str:
    return f"{style.bold(clean(address))}: {text}"


def _progress(event: Progress) -> str:
    amount = size_text if event.unit == "bytes" else str
    if event.total:
        unit = f" {clean(event.unit)}" if event.unit and event.unit != "bytes" else ""
        far = f"{amount(event.done)} of {amount(event.total)}{unit}"
    else:
        far = amount(event.done) if event.done else ""
    return ", ".join(filter(None, (clean(event.message), far)))


def _beginning(action: Action) -> str:
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
            return f"pointing to {clean(model)}"
        case _:
            assert_never(action)


def _ending(event: Finished, style: Style) -> tuple[str, ...]:
    said = f": {clean(event.message)}" if event.message else ""
    match event.outcome:
        case Outcome.DONE:
            text = style.green(_done(event))
        case Outcome.ADOPTED:
            text = style.green(_adopted(event))
        case Outcome.FAILED:
            text = style.red(f"failed{said}")
        case Outcome.UNKNOWN:
            text = style.red(f"nobody can say yet whether it was done{said}")
        case Outcome.BLOCKED:
            text = style.yellow(f"blocked{said}")
        case Outcome.STOPPED:
            text = style.yellow(f"stopped{said}")
        case _:
            assert_never(event.outcome)
    hint = (f"    hint: {clean(event.hint)}",) if event.hint else ()
    return (_told(str(event.step.action.address), text, style), *hint)


def _done(event: Finished) -> str:
    message = clean(event.message)
    match event.step.action:
        case Upload():
            return f"uploaded as {clean(event.file)}" if event.file else "uploaded"
        case Train():
            return f"created job {_with_status(event.job)}" if event.job else "created a job"
        case Cancel(job=job):
            return f"job {clean(job.id)} {message or 'cancelled'}"
        case Delete(thing=thing):
            return f"{clean(thing)} {message or 'deleted'}"
        case Promote(model=model):
            return f"answers from {clean(model)}"
        case _:
            assert_never(event.step.action)


def _adopted(event: Finished) -> str:
    if event.job:
        return f"found job {_with_status(event.job)}, and took it over"
    return f"found {clean(event.file)} there already" if event.file else "found it there already"


def _with_status(job: RemoteJob) -> str:
    return f"{clean(job.id)} ({_word(job)})"


def _moved(job: RemoteJob, measures: str, style: Style) -> Iterator[str]:
    if job.status.is_active:
        yield f"job {clean(job.id)} is {_word(job)}"
        return
    took = ""
    if job.finished_at and job.created_at is not None:
        took = f" after {duration_text(job.finished_at - job.created_at)}"
    last = f" ({measures})" if measures and not job.error else ""
    why = f": {clean(str(job.error))}" if job.error else ""
    yield style.status(str(job.status), f"job {clean(job.id)} {_word(job)}{took}{last}{why}")
    if job.model:
        yield f"made {clean(job.model)}"


def _word(job: RemoteJob) -> str:
    return clean(str(job.status)) if job.status.is_stated else "in a state that the service does not say"


def _logged(logged: JobEvent, style: Style) -> str:
    text = clean(logged.message)
    if logged.level == "error":
        return style.red(f"error: {text}")
    return style.yellow(f"warning: {text}") if logged.level in {"warn", "warning"} else text
