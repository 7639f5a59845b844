"""What the jobs of a plan cost: a line each, and the sum. What nobody knows says so, and is no zero."""

from decimal import Decimal

from reconciler.domain.cost import Cost, Estimate
from reconciler.domain.plan import Plan, Step, Train
from reconciler.render.html.builder import Html, Inside, element, html_table, join
from reconciler.render.terminal.cost import cost_text, tokens_text

MOST_JOBS = 500
"""Jobs that have a line; the sum is of all."""

_HEAD = ("job", "tokens", "low", "expected", "high")


def cost_html(plan: Plan) -> Html:
    """Return the table with where its prices are from; empty where nothing is trained."""
    jobs = [step for step in plan.steps if isinstance(step.action, Train)]
    if not jobs:
        return Html("")
    rows = [_line(step) for step in jobs[:MOST_JOBS]]
    if len(jobs) > MOST_JOBS:
        rows.append((f"… and {len(jobs) - MOST_JOBS:,} more", "", "", "", ""))
    whole = plan.cost
    notes = (whole.unknown, f"Prices: {whole.source}" + (f", {whole.dated}" if whole.dated else ""))
    return join(
        element("p", element("strong", cost_text(whole))),
        html_table("USD, by job", _HEAD, [*rows, ("in all", "", *_amounts(whole))], class_="numbers cost"),
        *(element("p", note, class_="dim") for note in notes if note != "Prices: "),
    )


def _line(step: Step) -> tuple[Inside, ...]:
    estimate = step.estimate
    return str(step.action.address), _tokens(estimate), *_amounts(estimate.cost if estimate else Cost())


def _tokens(estimate: Estimate | None) -> str:
    return tokens_text(estimate) if estimate else "unknown"


def _amounts(cost: Cost) -> tuple[str, str, str]:
    return _usd(cost.low), _usd(cost.expected), _usd(cost.high)


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"
