"""What names a thing on the service. Such a thing is never cancelled or deleted, whatever is pruned. Pure.

named by                                                       what stays
─────────────────────────────────────────────────────────────  ─────────────────────────────────────────────────────
a decision of this plan to keep or train a wanted model        its job, that job's model and files
the lock file of another environment, by the name of a model   every job and model of that name
the same, or the lock entry of a wanted model, by an id        that job, that model, the files of its rows
another environment, whose apply created a job                 that job, its model and files
the base of a spec, of a running job, of a job of others       that model; for a checkpoint, the model of its job
any other YAML file of the repository, by an id                that job, model or file; for a checkpoint, its model
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from reconciler.domain.desired import Desired
from reconciler.domain.identity import Address
from reconciler.domain.lock import Lock, LockEntry, Mentions, OtherLock, find_departed
from reconciler.domain.observed import CHECKPOINT, JobId, ModelId, Observed, RemoteFile, RemoteJob, plain_id
from reconciler.domain.plan import CommandScope, Keep, KeepReason, Options

_BASE = "a spec or a running job uses it as its base"


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Why a thing stays, in words, and a next step if there is one."""

    why: str
    hint: str = ""


def keep_undeletable(provider: str) -> Reference:
    """Return why a model stays on a service that deletes none through its API."""
    return Reference(
        why=f"{provider} deletes no models through its API",
        hint="delete it in the pages of the service, after its deployments",
    )


