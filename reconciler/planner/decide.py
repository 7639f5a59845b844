"""What to do about one model. Two questions, and nothing else.

    Is what is wanted there?                    Is something else running there?
    ──────────────────────────────────────────  ──────────────────────────────────────────
    best job of the wanted stamp      then      another active job                    then
    succeeded, model present          keep      the spec says supersede               cancel
    active, paused or unknown         wait      the spec says parallel                train beside it
    succeeded, model gone             missing   otherwise                             wait for it
    failed                            hold
    cancelled by somebody else        hold
    superseded by us, or none         train

A job that is missing, failed or cancelled is trained again only when somebody asks: `--replace`, `--retry`, or
`retries` for errors of the service's own making. Several live jobs of one stamp leave the first of
min(not succeeded, created_at, id); the others become visible cancel steps.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address
from reconciler.domain.observed import CANCELLED, FAILED, SUCCEEDED, JobId, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Delete, Keep, Options, Train, Why
from reconciler.domain.spec import OnChange

Decision = Train | Cancel | Delete | Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One address on the service, sorted for the two questions; each tuple oldest first."""

    ready: tuple[RemoteJob, ...]
    active: tuple[RemoteJob, ...]
    missing: tuple[RemoteJob, ...]
    failed: tuple[RemoteJob, ...]
    cancelled: tuple[RemoteJob, ...]
    others: tuple[RemoteJob, ...]
    superseded: frozenset[JobId]

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
    ) -> "Scene":
        """Sort the jobs of one address by what they are to the model that is wanted there."""
        ordered = sorted(jobs, key=_age)
        ours = [job for job in ordered if job.stamp.agrees(model.stamp)]
        done = [job for job in ours if job.status == SUCCEEDED]
        return cls(
            ready=tuple(job for job in done if job.model in models),
            active=tuple(job for job in ours if job.status.is_active),
            missing=tuple(job for job in done if job.model not in models),
            failed=tuple(job for job in ours if job.status == FAILED),
            cancelled=tuple(job for job in ours if job.status == CANCELLED),
            others=tuple(job for job in ordered if job.status.is_active and not job.stamp.agrees(model.stamp)),
            superseded=cancelled_by_us | {superseded for job in ordered for superseded in job.supersedes},
        )


def decide(
    model: Model,
    jobs: Collection[RemoteJob],
    models: frozenset[ModelId],
    options: Options,
    cancelled_by_us: frozenset[JobId] = frozenset(),
) -> Iterator[Decision]:
    """Answer both questions for one wanted model.

    Shape:  `jobs` all bear the model's address; `models` are those the service still has; `cancelled_by_us` are
            jobs known to have been cancelled by a plan, beside those that a later job says it superseded
    """
    scene = Scene.of(model, jobs, models, cancelled_by_us)
    supersede = model.on_change is OnChange.SUPERSEDE
    cancels = [*_duplicates(scene), *(_supersede(scene) if supersede else ())]
    yield from cancels
    rest = _rest(model, scene, options)
    if rest:
        yield rest
    elif scene.others and model.on_change is OnChange.WAIT:
        yield _busy(model.address, scene.others[0])
    else:
        superseded = tuple(cancel.job.id for cancel in cancels)
        yield Train(model=model, despite=scene.spent, supersedes=superseded)


def _rest(model: Model, scene: Scene, options: Options) -> Keep | None:
    """Give the reason to let things be, the best one first; None when there is none and a job is due."""
    address = model.address
    if scene.ready:
        job = scene.ready[0]
        return Keep(address=address, why=Why.READY, job=job.id, status=job.status, model=job.model)
    if scene.active:
        return _training(address, scene.active[0])
    if scene.missing and model.name not in options.replace:
        return _missing(address, scene.missing[-1], model.name)
    if model.name in options.retry or scene.missing:
        return None
    if scene.failed and not _may_retry(scene.failed, model.retries):
        return _failed(address, scene.failed[-1], model.name)
    by_others = [job for job in scene.cancelled if job.id not in scene.superseded]
    return _cancelled(address, by_others[-1], model.name) if by_others else None


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
            why=Why.ORPHAN,
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
    return (job.created_at, job.id)


def _may_retry(failed: tuple[RemoteJob, ...], retries: int) -> bool:
    own = [job for job in failed if job.error and job.error.is_services_own]
    return len(own) == len(failed) <= retries


def _duplicates(scene: Scene) -> Iterator[Cancel]:
    for job in scene.active:
        if job is not scene.live[0]:
            yield Cancel(job=job, reason=CancelReason.DUPLICATE, kept=scene.live[0].id)


def _supersede(scene: Scene) -> Iterator[Cancel]:
    return (Cancel(job=job, reason=CancelReason.SUPERSEDED) for job in scene.others)


def _training(address: Address, job: RemoteJob) -> Keep:
    detail = "" if job.status.is_known else f"the service says “{job.status}”, which is taken for running"
    return Keep(address=address, why=Why.TRAINING, job=job.id, status=job.status, detail=detail)


def _busy(address: Address, job: RemoteJob) -> Keep:
    return Keep(
        address=address,
        why=Why.BUSY,
        job=job.id,
        status=job.status,
        detail="an older version is still being trained, and the new one waits for it",
        hint="set on_change: supersede to cancel it, or parallel to train beside it",
    )


def _missing(address: Address, job: RemoteJob, name: str) -> Keep:
    return Keep(
        address=address,
        why=Why.MISSING,
        job=job.id,
        status=job.status,
        model=job.model,
        detail="trained, but the model is not on the service any more",
        hint=f"train it again with --replace {name}",
    )


def _failed(address: Address, job: RemoteJob, name: str) -> Keep:
    return Keep(
        address=address,
        why=Why.FAILED,
        job=job.id,
        status=job.status,
        detail=str(job.error) if job.error else "the service gave no reason",
        hint=f"change the spec or the data, or train the same again with --retry {name}",
    )


def _cancelled(address: Address, job: RemoteJob, name: str) -> Keep:
    return Keep(
        address=address,
        why=Why.CANCELLED,
        job=job.id,
        status=job.status,
        detail="somebody cancelled it",
        hint=f"train it again with --retry {name}",
    )
