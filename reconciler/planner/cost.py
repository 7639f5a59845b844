"""What jobs cost, and whether the Project spec allows it. Prices come in as tables; none is written here.

billed      tokens of the training file × epochs × price of the base and method; validation is not billed
images      by the rule of the base: tokens for each, and for each tile that covers it; never as text
epochs      what the recipe states, else what the service's own rule gives for so many rows
tokens      as many as were counted, else a guess from the size of the file
unknown     a base, method or service without a price, a price by the hour, an unknown number of epochs
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec.structs import replace

from reconciler.domain.cost import Cost, Estimate, ImageRate, Per, PriceTable, Rate, Tokens, base_of, total
from reconciler.domain.desired import Measure, Model
from reconciler.domain.identity import digest_of
from reconciler.domain.plan import Options, Refusal, Step, Train, Upload
from reconciler.domain.spec import Policy, Recipe

FEWEST_TOKENS_BYTES = 10
MANY_TOKENS_BYTES = 2
_TWO_TOKENS_BYTES = 9
"""Bytes of canonical rows to a token: 10 in rows that are mostly frame, 4.5 as a rule, 2 in code, figures and scripts
that a tokenizer knows little of.

Source: counted with the two newest public encodings over 18 published files of chats and completions, which had 3.3
        to 8.4 with their frame; base64 and rare scripts have fewer than 2, and only a count is right for them
