"""The plan that remains after a run: what was done is left out, and a trained model is kept for its job's state."""

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from reconciler.domain.identity import Address
from reconciler.domain.observed import CANCELLED, SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Keep, KeepReason, Plan, Promote, Step, StepId, Train


def remaining_plan(plan: Plan, done: Collection[StepId], jobs: Mapping[JobId, RemoteJob]) -> Plan:
    """Return what is left to do of a plan.

    Shape:  `done` are the steps that were carried out; `jobs` are the jobs of the run in their newest state; a step
            whose result is not known is left to do
    """
    finished = [step for step in plan.steps if step.id in done]
    made = {step.action.address: keep for step in finished if (keep := _keep_of(step, jobs))}
    kept = tuple(_move(keep, jobs) for keep in plan.kept if keep.address not in made)
    steps = tuple(
        replace(step, needs=tuple(need for need in step.needs if need not in done))
        for step in plan.steps
        if step.id not in done
    )
    return replace(plan, steps=steps, kept=(*kept, *made.values()))


def join_following(plan: Plan, following: Plan) -> Plan:
    """Return a plan joined with one that was made later for models that had to wait."""
    steps = (*plan.steps, *following.steps)
    addresses = {keep.address for keep in following.kept} | {step.action.address for step in following.steps}
    kept = (*(keep for keep in plan.kept if keep.address not in addresses), *following.kept)
    return replace(plan, steps=steps, kept=tuple(sorted(kept, key=lambda keep: keep.address)))


def _keep_of(step: Step, jobs: Mapping[JobId, RemoteJob]) -> Keep | None:
    match step.action:
        case Train(model=model):
            ours = [job for job in jobs.values() if job.stamp and model.bears(job.stamp)]
            newest = max(ours, key=lambda job: job.age_key, default=None)
            return _keep_job(step.action.address, newest) if newest else None
        case Promote(job=job, model=promoted):
            address = step.action.address
            return Keep(address=address, why=KeepReason.READY, job=job.id, status=job.status, model=promoted)
        case _:
            return None


def _keep_job(address: Address, job: RemoteJob) -> Keep:
    detail = job.error.message if job.error else ""
    return Keep(address=address, why=_reason(job), job=job.id, status=job.status, model=job.model, detail=detail)


def _reason(job: RemoteJob) -> KeepReason:
    if job.status == SUCCEEDED:
        return KeepReason.READY
    if job.status.is_active:
        return KeepReason.TRAINING
    return KeepReason.CANCELLED if job.status == CANCELLED else KeepReason.FAILED


def _move(keep: Keep, jobs: Mapping[JobId, RemoteJob]) -> Keep:
    """Return what is kept with the newest state of its job; an older version that has ended still blocks this one."""
    job = jobs.get(keep.job) if keep.job else None
    if job is None:
        return keep
    if keep.why is KeepReason.TRAINING:
        return _keep_job(keep.address, job)
    return replace(keep, status=job.status) if keep.why is KeepReason.BUSY else keep
