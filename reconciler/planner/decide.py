"""What to do about one model. Two questions, and nothing else.

    Is what is wanted there?                    Is something else running there?
    ──────────────────────────────────────────  ──────────────────────────────────────────
    best job of the wanted stamp      then      another active job                    then
    succeeded, model present          keep      the spec says supersede               cancel
    active, paused or unknown         wait      the spec says parallel                train beside it
    no job, model locked and present  keep      otherwise                             wait for it
    succeeded, model gone             missing
    failed                            hold
    cancelled by somebody else        hold
    adopted, and not there            missing
    superseded by us, or none         train

A job that is missing, failed or cancelled is trained again only when somebody asks: `--replace`, `--retry`, or
`retries` for errors of the service's own making. Several live jobs of one stamp leave the first of
min(not succeeded, created_at, id); the others become visible cancel steps. A suspended model answers neither question:
what is there stays as it is. A job that was adopted bears no stamp of ours, and is never cancelled.
"""

from collections.abc import Collection, Iterator

import msgspec

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address
from reconciler.domain.lock import LockEntry
from reconciler.domain.observed import (
    CANCELLED,
    FAILED,
    SUCCEEDED,
    JobId,
    ModelId,
    Observed,
    RemoteFile,
    RemoteJob,
)
from reconciler.domain.plan import Cancel, CancelReason, Delete, Keep, KeepReason, Options, Train
from reconciler.domain.spec import OnChange
from reconciler.planner import reasons

Decision = Train | Cancel | Delete | Keep


class ModelJobs(msgspec.Struct, frozen=True, kw_only=True):
    """One address on the service, sorted for the two questions; each tuple oldest first."""

    ready: tuple[RemoteJob, ...]
    active: tuple[RemoteJob, ...]
    missing: tuple[RemoteJob, ...]
    failed: tuple[RemoteJob, ...]
    cancelled: tuple[RemoteJob, ...]
    others: tuple[RemoteJob, ...]
    superseded: frozenset[JobId]
    recorded: LockEntry | None = None

    @property
    def live(self) -> tuple[RemoteJob, ...]:
        """Jobs of the wanted stamp that serve or may still serve, the one to keep first."""
        return self.ready + self.active

    @property
    def spent(self) -> tuple[JobId, ...]:
        """Jobs of the wanted stamp that were seen and do not count."""
        return tuple(sorted(job.id for job in self.missing + self.failed + self.cancelled))

    @classmethod
    def of(
        cls,
        model: Model,
        jobs: Collection[RemoteJob],
        models: frozenset[ModelId],
        cancelled_by_us: frozenset[JobId] = frozenset(),
        locked: LockEntry | None = None,
    ) -> "ModelJobs":
        """Sort the jobs of one address, and what is locked of it, by what they are to the model wanted there."""
        ordered = sorted(jobs, key=_age)
        ours = [job for job in ordered if job.is_of(model.stamp)]
        done = [job for job in ours if job.status == SUCCEEDED]
        is_recorded = locked is not None and locked.stamp.agrees(model.stamp) and locked.model in models
        return cls(
            ready=tuple(job for job in done if job.model in models),
            active=tuple(job for job in ours if job.status.is_active),
            missing=tuple(job for job in done if job.model not in models),
            failed=tuple(job for job in ours if job.status == FAILED),
            cancelled=tuple(job for job in ours if job.status == CANCELLED),
            others=tuple(job for job in ordered if job.status.is_active and not job.is_of(model.stamp)),
            superseded=cancelled_by_us | {superseded for job in ordered for superseded in job.supersedes},
            recorded=locked if is_recorded else None,
        )


def decide(
    model: Model,
    jobs: Collection[RemoteJob],
    models: frozenset[ModelId],
    options: Options,
    cancelled_by_us: frozenset[JobId] = frozenset(),
    locked: LockEntry | None = None,
) -> Iterator[Decision]:
    """Answer both questions for one wanted model.

    Shape:  `jobs` all bear the model's address; `models` are those the service still has; `cancelled_by_us` are
            jobs known to have been cancelled by a plan, beside those that a later job says it superseded; `locked`
            is what answered last for this model on this service
    """
    scene = ModelJobs.of(model, jobs, models, cancelled_by_us, locked)
    if model.is_suspended:
        stays = next(iter((*scene.live, *scene.others)), None)
        yield reasons.keep_suspended(model.address, stays, answers=bool(scene.ready or scene.recorded))
        return
    supersede = model.on_change is OnChange.SUPERSEDE
    cancels = [*_duplicates(scene), *(_supersede(scene) if supersede else ())]
    yield from cancels
    rest = _rest(model, scene, options)
    if rest:
        yield rest
    elif scene.others and model.on_change is OnChange.WAIT:
        yield reasons.keep_waiting(model.address, scene.others[0])
    else:
        superseded = tuple(cancel.job.id for cancel in cancels)
        yield Train(model=model, excluded_jobs=scene.spent, supersedes=superseded)


