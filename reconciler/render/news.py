"""What any job on a service says, ours or not: a line for people, an event for programs."""

from reconciler.domain.inventory import HeldJob
from reconciler.domain.observed import JobEvent
from reconciler.render.detail import event_fields
from reconciler.render.json_output import Fields, json_text
from reconciler.render.listing import error_fields
from reconciler.render.sanitize import clean
from reconciler.render.text import Style, duration_text


def news_text(job: HeldJob, event: JobEvent | None, *, gone: bool = False, colour: bool = False) -> str:
    """Return what a job said, or else how it stands, as lines that begin with whose it is."""
    style = Style(colour)
    name = style.bold(clean(str(job.stamp.address) if job.stamp else job.id))
    return "".join(f"{name}: {line}\n" for line in _lines(job, event, gone, style))


def news_json(job: HeldJob, event: JobEvent | None, *, gone: bool = False) -> str:
    """Return the same as one JSON object on one line; address and digest are null where the job is not ours."""
    address = str(job.stamp.address) if job.stamp else None
    if event:
        said = {"type": "job_logged", "address": address, "job": job.id, **event_fields(event)}
        return json_text(said) + "\n"
    if gone:
        return json_text({"type": "job_vanished", "address": address, "job": job.id}) + "\n"
    return json_text({"type": "job_moved", "address": address, "job": _job_fields(job)}) + "\n"


def _lines(job: HeldJob, event: JobEvent | None, gone: bool, style: Style) -> tuple[str, ...]:
    if event:
        text = clean(event.message)
        loud = {"error": style.red, "warn": style.yellow, "warning": style.yellow}.get(event.level)
        return (loud(f"{clean(event.level)}: {text}") if loud else text,)
    if gone:
        return (style.red(f"job {clean(job.id)} is gone: the service does not know it any more"),)
    status = clean(str(job.status)) if job.status else "in a state that the service does not say"
    if not job.has_ended:
        return (f"job {clean(job.id)} is {status}",)
    took = ""
    if job.finished_at is not None and job.created_at is not None:
        took = f" after {duration_text(job.finished_at - job.created_at)}"
    why = f": {clean(str(job.error))}" if job.error else ""
    ended = style.status(status, f"job {clean(job.id)} {status}{took}{why}")
    return (ended, f"made {clean(job.model)}") if job.model else (ended,)


def _job_fields(job: HeldJob) -> Fields:
    return {
        "id": job.id,
        "digest": str(job.stamp.digest) if job.stamp else None,
        "status": str(job.status or "unknown"),
        "base": job.base or "",
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "model": job.model,
        "trained_tokens": job.trained_tokens,
        "error": error_fields(job.error),
    }