class References(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that names a thing on the service.

    Shape:  `rows` are the names of files that lock entries name by their content; `bases` are the models that
            something is built on, `checkpoints` the beginnings of their names where it is built on a checkpoint; both
            and `files` hold what all spellings of an id have in common
    """

    addresses: Mapping[Address, Reference] = msgspec.field(default_factory=dict)
    jobs: Mapping[JobId, Reference] = msgspec.field(default_factory=dict)
    models: Mapping[ModelId, Reference] = msgspec.field(default_factory=dict)
    files: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    checkpoints: frozenset[str] = frozenset()

    @classmethod
    def gather(
        cls,
        desired: Desired,
        observed: Observed,
        lock: Lock,
        other_locks: Sequence[OtherLock],
        keeps: Iterable[Keep],
        elsewhere: Mapping[JobId, Reference],
        mentions: Mentions,
        *,
        provider: str,
        scope: CommandScope,
    ) -> "References":
        """Return what the specs, the decisions about them, the lock files and the service's own jobs name.

        Shape:  `elsewhere` are the jobs of other environments, as `list_jobs_of_others` gives them
        """
        wanted = {model.address for model in desired.models}
        here = [(entry, _describe_own(entry)) for entry in lock.entries if entry.address in wanted]
        others = [
            (entry, _describe_other(entry, other, scope)) for other in other_locks for entry in other.lock.entries
        ]
        kept = [(keep, Reference(why=f"the plan keeps it for {keep.address}")) for keep in keeps]
        entries = [*here, *others]
        jobs = {**elsewhere, **dict(_list_mentioned_jobs(observed, mentions))}
        jobs |= {entry.job: why for entry, why in entries} | {keep.job: why for keep, why in kept if keep.job}
        models = {entry.model: why for entry, why in entries} | {keep.model: why for keep, why in kept if keep.model}
        models |= {job.model: jobs[job.id] for job in observed.jobs if job.model and job.id in jobs}
        bases = {model.recipe.base for model in desired.models} | observed.bases_in_use
        bases |= {job.base for job in observed.jobs if job.status.is_active}
        bases |= {thing for thing in mentions.files if CHECKPOINT in thing}
        bases = {plain_id(base) for base in bases}
        wholes = {base.partition(CHECKPOINT)[0] for base in bases if CHECKPOINT in base}
        addresses = {entry.address: why for entry, why in others if _is_here(entry, provider, observed)}
        return cls(
            addresses=addresses,
            jobs=jobs,
            models=models,
            files=frozenset(
                plain_id(file)
                for job in observed.jobs
                if job.id in jobs or job.address in addresses
                for file in job.files
            )
            | mentions.files.keys(),
            rows=frozenset(dataset.stamp.filename for entry, _ in entries for dataset in entry.datasets),
            bases=frozenset(bases | wholes),
            checkpoints=frozenset(map(_all_but_the_last_part, wholes)),
        )

    def why_job_stays(self, job: RemoteJob) -> Reference | None:
        """Return why a running job of no spec is not cancelled; None when nothing names it."""
        if job.is_known_by_name:
            return _known_by_name(job.id)
        return self.addresses.get(job.address) or self.jobs.get(job.id)

    def why_model_stays(self, job: RemoteJob) -> Reference | None:
        """Return why the model of a job of no spec is not deleted; None when nothing names it."""
        assert job.model is not None
        if found := self.addresses.get(job.address) or self.jobs.get(job.id) or self.models.get(job.model):
            return found
        if self._is_built_on(job.model):
            return Reference(why=_BASE)
        return _known_by_name(job.model) if job.is_known_by_name else None

    def names_file(self, file: RemoteFile) -> bool:
        """Return whether a file is one that anything names."""
        return plain_id(file.id) in self.files or (file.stamp is not None and file.stamp.filename in self.rows)

    def _is_built_on(self, model: ModelId) -> bool:
        """Return whether something is built on a model, or on one of its checkpoints.

        A checkpoint's id has its own last part on some services. So a checkpoint holds every model of the same base,
        organisation and suffix.
        """
        plain = plain_id(model)
        return plain in self.bases or _all_but_the_last_part(plain) in self.checkpoints


def _is_here(entry: LockEntry, provider: str, observed: Observed) -> bool:
    # One service may have several addresses, so a lock entry of the same profile counts as one of this service.
    return entry.service == observed.service or entry.provider == provider


def _describe_own(entry: LockEntry) -> Reference:
    return Reference(why=f"the lock file names it for {entry.address}")


def _describe_other(entry: LockEntry, other: OtherLock, scope: CommandScope) -> Reference:
    there = msgspec.structs.replace(scope, environment=other.environment)
    return Reference(
        why=f"{other.file} names it",
        hint=f"if that environment does not need it any more: {there.call('forget', entry.address.name)}",
    )


def _list_mentioned_jobs(observed: Observed, mentions: Mentions) -> Iterator[tuple[JobId, Reference]]:
    """Yield the jobs that a file of the repository names, by their own id or by that of their model."""
    for job in observed.jobs:
        for thing in (job.id, job.model):
            if thing and (file := mentions.files.get(plain_id(thing))):
                yield job.id, Reference(why=f"{file} names {thing}", hint="take it out there if nothing needs it")


def list_jobs_of_others(
    desired: Desired, observed: Observed, lock: Lock, scope: CommandScope
) -> Iterator[tuple[JobId, Reference]]:
    """Yield the jobs that another environment created, or may have created, and why they stay.

    A job that says nothing is older than the mark, or on a service whose jobs bear none. Where the project has
    environments, it counts as this one's only if the lock file of this one names it.
    """
    project, ours = desired.project, {entry.job for entry in lock.of(observed.service)}
    for job in observed.jobs:
        if job.environment is None and project.environments and job.id not in ours:
            yield job.id, _describe_unknown(job, scope)
        elif job.environment is not None and job.environment != (project.environment or ""):
            yield job.id, _describe_made(job.environment, project.environments, scope)


def _describe_made(environment: str, known: Collection[str], scope: CommandScope) -> Reference:
    if environment and environment not in known:
        why, hint = (
            f"the environment {environment} made it, which the Project does not name",
            "name it there, and then ",
        )
    else:
        why = f"the environment {environment} made it" if environment else "an apply without --env made it"
        hint = ""
    there = msgspec.structs.replace(scope, environment=environment)
    return Reference(why=why, hint=f"{hint}remove it in that environment: {there.plan(options=Options(prune=True))}")


def _describe_unknown(job: RemoteJob, scope: CommandScope) -> Reference:
    if job.status.is_active:
        hint = f"if no environment needs it: {scope.call('cancel', job.id)}"
    else:
        hint = "if no environment needs it, delete it on the service"
    return Reference(why="it may belong to another environment: its job does not say which one made it", hint=hint)


def _known_by_name(thing: str) -> Reference:
    why = f"the label of its job is gone, so {thing} may be another project's of the same name"
    return Reference(why=why, hint="delete it on the service if it is yours")


def _all_but_the_last_part(model: str) -> str:
    return model.rpartition(":")[0] or model


def keep_unmarked_orphans(desired: Desired, observed: Observed, lock: Lock, scope: CommandScope) -> Iterator[Keep]:
    """Yield the models that no spec names and the lock file alone knows, such as adopted ones. None is removed."""
    for entry in find_departed(lock, {model.address for model in desired.models}, observed):
        command = scope.call("forget", entry.address.name)
        yield Keep(
            address=entry.address,
            why=KeepReason.ORPHAN,
            job=entry.job,
            model=entry.model,
            detail="only the lock file names it, and its job bears no mark of this project or is no longer listed",
            hint=f"name it in a spec again, or take it out of the lock file: {command}",
        )


def list_heirs(
    desired: Desired, keeps: Collection[Keep], jobs: Mapping[Address, Sequence[RemoteJob]], models: frozenset[ModelId]
) -> Iterator[Address]:
    """Yield the wanted models that have nothing that answers yet, under any version.

    Each may be the new name of a model that no spec names any more: a rename without `moved`. Until it has succeeded,
    the old model may be the one that applications call. A suspended model counts only where an orphan was made of the
    same recipe and rows, because it may stay suspended for ever.
    """
    wanted = {model.address for model in desired.models}
    ready = {keep.address for keep in keeps if keep.model and keep.model in models}
    orphans = {job.own_stamp.digest.short for address, each in jobs.items() if address not in wanted for job in each}
    for model in desired.models:
        answers = any(job.model in models for job in jobs.get(model.address, ()) if job.model)
        if model.address in ready or answers:
            continue
        if not model.is_suspended or any(stamp.digest.short in orphans for stamp in model.stamps):
            yield model.address