def _rest(model: Model, scene: ModelJobs, options: Options) -> Keep | None:
    """Return the reason to let things be, the best one first; None when there is none and a job is due."""
    address = model.address
    if scene.ready:
        return reasons.keep_ready(address, scene.ready[0])
    if scene.active:
        return reasons.keep_training(address, scene.active[0])
    if scene.recorded:
        return reasons.keep_locked(address, scene.recorded)
    if scene.missing and model.name not in options.replace:
        return reasons.keep_missing(address, scene.missing[-1], model.name)
    adopted = model.adopt.job if model.adopt and model.adopt.digest.agrees(model.stamp.digest) else None
    if adopted and not scene.spent and model.name not in options.replace:
        return reasons.keep_until_adopted(address, model.name, adopted)
    if model.name in options.retry or scene.missing:
        return None
    if scene.failed and not _may_retry(scene.failed, model.retries):
        return reasons.keep_failed(address, scene.failed[-1], model.name)
    by_others = [job for job in scene.cancelled if job.id not in scene.superseded]
    return reasons.keep_cancelled(address, by_others[-1], model.name) if by_others else None


def decide_orphan(
    address: Address, jobs: Collection[RemoteJob], models: frozenset[ModelId], bases: frozenset[str], prune: bool
) -> Iterator[Decision]:
    """Say what becomes of a model that no spec names: kept and listed, unless pruning was asked for.

    Shape:  `bases` are the models that something still builds on; they are never deleted
    """
    ordered = sorted(jobs, key=_age)
    active = [job for job in ordered if job.status.is_active]
    answering = [job for job in ordered if job.model and job.model in models]
    free = [job for job in answering if job.model not in bases]
    if prune:
        yield from (Cancel(job=job, reason=CancelReason.ORPHAN) for job in active)
        yield from (Delete(address=address, thing=job.model, is_model=True, job=job.id) for job in free if job.model)
    if (active or answering) and not (prune and len(free) == len(answering)):
        newest = (active or answering)[-1]
        yield Keep(
            address=address,
            why=KeepReason.ORPHAN,
            job=newest.id,
            status=newest.status,
            model=newest.model,
            detail="something still builds on it" if prune else _orphaned(len(answering), len(active)),
            hint="" if prune else "name it in a spec again, or remove it with --prune",
        )


def decide_orphan_files(
    files: Collection[RemoteFile], observed: Observed, declared: frozenset[str], prune: bool
) -> Iterator[Delete]:
    """Say which files may go when pruning: ours by name and by a job of ours, wanted by no spec, used by nothing.

    A file's name has no room for the project, so only a file that a job of this project trained on is this project's.
    """
    trained_on = {file for job in observed.jobs for file in (job.training_file, job.validation_file)}
    for file in files if prune else ():
        unwanted = file.stamp is not None and _dataset_name(file.stamp.address) not in declared
        if file.stamp and unwanted and file.id in trained_on and file.id not in observed.files_in_use:
            yield Delete(address=file.stamp.address, thing=file.id, is_model=False)


def _orphaned(answering: int, active: int) -> str:
    models = "1 model" if answering == 1 else f"{answering} models"
    jobs = "1 job" if active == 1 else f"{active} jobs"
    return ", ".join([models] * bool(answering) + [f"{jobs} running"] * bool(active))


def _dataset_name(address: Address) -> str:
    # The validation side of a split goes by `name.validation`.
    return address.name.partition(".")[0]


def _age(job: RemoteJob) -> tuple[int, str]:
    return job.age_key


def _may_retry(failed: tuple[RemoteJob, ...], retries: int) -> bool:
    own = [job for job in failed if job.error and job.error.is_services_own]
    return len(own) == len(failed) <= retries


def _duplicates(scene: ModelJobs) -> Iterator[Cancel]:
    for job in (each for each in scene.active if not each.is_adopted):
        if job is not scene.live[0]:
            yield Cancel(job=job, reason=CancelReason.DUPLICATE, kept=scene.live[0].id)


def _supersede(scene: ModelJobs) -> Iterator[Cancel]:
    return (Cancel(job=job, reason=CancelReason.SUPERSEDED) for job in scene.others if not job.is_adopted)
