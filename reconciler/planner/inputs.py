"""Name every input of a plan by content, object by object. What changes no decision is left out."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from reconciler.domain.basis import Facts, PlanInputs
from reconciler.domain.desired import Dataset, Desired, Model
from reconciler.domain.identity import digest_of
from reconciler.domain.lock import Lock, Mentions, OtherLock
from reconciler.domain.observed import CANCELLED, Observed, RemoteJob
from reconciler.domain.plan import Options
from reconciler.domain.spec import ProjectSpec, recipe_facts


def collect_inputs(
    desired: Desired,
    observed: Observed,
    lock: Lock,
    other_locks: Sequence[OtherLock],
    mentions: Mentions,
    options: Options,
    *,
    provider: str,
    version: str,
) -> PlanInputs:
    """Return what a plan rests on, except its prices.

    The states of an active job (queued, running) count as one, because they change no decision. What other files name
    decides only where something is pruned.
    """
    prunes = options.prune or desired.project.policy.prune
    return PlanInputs(
        environment=desired.project.environment or "",
        provider=provider,
        version=version,
        specs=_sort(chain(_spec_facts(desired), _environment_facts(desired.project) if prunes else ())),
        rows=_sort((str(each.stamp.address), str(each.measure.digest)) for each in desired.datasets),
        lock=_sort(
            chain(
                _lock_facts(lock, observed.service),
                _other_facts(other_locks) if prunes else (),
                _mention_facts(mentions),
                _cancelled_facts(other_locks, observed),
            )
        ),
        service=_sort(_service_facts(observed, lock)),
        options=_sort(_option_facts(options)),
    )


def _sort(facts: Iterable[tuple[str, str]]) -> Facts:
    return tuple(sorted(facts))


def _spec_facts(desired: Desired) -> Iterator[tuple[str, str]]:
    yield f"project {desired.project.name}", _project_digest(desired.project)
    for model in desired.models:
        yield str(model.address), _model_digest(model)
    for dataset in desired.datasets:
        yield str(dataset.stamp.address), _dataset_digest(dataset)
    # Whether a spec still names a dataset decides about its files, even if no model uses it.
    yield from ((f"dataset {name} declared", "yes") for name in desired.declared)


def _environment_facts(project: ProjectSpec) -> Iterator[tuple[str, str]]:
    yield from ((f"environment {name}", "declared") for name in project.environments)


def _project_digest(project: ProjectSpec) -> str:
    policy = project.policy
    money = None if policy.max_cost_usd is None else f"{policy.max_cost_usd.normalize():f}"
    return str(
        digest_of(
            {
                "policy": {**msgspec.to_builtins(policy), "max_cost_usd": money},
                "expect": msgspec.to_builtins(project.expect),
            }
        )
    )


def _model_digest(model: Model) -> str:
    data = [each.stamp.address.name for each in model.datasets]
    adopted = [model.adopt.job, str(model.adopt.digest)] if model.adopt else []
    ways = [model.on_change, model.retries, model.is_suspended, adopted]
    return str(digest_of({**recipe_facts(model.recipe), "datasets": data, "ways": ways}))


def _dataset_digest(dataset: Dataset) -> str:
    spec = dataset.spec
    mapping = msgspec.to_builtins(spec.mapping) if spec.mapping else None
    return str(
        digest_of({"format": spec.format, "mapping": mapping, "sheet": spec.sheet, "split": spec.validation_share})
    )


def _lock_facts(lock: Lock, service: str) -> Iterator[tuple[str, str]]:
    for entry in lock.of(service):
        yield str(entry.address), f"{entry.model} of job {entry.job} ({entry.stamp.digest})"
    yield from ((f"job {job}", "cancelled") for job in lock.cancelled)


def _other_facts(other_locks: Sequence[OtherLock]) -> Iterator[tuple[str, str]]:
    for other in other_locks:
        yield from (
            (f"{entry.address} in {other.file}", f"{entry.model} of job {entry.job}") for entry in other.lock.entries
        )


def _mention_facts(mentions: Mentions) -> Iterator[tuple[str, str]]:
    yield from ((f"{thing} in another file", "named") for thing in mentions.files)


def _cancelled_facts(other_locks: Sequence[OtherLock], observed: Observed) -> Iterator[tuple[str, str]]:
    cancelled = {job.id for job in observed.jobs if job.status == CANCELLED}
    for other in other_locks:
        yield from ((f"job {job} in {other.file}", "cancelled") for job in other.lock.cancelled if job in cancelled)


def _service_facts(observed: Observed, lock: Lock) -> Iterator[tuple[str, str]]:
    yield "the service", observed.service
    for job in observed.jobs:
        yield f"job {job.id} of {job.stamp}", _state_word(job)
    for file in observed.files:
        if not file.is_broken:
            yield f"file {file.id}", f"{file.filename} of {file.size_bytes or 0} bytes"
    known = {job.model for job in observed.jobs if job.model} | {entry.model for entry in lock.entries}
    yield from ((f"model {model}", "there") for model in known & observed.models)
    yield from ((f"the doubt that {doubt}", "raised") for doubt in observed.list_warnings)
    yield from ((f"the marks of {each}", "contradictory") for each in observed.contradictions)
    yield from ((f"job {job.id} without marks", "there") for job in observed.unmarked)
    yield from ((f"job {claim.job} of {claim.stamp}", claim.doubt) for claim in observed.claimed)
    yield from ((f"locked job {job}", "not there") for job in observed.gone)


def _state_word(job: RemoteJob) -> str:
    return "active" if job.status.is_active else str(job.status)


def _option_facts(options: Options) -> Iterator[tuple[str, str]]:
    if options.prune:
        yield "--prune", "said"
    lists = {"retry": options.retry, "replace": options.replace, "target": options.target, "allow": options.allow}
    yield from ((f"--{flag} {name}", "said") for flag, names in lists.items() for name in names)
