"""The reasons to let a model be, each with what a reader should know and the way on. Chooses none of them."""

from reconciler.domain.identity import Address
from reconciler.domain.lock import Locked
from reconciler.domain.observed import PAUSED, JobId, RemoteJob
from reconciler.domain.plan import Keep, Why


def ready(address: Address, job: RemoteJob) -> Keep:
    """What is wanted is there."""
    detail = _origin(job)
    return Keep(address=address, why=Why.READY, job=job.id, status=job.status, model=job.model, detail=detail)


def recorded(address: Address, locked: Locked) -> Keep:
    """What is wanted is there, as far as the lock file and the list of models can tell."""
    detail = "the job's record is gone; the model that the lock file names is there"
    return Keep(address=address, why=Why.READY, job=locked.job, model=locked.model, detail=detail)


def _origin(job: RemoteJob) -> str:
    if job.is_adopted:
        return f"adopted job {job.id}"
    return f"moved from {job.moved_from.name}" if job.moved_from else ""


def suspended(address: Address, job: RemoteJob | None, answers: bool) -> Keep:
    """Nothing is created, by the author's own word; what is there stays as it is."""
    if answers:
        detail = "what is there answers as before; nothing is created"
    elif job:
        detail = f"job {job.id} goes on; nothing else is created"
    else:
        detail = "nothing is created"
    return Keep(
        address=address,
        why=Why.SUSPENDED,
        job=job.id if job else None,
        status=job.status if job else None,
        model=job.model if job else None,
        detail=detail,
        hint="take suspend out of the spec to go on",
    )


def unadopted(address: Address, name: str, job: JobId) -> Keep:
    """Hold a model whose adopted job cannot be seen: that it was paid for is known, so it is not paid for twice."""
    return Keep(
        address=address,
        why=Why.MISSING,
        job=job,
        detail="the spec adopts this job, and it is not on the service, or not for this account",
        hint=f"check the account; train it anew with --replace {name}",
    )


def training(address: Address, job: RemoteJob) -> Keep:
    """It is under way."""
    details = [_origin(job)]
    hint = ""
    if job.status == PAUSED:
        details.append("nothing is trained beside it")
        hint = f"it goes on when it is resumed on the service: POST /fine_tuning/jobs/{job.id}/resume"
    elif not job.status.is_known:
        details.append(f"the service says “{job.status}”, which is taken for running")
    detail = "; ".join(each for each in details if each)
    return Keep(address=address, why=Why.TRAINING, job=job.id, status=job.status, detail=detail, hint=hint)


def busy(address: Address, job: RemoteJob) -> Keep:
    """An older version is under way, and the new one waits."""
    return Keep(
        address=address,
        why=Why.BUSY,
        job=job.id,
        status=job.status,
        detail="an older version is still being trained, and the new one waits for it",
        hint="set on_change: supersede to cancel it, or parallel to train beside it",
    )


def missing(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was trained, and its model is gone."""
    return Keep(
        address=address,
        why=Why.MISSING,
        job=job.id,
        status=job.status,
        model=job.model,
        detail="trained, but the model is not on the service any more",
        hint=f"train it again with --replace {name}",
    )


def failed(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was tried, and failed."""
    return Keep(
        address=address,
        why=Why.FAILED,
        job=job.id,
        status=job.status,
        detail=str(job.error) if job.error else "the service gave no reason",
        hint=f"change the spec or the data, or train the same again with --retry {name}",
    )


def cancelled(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was begun, and somebody ended it."""
    return Keep(
        address=address,
        why=Why.CANCELLED,
        job=job.id,
        status=job.status,
        detail="somebody cancelled it",
        hint=f"train it again with --retry {name}",
    )