"""

_EPOCHS = "n_epochs"
_MILLION = Decimal(1_000_000)
_MOST_USD = Decimal(10) ** 15
"""A number of epochs may have a hundred digits, and then no cost that can be written out."""


def add_estimates(steps: Iterable[Step], service: str, tables: Collection[PriceTable]) -> tuple[Step, ...]:
    """Return the same steps, each job with its estimate."""
    return tuple(
        replace(step, estimate=estimate(step.action.model, service, tables)) if isinstance(step.action, Train) else step
        for step in steps
    )


def price_digest(steps: Iterable[Step]) -> str:
    """Return a digest of what the jobs of a plan cost; empty when there are none."""
    costs = {str(step.id): step.estimate.cost for step in steps if step.estimate}
    ends: dict[str, object] = {
        name: [_plain_amount(end) for end in (cost.low, cost.expected, cost.high)] for name, cost in costs.items()
    }
    return str(digest_of(ends)) if ends else ""


def estimate(model: Model, service: str, tables: Collection[PriceTable]) -> Estimate:
    """Return what training a model reads, how often, and what that costs.

    Shape:  the first of the `tables` counts first: the operator's before those of the program
    """
    ours = [table for table in tables if table.service == service]
    images = _image_rate(model, ours)
    tokens = tokens_of(model.training.measure, images)
    stated = _stated_epochs(model.recipe)
    epochs = _most_epochs(stated) if stated else _auto_epochs(model, ours)
    cost = _job_cost(model, tokens, epochs, service, ours)
    if model.training.measure.images and images is None and not cost.is_free:
        why = f"how {base_of(model.recipe.base)} bills images is not known"
        cost = replace(cost, expected=None, high=None, unknown="; ".join(filter(None, (cost.unknown, why))))
    return Estimate(tokens=tokens, epochs=epochs, is_stated=bool(stated) and epochs is not None, cost=cost)


def _stated_epochs(recipe: Recipe) -> tuple[object, ...]:
    """Return every number of epochs that a recipe states: as its hyperparameter, and as what it passes through."""
    own, passed = dict(recipe.hyperparameters).get(_EPOCHS), json.loads(recipe.extra).get(_EPOCHS)
    return tuple(each for each in (own, passed) if each is not None)


def _most_epochs(stated: Sequence[object]) -> int | None:
    """Return the largest number of epochs that a recipe states; None where one of them is no number."""
    numbers = [each for each in stated if isinstance(each, int | float) and not isinstance(each, bool)]
    return math.ceil(max(numbers)) if len(numbers) == len(stated) else None


def tokens_of(measure: Measure, rate: ImageRate | None = None) -> Tokens:
    """Return the tokens of a file: those of its texts, counted or estimated from their size, and of its images.

    Shape:  without a rate, images have none
    """
    text, images = _text_tokens(measure), measure.images
    if images is None or rate is None:
        return text
    ends = (images.least_tiles, images.tiles, images.most_tiles)
    return text.plus(*(images.count * rate.tokens + tiles * rate.tile_tokens for tiles in ends))


def _text_tokens(measure: Measure) -> Tokens:
    if measure.tokens is not None:
        return Tokens.from_count(measure.tokens)
    size_bytes = measure.size_bytes - (measure.images.size_bytes if measure.images else 0)
    return Tokens(
        low=size_bytes // FEWEST_TOKENS_BYTES,
        expected=round(size_bytes * 2 / _TWO_TOKENS_BYTES),
        high=-(-size_bytes // MANY_TOKENS_BYTES),
    )


def _plain_amount(amount: Decimal | None) -> str | None:
    # 1.50 and 1.5 are one price.
    return None if amount is None else f"{amount.normalize():f}"


def _image_rate(model: Model, tables: Iterable[PriceTable]) -> ImageRate | None:
    base = base_of(model.recipe.base)
    return next((rate for table in tables for rate in table.images if base in rate.bases), None)


def _auto_epochs(model: Model, tables: Iterable[PriceTable]) -> int | None:
    rule = next((table.auto_epochs for table in tables if table.auto_epochs), None)
    return rule.epochs_for(model.training.measure.rows) if rule else None


def _job_cost(model: Model, tokens: Tokens, epochs: int | None, service: str, tables: list[PriceTable]) -> Cost:
    base, method = base_of(model.recipe.base), model.recipe.method
    for table in tables:
        if table.free:
            return Cost(low=Decimal(), expected=Decimal(), high=Decimal(), source=table.free, dated=table.dated)
        for rate in table.rates:
            if base in rate.bases and method in rate.methods:
                return _at(rate, table, tokens, epochs)
    if not tables:
        return Cost(unknown=f"there is no table of prices for {service}")
    return Cost(unknown=f"no price is known for {method} training of {base} on {service}")


def _at(rate: Rate, table: PriceTable, tokens: Tokens, epochs: int | None) -> Cost:
    least = rate.minimum_usd or None
    if rate.per is Per.HOUR:
        why = f"{rate.usd:f} USD an hour, and the duration is unknown"
        return Cost(low=least, source=table.source, dated=table.dated, unknown=why)
    if epochs is None:
        why = "the service chooses the number of epochs; state hyperparameters.n_epochs to know"
        return Cost(low=least, source=table.source, dated=table.dated, unknown=why)
    each = rate.usd * epochs / _MILLION
    if max(rate.minimum_usd, tokens.high * each) > _MOST_USD:
        why = "it would be more than any job costs; look at the number of epochs, and at the prices"
        return Cost(low=least, source=table.source, dated=table.dated, unknown=why)
    return Cost(
        low=max(rate.minimum_usd, tokens.low * each),
        expected=max(rate.minimum_usd, tokens.expected * each),
        high=max(rate.minimum_usd, tokens.high * each),
        source=table.source,
        dated=table.dated,
    )


UNKNOWN_COST = "unknown-cost"
"""The guard for a plan with a cost limit and a job of unknown cost."""

_RAISE = "raise policy.{} in the Project spec, or take fewer with --target"


def budget_refusals(policy: Policy, steps: Sequence[Step], options: Options) -> tuple[Refusal, ...]:
    """Return what the limits of the Project spec refuse, without what the operator allowed by name."""
    found = (*_cost_refusals(policy, steps), *_epoch_refusals(policy, steps), *_byte_refusals(policy, steps))
    return tuple(refusal for refusal in found if not refusal.guard or refusal.guard not in options.allow)


def _cost_refusals(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    """Compare the high end of the known costs with the limit. An unknown cost is not zero."""
    bound = policy.max_cost_usd
    if bound is None:
        return
    costs = {str(step.action.address): step.estimate.cost for step in steps if step.estimate}
    unknown = {name: cost.unknown for name, cost in costs.items() if cost.high is None}
    # If the price of a job has no upper end, at least its lower end is certain.
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
            hint=f"state its price with --prices FILE, or accept any cost with --allow {UNKNOWN_COST}",
        )


def _epoch_refusals(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    bound = policy.max_epochs
    for step in steps if bound is not None else ():
        if not isinstance(step.action, Train) or step.estimate is None:
            continue
        epochs, name = step.estimate.epochs, step.action.address
        if epochs is None:
            yield Refusal(
                policy="max_epochs",
                what=f"policy.max_epochs is {bound}, and the number for {name} is unknown",
                hint=f"state hyperparameters.n_epochs in {name}",
            )
        elif bound is not None and epochs > bound:
            stated = "" if step.estimate.is_stated else ", by the rule of the service"
            yield Refusal(
                policy="max_epochs",
                what=f"{name} would take {epochs} epochs{stated}; policy.max_epochs is {bound}",
                hint=f"state fewer in {_epochs_field(step.action.model.recipe)},"
                " or raise policy.max_epochs in the Project spec",
            )


def _epochs_field(recipe: Recipe) -> str:
    return f"extra.{_EPOCHS}" if _EPOCHS in json.loads(recipe.extra) else f"hyperparameters.{_EPOCHS}"


def _byte_refusals(policy: Policy, steps: Sequence[Step]) -> Iterator[Refusal]:
    bound = policy.max_bytes
    size = sum(step.action.dataset.measure.size_bytes for step in steps if isinstance(step.action, Upload))
    if bound is not None and size > bound:
        yield Refusal(
            policy="max_bytes",
            what=f"{size:,} bytes would be uploaded; policy.max_bytes is {bound:,}",
            hint=_RAISE.format("max_bytes"),
        )
