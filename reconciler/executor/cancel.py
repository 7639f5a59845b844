"""Cancel jobs and delete files and models: read again, act once, confirm. Nothing without our stamp is touched."""

from collections.abc import Iterable

from reconciler.domain.errors import NotFoundError, ProviderError
from reconciler.domain.observed import CHECKPOINT, SUCCEEDED, JobId, ModelId, Observed, RemoteJob, plain_id
from reconciler.domain.plan import Cancel, CancelReason, Delete
from reconciler.domain.ports import Refused, Unknown, own_job
from reconciler.executor.context import RunContext, StepFailedError
from reconciler.executor.upload import outcome_of

MOST_NAMED = 5
"""Jobs that a message names; the others are counted."""


def cancel(action: Cancel, context: RunContext) -> tuple[RemoteJob, str]:
    """Cancel a job and wait for its end. Return its last state and a message about it.

    A job that has ended meanwhile is left as it is; one that has succeeded is a success. A job is left alone when the
    one that was to be kept in its place, a twin or a newer version, is no longer of use.
    Raises: StepFailedError when the job is not ours any more, or is still active after the service's limit
    """
    job = own_job(context.provider, action.job.id)
    if not job.is_of(action.job.own_stamp):
        raise StepFailedError(
            f"job {job.id} does not bear the stamp that was planned; it was not cancelled", "plan again"
        )
    if job.status.is_terminal:
        return job, f"had already {job.status}"
    kept = action.kept or _find_successor(action, context)
    if kept and not _is_live(action, kept, context):
        return job, f"not cancelled: job {kept}, which was to be kept, is no longer of use; plan again"
    if action.reason is CancelReason.ORPHAN:
        _check_still_unnamed(str(job.id), "cancelled", context)
    written = context.provider.cancel(job.id)
    ended = _wait_for_end(job.id, context)
    if ended.status.is_active:
        state = f"job {job.id} is still “{ended.status}”"
        match written:
            case Refused(error):
                what = f"the service refused the cancel: {error}; {state}"
            case Unknown(why):
                what = f"the service did not confirm the cancel: {why}; {state}"
            case _:
                what = f"{state} after the cancel"
        raise StepFailedError(what, "run again")
    return ended, str(ended.status)


def _find_successor(action: Cancel, context: RunContext) -> JobId | None:
    """Return the job of this run that takes the place of one: created, or found as that of another run."""
    return context.trained.get(action.address) if action.reason is CancelReason.SUPERSEDED else None


def _is_live(action: Cancel, kept: JobId, context: RunContext) -> bool:
    """Return whether the job to keep makes, or has made, a model: of two twins, the same one."""
    try:
        job = own_job(context.provider, kept)
        if job.status == SUCCEEDED and job.model:
            context.provider.model(job.model)
    except NotFoundError:
        return False
    is_right = action.reason is not CancelReason.DUPLICATE or job.is_of(action.job.own_stamp)
    return is_right and (job.status.is_active or (job.status == SUCCEEDED and bool(job.model)))


def _wait_for_end(job: JobId, context: RunContext) -> RemoteJob:
    deadline = context.clock() + context.provider.capabilities.cancel_seconds
    seen = own_job(context.provider, job)
    while seen.status.is_active and context.clock() < deadline and not context.stopping():
        context.sleep(context.provider.capabilities.poll_seconds)
        seen = own_job(context.provider, job)
    return seen


def delete(action: Delete, context: RunContext) -> str:
    """Delete what the plan names, after a new look. Return a message about it."""
    try:
        _check_still_ours(action, context)
        refusal: ProviderError | None = outcome_of(context.provider.delete(action.thing, action.is_model))
    except NotFoundError as gone:
        refusal = gone
    if isinstance(refusal, NotFoundError):
        return "was gone already"
    if refusal:
        users = _describe_users(action, context)
        raise StepFailedError(f"{refusal}; {users}", "run again when that job has ended") if users else refusal
    return "deleted"


def _check_still_ours(action: Delete, context: RunContext) -> None:
    """Check that a thing is ours and that nothing uses it: the plan may have been made long ago.

    Cost:   one look at everything
    """
    if action.is_model and action.job:
        job = own_job(context.provider, action.job)
        if job.model != ModelId(action.thing) or job.is_known_by_name:
            raise StepFailedError(f"{action.thing} is not what job {action.job} made; it was not deleted", "plan again")
    _check_still_unnamed(action.thing, "deleted", context)
    seen = context.provider.observe()
    for models in context.kept_models:
        if models.isdisjoint(seen.models) and not any(_is_there(model, context) for model in models):
            what = f"{min(models)}, which the plan keeps, is gone; {action.thing} was not deleted"
            raise StepFailedError(what, "plan again")
    if is_in_use(action, seen):
        users = _describe_users(action, context) or "by a job that no list names"
        raise StepFailedError(
            f"{action.thing} is in use now, {users}; it was not deleted", "run again when that job has ended"
        )


def _check_still_unnamed(thing: str, done: str, context: RunContext) -> None:
    """Check that nothing names a thing that nothing named at the time of the plan, which may be hours ago."""
    if change := context.find_change():
        raise StepFailedError(f"{change}, and may name {thing} now; it was not {done}", "plan again")


def _is_there(model: ModelId, context: RunContext) -> bool:
    # The list of models may lag.
    try:
        context.provider.model(model)
    except NotFoundError:
        return False
    return True


def is_in_use(action: Delete, observed: Observed) -> bool:
    """Return whether a job uses a file, or is built on a model or one of its checkpoints, under any spelling."""
    bases = observed.bases_in_use | {job.base for job in observed.jobs if job.status.is_active}
    return _is_among(action.thing, bases if action.is_model else observed.files_in_use)


def _is_among(thing: str, others: Iterable[str]) -> bool:
    return plain_id(thing) in {plain_id(other).partition(CHECKPOINT)[0] for other in others}


def _describe_users(action: Delete, context: RunContext) -> str:
    """Return by which jobs a file or model is used, of this project or another; nothing when none can be named."""
    try:
        jobs = context.provider.list_jobs().items
    except ProviderError:
        return ""
    active = [job for job in jobs if job.status.is_active]
    using = [job for job in active if _is_among(action.thing, (job.base,) if action.is_model else job.files)]
    named = ", ".join(f"{job.id} ({job.status})" for job in using[:MOST_NAMED])
    more = f" and {len(using) - MOST_NAMED} more" if using[MOST_NAMED:] else ""
    return f"by {'job' if len(using) == 1 else 'jobs'} {named}{more}" if using else ""
