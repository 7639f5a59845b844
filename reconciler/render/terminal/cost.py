"""What a plan costs, as people read it: a line or two for each job, and one for all of them."""

from collections.abc import Iterator

from reconciler.domain.cost import Cost, Estimate
from reconciler.domain.plan import Plan, Step
from reconciler.render.sanitize import clean
from reconciler.render.terminal.fields import StepField, value_field
from reconciler.render.terminal.layout import wrap


def estimate_fields(step: Step) -> list[StepField]:
    """Return the fields of one job; none where nothing is paid, or nothing is known of it."""
    estimate = step.estimate
    if estimate is None or estimate.cost.is_free:
        return []
    return [value_field("tokens", tokens_text(estimate), " "), value_field("cost", cost_text(estimate.cost), " ")]


def tokens_text(estimate: Estimate) -> str:
    """Say how much a job has to read, and how often: `2,000 counted × 3 epochs`."""
    tokens = estimate.tokens
    how = f"{tokens.expected:,} counted" if tokens.exact else f"{tokens.low:,}–{tokens.high:,} (estimate)"
    chosen = "" if estimate.is_stated else " (auto)"
    epochs = f" × {estimate.epochs} {'epoch' if estimate.epochs == 1 else 'epochs'}{chosen}" if estimate.epochs else ""
    return how + epochs


def cost_lines(plan: Plan, width: int) -> Iterator[str]:
    """Yield the lines that sum up what a plan costs; none where it trains nothing."""
    if plan.trains:
        cost = plan.cost
        why = "; ".join(filter(None, [cost.unknown, _source(cost)]))
        yield from wrap(clean(f"Cost: {cost_text(cost)}" + (f" ({why})" if why else "")), width, rest="  ")


def cost_text(cost: Cost) -> str:
    """Say a cost with what is most likely: `4.10–4.90 USD, expected 4.40 USD`."""
    low_is_high = cost.low == cost.high
    expected = "" if cost.expected is None or low_is_high else f", expected {cost.expected_text}"
    return f"{cost}{expected}"


def _source(cost: Cost) -> str:
    return f"{cost.source}, {cost.dated}" if cost.source and not cost.is_free else cost.source
