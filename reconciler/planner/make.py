"""Make a plan: decide, explain, order, apply the policies. This module holds no rule of its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from reconciler.domain.cost import PriceTable
from reconciler.domain.desired import Desired, Model
from reconciler.domain.identity import Address
from reconciler.domain.lock import Lock, Mentions, OtherLock
from reconciler.domain.observed import Observed, RemoteJob
from reconciler.domain.plan import Action, CommandScope, Keep, KeepReason, Options, Plan, Promote, Train
from reconciler.domain.ports import Capabilities
from reconciler.planner.cost import add_estimates, budget_refusals, estimate, price_digest
from reconciler.planner.decide import Decision, Pruning, decide, decide_orphan, decide_orphan_files
from reconciler.planner.inputs import collect_inputs
from reconciler.planner.order import find_uploads, order_steps
from reconciler.planner.policy import PlanningState, refusals
from reconciler.planner.reasons import explain_changes
from reconciler.planner.references import (
    References,
    keep_undeletable,
    keep_unmarked_orphans,
    list_heirs,
    list_jobs_of_others,
)
from reconciler.planner.unmarked import count_out_unmarked
from reconciler.planner.validation_rows import find_other_rows, validation_warnings
from reconciler.planner.warnings import (
    beside_warnings,
    carrier_warnings,
    closing_warnings,
    idle_requests,
    lock_warnings,
    mention_warnings,
    note_warnings,
    origin_warnings,
    plan_warnings,
)

NO_OPTIONS = Options()
NO_LOCK = Lock()
NO_MENTIONS = Mentions()
NO_CAPABILITIES = Capabilities()
NO_SCOPE = CommandScope()


def make_plan(
    desired: Desired,
    observed: Observed,
    *,
    lock: Lock = NO_LOCK,
    other_locks: Sequence[OtherLock] = (),
    mentions: Mentions = NO_MENTIONS,
    options: Options = NO_OPTIONS,
    provider: str = "local",
    capabilities: Capabilities = NO_CAPABILITIES,
    version: str = "",
    prices: Sequence[PriceTable] = (),
    scope: CommandScope = NO_SCOPE,
    origin: str = "",
) -> Plan:
    """Return everything that a run would do, keep and refuse, with reasons.

    Shape:  the same inputs give the same plan in the same order, and time is no input; `other_locks` are those of the
            environments beside, whose models are not pruned, as what other files name by `mentions`; of several
            `prices` for one base the first counts; hints write their commands for the `scope`; `origin` is a digest of
            where the specs come from
    """
    jobs = _by_address(observed)
    wanted = [model for model in desired.models if not options.target or model.name in options.target]
    ours = frozenset(lock.cancelled).union(*(other.lock.cancelled for other in other_locks))
    locked = {entry.address: entry for entry in lock.of(observed.service)}
    other_rows = find_other_rows(wanted, jobs, observed)
    elsewhere = dict(list_jobs_of_others(desired, observed, lock, scope))
    decisions = [
        decision
        for model in wanted
        for decision in decide(
            model, jobs[model.address], observed.models, options, ours, locked.get(model.address), other_rows, elsewhere
        )
    ]
    if not options.target:
        kept = [decision for decision in decisions if isinstance(decision, Keep)]
        named = References.gather(
            desired, observed, lock, other_locks, kept, elsewhere, mentions, provider=provider, scope=scope
        )
        pruning = Pruning(
            is_asked=options.prune or desired.project.policy.prune,
            references=named,
            kept=frozenset(keep.job for keep in kept if keep.job),
            heirs=tuple(list_heirs(desired, kept, jobs, observed.models)),
            undeletable=None if capabilities.deletes_models else keep_undeletable(provider),
        )
        decisions += _orphans(desired, observed, jobs, pruning)
        decisions += keep_unmarked_orphans(desired, observed, lock, scope)
    keeps = [decision for decision in decisions if isinstance(decision, Keep)]
    chosen: list[Action] = [
        count_out_unmarked(decision, observed, options) if isinstance(decision, Train) else decision
        for decision in decisions
        if not isinstance(decision, Keep)
    ]
    actions = (
        *find_uploads((action for action in chosen if isinstance(action, Train)), observed),
        *chosen,
        *_promotions(keeps, observed, lock, desired.project.environment),
    )
    steps = add_estimates(
        order_steps(actions, lambda model: explain_changes(model, jobs[model.address])), provider, prices
    )
    later = add_estimates(order_steps(_begun_later(wanted, keeps), lambda _: ()), provider, prices)
    grounds = collect_inputs(
        desired, observed, lock, other_locks, mentions, options, provider=provider, version=version
    )
    grounds = replace(grounds, prices=price_digest(steps))
    return Plan(
        project=desired.project.name,
        environment=desired.project.environment,
        provider=provider,
        service=observed.service,
        basis=grounds.basis,
        inputs=grounds,
        steps=steps,
        kept=tuple(sorted(keeps, key=lambda keep: keep.address)),
        refused=refusals(
            PlanningState(
                desired=desired,
                observed=observed,
                lock=lock,
                options=options,
                actions=tuple(actions),
                provider=provider,
                capabilities=capabilities,
                scope=scope,
                origin=origin,
            )
        )
        + budget_refusals(desired.project.policy, (*steps, *later), options),
        warnings=(
            *plan_warnings(wanted, observed, options, provider, capabilities),
            *validation_warnings(wanted, keeps, other_rows, lambda model: estimate(model, provider, prices).cost),
            *idle_requests(keeps, options),
            *mention_warnings(mentions),
            *beside_warnings(wanted, jobs, elsewhere, scope),
            *origin_warnings(desired, observed, origin),
            *lock_warnings(desired, observed, lock),
            *note_warnings((action.model for action in chosen if isinstance(action, Train)), observed, scope),
            *closing_warnings(sum(isinstance(action, Train) for action in actions), provider, capabilities),
            *carrier_warnings(sum(isinstance(action, Train) for action in actions), observed, provider, capabilities),
        ),
    )


def _begun_later(models: Iterable[Model], keeps: Iterable[Keep]) -> tuple[Train, ...]:
    """Return what an apply begins after an older version has ended: the policy decides about it now, not then."""
    busy = {keep.address for keep in keeps if keep.why is KeepReason.BUSY}
    return tuple(Train(model=model) for model in models if model.address in busy)


def _by_address(observed: Observed) -> Mapping[Address, Sequence[RemoteJob]]:
    found: dict[Address, list[RemoteJob]] = defaultdict(list)
    for job in observed.jobs:
        found[job.address].append(job)
    return found


def _orphans(
    desired: Desired, observed: Observed, jobs: Mapping[Address, Sequence[RemoteJob]], pruning: Pruning
) -> Iterator[Decision]:
    named = {model.address for model in desired.models}
    for address in sorted(jobs.keys() - named):
        # A job that a wanted model keeps under its own name has its decision already.
        others = [job for job in jobs[address] if job.id not in pruning.kept]
        yield from decide_orphan(address, others, observed.models, pruning)
    declared = frozenset(desired.declared) | {dataset.spec.name for dataset in desired.datasets}
    yield from decide_orphan_files(observed.files, observed, declared, pruning)


def _promotions(keeps: list[Keep], observed: Observed, lock: Lock, environment: str | None) -> Iterator[Promote]:
    answering = {job.id: job for job in observed.jobs}
    locked = {entry.address: entry.model for entry in lock.of(observed.service)}
    for keep in keeps:
        before = locked.get(keep.address)
        # A model that another environment trained is promoted by the lock alone, so its first time is a step too.
        is_new = before is None and environment is not None and keep.job in answering
        if keep.why is KeepReason.READY and keep.job and keep.model and (is_new or (before and before != keep.model)):
            yield Promote(job=answering[keep.job], model=keep.model, instead_of=before)
