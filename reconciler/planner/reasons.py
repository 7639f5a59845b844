"""The reasons in a plan: why a model stays as it is, with a next step, and which fields make it change."""

from collections.abc import Collection, Mapping

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address
from reconciler.domain.lock import LockEntry
from reconciler.domain.observed import PAUSED, SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Change, Keep, KeepReason


def keep_ready(address: Address, job: RemoteJob) -> Keep:
    """Return the reason that the wanted model exists."""
    detail = _origin(job)
    return Keep(address=address, why=KeepReason.READY, job=job.id, status=job.status, model=job.model, detail=detail)


def keep_locked(address: Address, locked: LockEntry) -> Keep:
    """Return the reason that the wanted model exists, according to the lock file and the list of models."""
    detail = "the job is no longer listed; the model that the lock file names exists"
    return Keep(address=address, why=KeepReason.READY, job=locked.job, model=locked.model, detail=detail)


def _origin(job: RemoteJob) -> str:
    if job.is_adopted:
        return f"adopted job {job.id}"
    return f"moved from {job.moved_from.name}" if job.moved_from else ""


def keep_suspended(address: Address, job: RemoteJob | None, answers: bool) -> Keep:
    """Return the reason that the spec suspends the model: nothing is created, and what exists stays."""
    if answers:
        detail = "the serving model stays active; nothing is created"
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
    """Return the reason that the adopted job cannot be found: it was paid for, so it is not paid for twice."""
    return Keep(
        address=address,
        why=KeepReason.MISSING,
        job=job,
        detail="the spec adopts this job, and the service does not show it to this account",
        hint=f"check the account, or train it again with --replace {name}",
    )


def keep_training(address: Address, job: RemoteJob) -> Keep:
    """Return the reason that a job of the wanted model is active."""
    details = [_origin(job)]
    hint = ""
    if job.status == PAUSED:
        details.append("nothing is trained beside it")
        hint = f"it goes on when it is resumed on the service: POST /fine_tuning/jobs/{job.id}/resume"
    elif not job.status.is_known:
        details.append(f"the service says “{job.status}”, which counts as running")
    detail = "; ".join(each for each in details if each)
    return Keep(address=address, why=KeepReason.TRAINING, job=job.id, status=job.status, detail=detail, hint=hint)


def keep_waiting(address: Address, job: RemoteJob) -> Keep:
    """Return the reason that the job of an older version is active, and the new version waits for it."""
    return Keep(
        address=address,
        why=KeepReason.BUSY,
        job=job.id,
        status=job.status,
        detail="an older version is still being trained, and the new one waits for it",
        hint="apply starts the new one when it has ended; set on_change: supersede to cancel it, or parallel to train"
        " beside it",
    )


def keep_missing(address: Address, job: RemoteJob, name: str) -> Keep:
    """Return the reason that the job succeeded, and its model is gone."""
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
    """Return the reason that the job failed."""
    return Keep(
        address=address,
        why=KeepReason.FAILED,
        job=job.id,
        status=job.status,
        detail=str(job.error) if job.error else "the service gave no reason",
        hint=f"change the spec or the data, or train the same again with --retry {name}",
    )


def keep_cancelled(address: Address, job: RemoteJob, name: str) -> Keep:
    """Return the reason that the job was cancelled, and not by a plan."""
    return Keep(
        address=address,
        why=KeepReason.CANCELLED,
        job=job.id,
        status=job.status,
        detail="it was cancelled, but not by a plan",
        hint=f"train it again with --retry {name}",
    )


def explain_changes(model: Model, jobs: Collection[RemoteJob]) -> tuple[Change, ...]:
    """Return the fields in which a wanted model differs from its previous version, sorted by name.

    The previous version is the newest that succeeded, or else the newest. Without one, every field is new.
    """
    before = _previous(model, jobs)
    if before is None:
        return tuple(Change(field=name, before=None, after=after) for name, after in model.displayed_facts)
    if not before.facts:
        return (Change(field="digest", before=before.own_stamp.digest.short, after=model.stamp.digest.short),)
    return _differences(dict(before.facts), dict(model.displayed_facts))


def _previous(model: Model, jobs: Collection[RemoteJob]) -> RemoteJob | None:
    others = [job for job in jobs if not model.bears(job.stamp)]
    return max(others, key=lambda job: (job.status == SUCCEEDED, *job.age_key), default=None)


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    # deepdiff takes a fifth of a second to import. Only a plan with a difference to explain pays for it.
    from deepdiff import DeepDiff

    found = DeepDiff(before, after, view="tree", verbose_level=2)
    fields = {level.path(output_format="list")[0] for levels in found.values() for level in levels}
    return tuple(Change(field=name, before=before.get(name), after=after.get(name)) for name in sorted(fields))
