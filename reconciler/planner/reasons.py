"""The reasons to let a model be, each with what a reader should know and the way on. Chooses none of them."""

from collections.abc import Collection, Mapping

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address
from reconciler.domain.lock import LockEntry
from reconciler.domain.observed import PAUSED, SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Change, Keep, KeepReason


def keep_ready(address: Address, job: RemoteJob) -> Keep:
    """What is wanted is there."""
    detail = _origin(job)
    return Keep(address=address, why=KeepReason.READY, job=job.id, status=job.status, model=job.model, detail=detail)


def keep_locked(address: Address, locked: LockEntry) -> Keep:
    """What is wanted is there, as far as the lock file and the list of models can tell."""
    detail = "the job's record is gone; the model that the lock file names is there"
    return Keep(address=address, why=KeepReason.READY, job=locked.job, model=locked.model, detail=detail)


def _origin(job: RemoteJob) -> str:
    if job.is_adopted:
        return f"adopted job {job.id}"
    return f"moved from {job.moved_from.name}" if job.moved_from else ""


def keep_suspended(address: Address, job: RemoteJob | None, answers: bool) -> Keep:
    """Nothing is created, by the author's own word; what is there stays as it is."""
    if answers:
        detail = "what is there answers as before; nothing is created"
    elif job:
        detail = f"job {job.id} goes on; nothing else is created"
    else:
        detail = "nothing is created"
    return Keep(
        address=address,
        why=KeepReason.SUSPENDED,
        job=job.id if job else None,
        status=job.status if job else None,
        model=job.model if job else None,
        detail=detail,
        hint="take suspend out of the spec to go on",
    )


def keep_until_adopted(address: Address, name: str, job: JobId) -> Keep:
    """Hold a model whose adopted job cannot be seen: that it was paid for is known, so it is not paid for twice."""
    return Keep(
        address=address,
        why=KeepReason.MISSING,
        job=job,
        detail="the spec adopts this job, and it is not on the service, or not for this account",
        hint=f"check the account; train it anew with --replace {name}",
    )


def keep_training(address: Address, job: RemoteJob) -> Keep:
    """It is under way."""
    details = [_origin(job)]
    hint = ""
    if job.status == PAUSED:
        details.append("nothing is trained beside it")
        hint = f"it goes on when it is resumed on the service: POST /fine_tuning/jobs/{job.id}/resume"
    elif not job.status.is_known:
        details.append(f"the service says “{job.status}”, which is taken for running")
    detail = "; ".join(each for each in details if each)
    return Keep(address=address, why=KeepReason.TRAINING, job=job.id, status=job.status, detail=detail, hint=hint)


def keep_waiting(address: Address, job: RemoteJob) -> Keep:
    """An older version is under way, and the new one waits."""
    return Keep(
        address=address,
        why=KeepReason.BUSY,
        job=job.id,
        status=job.status,
        detail="an older version is still being trained, and the new one waits for it",
        hint="set on_change: supersede to cancel it, or parallel to train beside it",
    )


def keep_missing(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was trained, and its model is gone."""
    return Keep(
        address=address,
        why=KeepReason.MISSING,
        job=job.id,
        status=job.status,
        model=job.model,
        detail="trained, but the model is not on the service any more",
        hint=f"train it again with --replace {name}",
    )


def keep_failed(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was tried, and failed."""
    return Keep(
        address=address,
        why=KeepReason.FAILED,
        job=job.id,
        status=job.status,
        detail=str(job.error) if job.error else "the service gave no reason",
        hint=f"change the spec or the data, or train the same again with --retry {name}",
    )


def keep_cancelled(address: Address, job: RemoteJob, name: str) -> Keep:
    """It was begun, and somebody ended it."""
    return Keep(
        address=address,
        why=KeepReason.CANCELLED,
        job=job.id,
        status=job.status,
        detail="somebody cancelled it",
        hint=f"train it again with --retry {name}",
    )


def explain_changes(model: Model, jobs: Collection[RemoteJob]) -> tuple[Change, ...]:
    """Return the fields in which a wanted model differs from the one that came before it, sorted by name.

    The one before is the newest that succeeded, else the newest at all. Without one, every field is new.
    """
    before = _previous(model, jobs)
    if before is None:
        return tuple(Change(field=name, before=None, after=after) for name, after in model.displayed_facts)
    if not before.facts:
        return (Change(field="digest", before=before.own_stamp.digest.short, after=model.stamp.digest.short),)
    return _differences(dict(before.facts), dict(model.displayed_facts))


def _previous(model: Model, jobs: Collection[RemoteJob]) -> RemoteJob | None:
    others = [job for job in jobs if not job.is_of(model.stamp)]
    return max(others, key=lambda job: (job.status == SUCCEEDED, *job.age_key), default=None)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    # deepdiff costs a fifth of a second to import, so only a plan that has something to explain pays for it.
    from deepdiff import DeepDiff

    found = DeepDiff(before, after, view="tree", verbose_level=2)
    fields = {level.path(output_format="list")[0] for levels in found.values() for level in levels}
    return tuple(Change(field=name, before=before.get(name), after=after.get(name)) for name in sorted(fields))
