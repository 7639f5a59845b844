"""Decide what to do about one model. There are two questions.

    Is what is wanted there?                    Is something else running there?
    ──────────────────────────────────────────  ──────────────────────────────────────────
    best job of the wanted stamp      then      another active job                    then
    succeeded, model present          keep      the spec says supersede               cancel
    active, paused or unknown         wait      the spec says parallel                train beside it
    no job, model locked and present  keep      otherwise                             wait for it
    succeeded, model gone             missing
    failed                            hold
    cancelled, but not by us          hold
    adopted, and not there            missing
    superseded by us, or none         train

A model whose job is missing, failed or cancelled is trained again only on request: `--replace`, `--retry`, or
`retries` for errors of the service itself. Of several live jobs of one stamp, the first by (not succeeded, created_at,
id) stays; the others become visible cancel steps. For a suspended model neither question is asked: everything stays as
it is. An adopted job does not bear our stamp, and is never cancelled.

An older version is superseded only by a job: one that this plan creates, or one that exists. Where the wanted version
is missing, held or failed, the job of the older version stays. So does a job that another environment created: there
it may be the version that is wanted. The model is then trained beside it.
"""

from collections.abc import Collection, Container, Iterator, Sequence

import msgspec

from reconciler.domain.desired import Model
from reconciler.domain.identity import Address, Stamp
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
    plain_id,
)
from reconciler.domain.plan import Cancel, CancelReason, Delete, Keep, KeepReason, Options, Train
from reconciler.domain.spec import OnChange
from reconciler.planner import reasons
from reconciler.planner.references import Reference, References

MOST_NAMED = 3
"""Models that a reason names; the others are left out."""

Decision = Train | Cancel | Delete | Keep


