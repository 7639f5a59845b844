"""What a plan may spend, by the bounds of the Project spec. Each adds refusals and removes nothing else."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from reconciler.domain.cost import total
from reconciler.domain.plan import Options, Refusal, Step, Train, Upload
from reconciler.domain.spec import Policy

UNKNOWN_COST = "unknown-cost"
"""The guard that stands where a bound is set and nobody can say what a job costs."""

_RAISE = "raise policy.{} in the Project spec, or take fewer with --target"


def over_budget(policy: Policy, steps: Sequence[Step], options: Options) -> tuple[Refusal, ...]:
    """Return what the bounds refuse, less what the operator allowed by name."""
    found = (*_cost(policy, steps), *_epochs(policy, steps), *_bytes(policy, steps))
    return tuple(refusal for refusal in found if not refusal.guard or refusal.guard not in options.allow)


def _cost(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    """The high end of what is known counts; what is unknown is no zero."""
    bound = policy.max_cost_usd
    if bound is None:
        return
    costs = {str(step.action.address): step.estimate.cost for step in steps if step.estimate}
    unknown = {name: cost.unknown for name, cost in costs.items() if cost.high is None}
    # Of a job whose price has no upper end at least the lower one is certain.
    ends = (cost.low if cost.high is None else cost.high for cost in costs.values())
    if sum((end for end in ends if end is not None), Decimal()) > bound:
        yield Refusal(
            policy="max_cost_usd",
            what=f"the jobs would cost {total(costs.values())}; policy.max_cost_usd is {bound:f}",
            hint=_RAISE.format("max_cost_usd"),
        )
    if unknown:
        reasons = "; ".join(f"{name}: {why}" for name, why in sorted(unknown.items()))
        yield Refusal(
            policy=UNKNOWN_COST,
            guard=UNKNOWN_COST,
            what=f"policy.max_cost_usd is {bound:f}, and a cost is unknown: {reasons}",
            hint=f"give its price with --prices FILE; if it may cost what it will, say --allow {UNKNOWN_COST}",
        )


def _epochs(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    bound = policy.max_epochs
    for step in steps if bound is not None else ():
        if not isinstance(step.action, Train) or step.estimate is None:
            continue
        epochs, name = step.estimate.epochs, step.action.address
        if epochs is None:
            yield Refusal(
                policy="max_epochs",
                what=f"policy.max_epochs is {bound}, and nobody can say how many {name} will take",
                hint=f"state hyperparameters.n_epochs in {name}",
            )
        elif bound is not None and epochs > bound:
            stated = "" if step.estimate.is_stated else ", as the service is expected to choose"
            yield Refusal(
                policy="max_epochs",
                what=f"{name} would take {epochs} epochs{stated}; policy.max_epochs is {bound}",
                hint="state fewer in hyperparameters.n_epochs, or raise policy.max_epochs in the Project spec",
            )


def _bytes(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    bound = policy.max_bytes
    size = sum(step.action.dataset.measure.size_bytes for step in steps if isinstance(step.action, Upload))
    if bound is not None and size > bound:
        yield Refusal(
            policy="max_bytes",
            what=f"{size:,} bytes would be uploaded; policy.max_bytes is {bound:,}",
            hint=_RAISE.format("max_bytes"),
        )
