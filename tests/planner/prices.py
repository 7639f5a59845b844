"""Price tables for tests, and what a job costs by them."""

from decimal import Decimal

from msgspec.structs import replace

from reconciler.domain.cost import AutoEpochs, Cost, Estimate, Per, PriceTable, Rate
from reconciler.domain.desired import Dataset, Model
from reconciler.planner.cost import estimate
from tests.factories import a_dataset, a_model

MINI = "gpt-4.1-mini-2025-04-14"


def a_rate(usd: str = "5.00", *bases: str, method: str = "supervised", per: Per = Per.TOKENS, least: str = "0") -> Rate:
    """What one base costs."""
    return Rate(bases=bases or (MINI,), methods=(method,), usd=Decimal(usd), per=per, minimum_usd=Decimal(least))


def a_table(*rates: Rate, service: str = "openai", auto: AutoEpochs | None = None, free: str = "") -> PriceTable:
    """The prices of one service."""
    return PriceTable(
        service=service, dated="2026-09", source="a price list", free=free, auto_epochs=auto, rates=rates or (a_rate(),)
    )


def sized(size_bytes: int, rows: int = 200) -> Dataset:
    """A dataset of a size."""
    dataset = a_dataset(count=rows)
    return replace(dataset, measure=replace(dataset.measure, size_bytes=size_bytes))


def a_job_for(model: Model | None = None, *tables: PriceTable) -> Estimate:
    """What one job is estimated to be; without a model, three epochs over 9,000,000 bytes."""
    return estimate(model or a_model(training=sized(9_000_000), epochs=3), "openai", tables)


def ends(cost: Cost) -> tuple[str | None, ...]:
    """Low, expected and high as texts."""
    return tuple(None if end is None else f"{end.normalize():f}" for end in (cost.low, cost.expected, cost.high))
