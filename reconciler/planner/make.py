"""Composes a plan: decide chooses, policy permits, order sequences, explain states. Holds no rule of its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from reconciler.domain.desired import Desired
from reconciler.domain.identity import Address, digest_of
from reconciler.domain.lock import Lock
from reconciler.domain.observed import Observed, RemoteJob
from reconciler.domain.plan import Action, Basis, Keep, Options, Plan, Promote, Train, Why
from reconciler.domain.ports import Capabilities
from reconciler.domain.prices import PriceTable
from reconciler.planner.budget import over_budget
from reconciler.planner.decide import Decision, decide, decide_orphan, decide_orphan_files
from reconciler.planner.explain import explain
from reconciler.planner.order import order, uploads
from reconciler.planner.policy import Picture, refusals
from reconciler.planner.price import price_digest, priced
from reconciler.planner.warnings import closing, warnings

NOTHING_ASKED = Options()
NOTHING_LOCKED = Lock()
NOTHING_DECLARED = Capabilities()


def make_plan(
    desired: Desired,
    observed: Observed,
    *,
    lock: Lock = NOTHING_LOCKED,
    options: Options = NOTHING_ASKED,
    provider: str = "local",
    capabilities: Capabilities = NOTHING_DECLARED,
    version: str = "",
    prices: Sequence[PriceTable] = (),
) -> Plan:
    """Give everything a run would do, keep and refuse, with reasons.

    Shape:  same inputs give the same plan, in the same order; time is not among them; of `prices` that hold for one
            base the first counts
    """
    jobs = _by_address(observed)
    wanted = [model for model in desired.models if not options.target or model.name in options.target]
    ours = frozenset(lock.cancelled)
    locked = {entry.address: entry for entry in lock.of(observed.service)}
    decisions = [
        decision
        for model in wanted
        for decision in decide(model, jobs[model.address], observed.models, options, ours, locked.get(model.address))
    ]
    if not options.target:
        decisions += _orphans(desired, observed, jobs, options)
    keeps = [decision for decision in decisions if isinstance(decision, Keep)]
    chosen: list[Action] = [decision for decision in decisions if not isinstance(decision, Keep)]
    actions = (
        *uploads((action for action in chosen if isinstance(action, Train)), observed),
        *chosen,
        *_promotions(keeps, observed, lock),
    )
    steps = priced(order(actions, lambda model: explain(model, jobs[model.address])), provider, prices)
    return Plan(
        project=desired.project.name,
        provider=provider,
        service=observed.service,
        basis=replace(basis_of(desired, observed, lock, options, version), prices=price_digest(steps)),
        steps=steps,
        kept=tuple(sorted(keeps, key=lambda keep: keep.address)),
        refused=refusals(
            Picture(desired=desired, observed=observed, lock=lock, options=options, actions=tuple(actions))
        )
        + over_budget(desired.project.policy, steps, options),
        warnings=(
            *warnings(wanted, observed, options, provider, capabilities),
            *closing(sum(isinstance(action, Train) for action in actions), provider, capabilities),
        ),
    )


def basis_of(desired: Desired, observed: Observed, lock: Lock, options: Options, version: str) -> Basis:
    """Name each input of a plan by content.

    What a job does on its way (queued, running) is left out: it changes no decision.
    """
    models = {
        str(model.address): [str(model.stamp.digest), model.on_change, model.retries, model.is_suspended]
        for model in desired.models
    }
    policy, expect = desired.project.policy, desired.project.expect
    money = None if policy.max_cost_usd is None else f"{policy.max_cost_usd.normalize():f}"
    bounds = [policy.max_new_jobs, policy.max_change_percent, policy.prune, money, policy.max_epochs, policy.max_bytes]
    service = {
        "service": observed.service,
        "jobs": sorted([str(job.id), str(job.stamp), _rest_word(job)] for job in observed.jobs),
        "files": sorted(
            [str(file.id), file.filename, file.size_bytes] for file in observed.files if not file.is_broken
        ),
        "models": sorted(
            ({job.model for job in observed.jobs if job.model} | {entry.model for entry in lock.entries})
            & observed.models
        ),
        "doubts": observed.doubts,
        "contradictions": observed.contradictions,
        "gone": observed.gone,
        "locked": [[str(entry.stamp), entry.job, entry.model] for entry in lock.of(observed.service)],
        "cancelled": sorted(lock.cancelled),
    }
    asked = [options.prune, *(sorted(each) for each in (options.retry, options.replace, options.target, options.allow))]
    return Basis(
        specs=str(
            digest_of({"project": desired.project.name, "models": models, "policy": bounds, "expect": asdict(expect)})
        ),
        service=str(digest_of(service)),
        options=str(digest_of({"options": asked})),
        version=version,
    )


def _rest_word(job: RemoteJob) -> str:
    return "active" if job.status.is_active else str(job.status)


def _by_address(observed: Observed) -> Mapping[Address, Sequence[RemoteJob]]:
    found: dict[Address, list[RemoteJob]] = defaultdict(list)
    for job in observed.jobs:
        found[job.address].append(job)
    return found


def _orphans(
    desired: Desired, observed: Observed, jobs: Mapping[Address, Sequence[RemoteJob]], options: Options
) -> Iterator[Decision]:
    prune = options.prune or desired.project.policy.prune
    named = {model.address for model in desired.models}
    bases = frozenset(model.recipe.base for model in desired.models) | {
        job.base for job in observed.jobs if job.status.is_active
    }
    for address in sorted(jobs.keys() - named):
        yield from decide_orphan(address, jobs[address], observed.models, bases, prune)
    declared = frozenset(desired.declared) | {dataset.spec.name for dataset in desired.datasets}
    yield from decide_orphan_files(observed.files, observed, declared, prune)


def _promotions(keeps: list[Keep], observed: Observed, lock: Lock) -> Iterator[Promote]:
    answering = {job.id: job for job in observed.jobs}
    locked = {entry.address: entry for entry in lock.of(observed.service)}
    for keep in keeps:
        entry = locked.get(keep.address)
        if keep.why is Why.READY and keep.job and keep.model and entry and entry.model != keep.model:
            yield Promote(job=answering[keep.job], model=keep.model, instead_of=entry.model)