class ModelJobs(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of one address, sorted for the two questions; each tuple oldest first."""

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
        """The jobs of the wanted stamp that serve, or may still serve; the one to keep comes first."""
        return self.ready + self.active

    @property
    def spent(self) -> tuple[JobId, ...]:
        """The jobs of the wanted stamp that exist and do not count."""
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
        """Return the jobs of one address, and its lock entry, sorted by their meaning for the wanted model."""
        ordered = sorted(jobs, key=_age)
        ours = [job for job in ordered if model.bears(job.stamp)]
        done = [job for job in ours if job.status == SUCCEEDED]
        is_recorded = locked is not None and model.bears(locked.stamp) and locked.model in models
        return cls(
            ready=tuple(job for job in done if job.model in models),
            active=tuple(job for job in ours if job.status.is_active),
            missing=tuple(job for job in done if job.model not in models),
            failed=tuple(job for job in ours if job.status == FAILED),
            cancelled=tuple(job for job in ours if job.status == CANCELLED),
            others=tuple(job for job in ordered if job.status.is_active and not model.bears(job.stamp)),
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
    other_rows: Container[JobId] = (),
    elsewhere: Container[JobId] = (),
) -> Iterator[Decision]:
    """Answer both questions for one wanted model, and yield the decisions.

    Shape:  `jobs` all bear the model's address; `models` are those that the service still has; `cancelled_by_us` are
            jobs that a plan has cancelled, beside those that a later job names as superseded; `locked` is the last
            serving model of this address on this service; `other_rows` are jobs that validated with other rows, so
            that their failure says nothing of today's; `elsewhere` are jobs that another environment created, or may
            have created
    """
    found = ModelJobs.of(model, jobs, models, cancelled_by_us, locked)
    if model.is_suspended:
        stays = next(iter((*found.live, *found.others)), None)
        yield reasons.keep_suspended(model.address, stays, answers=bool(found.ready or found.recorded))
        return
    yield from _duplicates(found)
    rest = _rest(model, found, options, other_rows)
    if rest is None and found.others and model.on_change is OnChange.WAIT:
        rest = reasons.keep_waiting(model.address, found.others[0])
    superseded = tuple(_supersede(found, rest, elsewhere)) if model.on_change is OnChange.SUPERSEDE else ()
    yield from superseded
    yield rest or Train(
        model=model, excluded_jobs=found.spent, supersedes=tuple(cancel.job.id for cancel in superseded)
    )


def _rest(model: Model, found: ModelJobs, options: Options, other_rows: Container[JobId]) -> Keep | None:
    """Return the best reason to create no job; None when there is none, and a job is due."""
    address = model.address
    if found.ready:
        return reasons.keep_ready(address, found.ready[0])
    if found.active:
        return reasons.keep_training(address, found.active[0])
    if found.recorded:
        return reasons.keep_locked(address, found.recorded)
    if found.missing and model.name not in options.replace:
        return reasons.keep_missing(address, found.missing[-1], model.name)
    is_adopted = model.adopt is not None and model.bears(Stamp(address, model.adopt.digest))
    adopted = model.adopt.job if model.adopt and is_adopted else None
    if adopted and not found.spent and model.name not in options.replace:
        return reasons.keep_until_adopted(address, model.name, adopted)
    if model.name in options.retry or found.missing:
        return None
    failed = tuple(job for job in found.failed if job.id not in other_rows)
    if failed and not _may_retry(failed, model.retries):
        return reasons.keep_failed(address, failed[-1], model.name)
    by_others = [job for job in found.cancelled if job.id not in found.superseded]
    return reasons.keep_cancelled(address, by_others[-1], model.name) if by_others else None


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """How orphans are treated.

    Shape:  with `is_asked`, what nothing names is cancelled and deleted; `kept` are jobs that wanted models keep;
            `heirs` are wanted models that have nothing that answers yet: until they have, the job of an orphan may be
            all that there is of them, whether it has succeeded or still runs; `undeletable` says why the service's
            models cannot be deleted, None where they can
    """

    is_asked: bool = False
    references: References = References()
    kept: frozenset[JobId] = frozenset()
    heirs: tuple[Address, ...] = ()
    undeletable: Reference | None = None

    def why_job_stays(self, job: RemoteJob) -> Reference | None:
        """Return why the running job of an orphan is not cancelled."""
        return self.references.why_job_stays(job) or _wait_for(self.heirs)

    def why_model_stays(self, job: RemoteJob) -> Reference | None:
        """Return why the model of an orphan is not deleted."""
        return self.references.why_model_stays(job) or _wait_for(self.heirs) or self.undeletable


def decide_orphan(
    address: Address, jobs: Collection[RemoteJob], models: frozenset[ModelId], pruning: Pruning
) -> Iterator[Decision]:
    """Yield the decisions about a model that no spec names.

    It is kept and listed, unless pruning was requested and nothing names it.
    """
    ordered = sorted(jobs, key=_age)
    active = [job for job in ordered if job.status.is_active]
    answering = [job for job in ordered if job.model and job.model in models]
    if not pruning.is_asked:
        if active or answering:
            hint = "name it in a spec again, or remove it with --prune"
            yield _keep_orphan(address, (active or answering)[-1], _count_orphans(len(answering), len(active)), hint)
        return
    stays = [(job, pruning.why_job_stays(job)) for job in active]
    stays += [(job, pruning.why_model_stays(job)) for job in answering]
    for job, why in stays:
        if why is None and job.status.is_active:
            yield Cancel(job=job, reason=CancelReason.ORPHAN)
        elif why is None and job.model:
            yield Delete(address=address, thing=job.model, is_model=True, job=job.id)
    kept = [(job, why) for job, why in stays if why]
    if kept:
        job, why = kept[-1]
        yield _keep_orphan(address, job, why.why, why.hint)


def _wait_for(heirs: Sequence[Address]) -> Reference | None:
    if not heirs:
        return None
    named = ", ".join(str(each) for each in heirs[:MOST_NAMED]) + (", …" if heirs[MOST_NAMED:] else "")
    return Reference(
        why=f"{named} may be its new name, and has no model yet",
        hint="prune again when that model has succeeded; if it is a rename, say so with moved",
    )


def _keep_orphan(address: Address, job: RemoteJob, detail: str, hint: str) -> Keep:
    return Keep(
        address=address,
        why=KeepReason.ORPHAN,
        job=job.id,
        status=job.status,
        model=job.model,
        detail=detail,
        hint=hint,
    )


def decide_orphan_files(
    files: Collection[RemoteFile], observed: Observed, declared: frozenset[str], pruning: Pruning
) -> Iterator[Delete]:
    """Yield the deletions of files when pruning: files of this project that no spec wants and no job uses.

    A file name does not carry the project. So only a file that a job of this project trained on counts as its file.
    """
    if not pruning.is_asked:
        return
    in_use = {plain_id(file) for file in observed.files_in_use}
    trained_on = {file for job in observed.jobs if not job.is_known_by_name for file in job.files}
    for file in files:
        unwanted = file.stamp is not None and _dataset_name(file.stamp.address) not in declared
        is_free = plain_id(file.id) not in in_use and not pruning.references.names_file(file)
        if file.stamp and unwanted and file.id in trained_on and is_free:
            yield Delete(address=file.stamp.address, thing=file.id, is_model=False)


def _count_orphans(answering: int, active: int) -> str:
    models = "1 model" if answering == 1 else f"{answering} models"
    jobs = "1 job" if active == 1 else f"{active} jobs"
    return ", ".join([models] * bool(answering) + [f"{jobs} running"] * bool(active))


def _dataset_name(address: Address) -> str:
    # The validation side of a split has the name `name.validation`.
    return address.name.partition(".")[0]


def _age(job: RemoteJob) -> tuple[int, str]:
    return job.age_key


def _may_retry(failed: tuple[RemoteJob, ...], retries: int) -> bool:
    own = [job for job in failed if job.error and job.error.is_services_own]
    return len(own) == len(failed) <= retries


def _duplicates(found: ModelJobs) -> Iterator[Cancel]:
    for job in (each for each in found.active if not each.is_adopted):
        if job is not found.live[0]:
            yield Cancel(job=job, reason=CancelReason.DUPLICATE, kept=found.live[0].id)


def _supersede(found: ModelJobs, rest: Keep | None, elsewhere: Container[JobId]) -> Iterator[Cancel]:
    """Yield the cancels of older versions, where the successor exists or is created by this plan."""
    if rest is None or rest.why in {KeepReason.READY, KeepReason.TRAINING}:
        kept = rest.job if rest else None
        for job in found.others:
            if not job.is_adopted and job.id not in elsewhere:
                yield Cancel(job=job, reason=CancelReason.SUPERSEDED, kept=kept)
