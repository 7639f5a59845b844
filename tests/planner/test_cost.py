"""The costs of a job: tokens, epochs, prices, and unknown figures. Each case shows its computation."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.domain.cost import AutoEpochs, Cost, ImageRate, Per, Tokens, base_of, total
from reconciler.domain.desired import Images, Model
from reconciler.domain.plan import Plan
from reconciler.planner import make_plan
from reconciler.planner.cost import tokens_of
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed
from tests.planner.prices import MINI, a_job_for, a_rate, a_table, ends, sized

GUIDE = AutoEpochs(target=3, least_rows=100, most_rows=25000, least=1, most=25)


def test_tokens_come_from_the_size_with_an_error_bar() -> None:
    # 9,000 bytes: / 10 = 900, / 4.5 = 2,000, / 2 = 4,500.
    assert tokens_of(sized(9_000).measure) == Tokens(low=900, expected=2_000, high=4_500, exact=False)
    # 7 bytes: 0.7 goes down, 1.56 to the nearest, 3.5 up.
    assert tokens_of(sized(7).measure) == Tokens(low=0, expected=2, high=4)
    assert tokens_of(sized(0).measure) == Tokens(low=0, expected=0, high=0)


def test_a_count_has_no_error_bar() -> None:
    assert Tokens.from_count(7) == Tokens(low=7, expected=7, high=7, exact=True)


@pytest.mark.parametrize(
    ("size", "epochs", "usd", "worked"),
    [
        # 9 MB: 0.9, 2 and 4.5 million tokens. × 3 epochs × 5 USD = 13.5, 30, 67.5
        (9_000_000, 3, "5.00", ("13.5", "30", "67.5")),
        # once: a third of it
        (9_000_000, 1, "5.00", ("4.5", "10", "22.5")),
        # 45,000 bytes: 4,500, 10,000 and 22,500 tokens. × 4 × 0.40 / 10⁶ = 0.0072, 0.016, 0.036
        (45_000, 4, "0.40", ("0.0072", "0.016", "0.036")),
        # 18,000 bytes: 1,800, 4,000 and 9,000 tokens. × 2 × 25 / 10⁶ = 0.09, 0.2, 0.45
        (18_000, 2, "25.00", ("0.09", "0.2", "0.45")),
    ],
)
def test_a_cost_is_tokens_times_epochs_times_price(size: int, epochs: int, usd: str, worked: tuple[str, ...]) -> None:
    model = a_model(training=sized(size), epochs=epochs)
    assert ends(a_job_for(model, a_table(a_rate(usd))).cost) == worked


def test_validation_is_not_billed() -> None:
    plain = a_model(epochs=3)
    held_out = replace(plain, validation=a_dataset("held-out", "held out", count=10_000))
    assert a_job_for(plain, a_table()).cost == a_job_for(held_out, a_table()).cost


@pytest.mark.parametrize(
    ("rows", "epochs"),
    # 3 × 10 < 100: 100 // 10. 100 // 3 = 33, but 25 at most. 3 × 33 = 99 < 100: 100 // 33. 3 × 34 = 102.
    # 3 × 8,333 = 24,999. 3 × 8,334 = 25,002 > 25,000: 25,000 // 8,334. 25,000 // 30,000 = 0, but 1 at least.
    [(10, 10), (3, 25), (33, 3), (34, 3), (100, 3), (8_333, 3), (8_334, 2), (12_501, 1), (30_000, 1), (0, 3)],
)
def test_the_guides_rule_chooses_epochs(rows: int, epochs: int) -> None:
    assert GUIDE.epochs_for(rows) == epochs
    found = a_job_for(a_model(training=sized(9_000, rows)), a_table(auto=GUIDE))
    assert (found.epochs, found.is_stated) == (epochs, False)


def test_epochs_that_are_stated_are_not_chosen() -> None:
    found = a_job_for(a_model(training=sized(9_000, 10), epochs=2), a_table(auto=GUIDE))
    assert (found.epochs, found.is_stated) == (2, True)


def test_a_rule_of_one_number_holds_for_any_rows() -> None:
    assert [AutoEpochs(target=4).epochs_for(rows) for rows in (1, 1_000, 1_000_000)] == [4, 4, 4]


def test_unknown_epochs_leave_the_cost_unknown() -> None:
    found = a_job_for(a_model(), a_table())
    assert found.epochs is None
    assert ends(found.cost) == (None, None, None)
    assert "n_epochs" in found.cost.unknown


@pytest.mark.parametrize("epochs", [10**30, 10**99])
def test_a_cost_too_large_to_write_out_is_unknown(epochs: int) -> None:
    found = a_job_for(a_model(training=sized(9_000), epochs=epochs), a_table())
    assert found.epochs == epochs
    assert found.cost.high is None
    assert "number of epochs" in found.cost.unknown
    assert str(found.cost) == "unknown"


@pytest.mark.parametrize("amount", ["1e999999999", "1e21", "-1e30", "NaN", "Infinity"])
def test_an_amount_that_is_no_money_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="no amount of money"):
        Cost(low=Decimal(amount))


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("ft:gpt-4.1-mini-2025-04-14:acme:triage:AxK9", "gpt-4.1-mini-2025-04-14"),
        ("curie:ft-acme:triage-2022-02-15-04-21-04", "curie"),
        ("ft:", ""),
    ],
)
def test_a_model_that_was_fine_tuned_costs_what_its_base_costs(name: str, base: str) -> None:
    assert base_of(name) == base
    cost = a_job_for(a_model(base=name, epochs=1), a_table(a_rate("5", base or "no base"))).cost
    assert (cost.high is not None) is bool(base)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (a_model(base="llama", epochs=1), "no price is known for supervised training of llama on openai"),
        (
            replace(a_model(epochs=1), recipe=replace(a_model(epochs=1).recipe, method="dpo")),
            "no price is known for dpo training of gpt-4.1-mini-2025-04-14 on openai",
        ),
    ],
)
def test_a_base_or_method_without_a_price_is_unknown_and_never_zero(model: object, why: str) -> None:
    cost = a_job_for(model, a_table()).cost  # type: ignore[arg-type]  # a model, by its parameter
    assert (ends(cost), cost.unknown) == ((None, None, None), why)


def test_a_service_without_a_table_is_unknown_whatever_others_cost() -> None:
    cost = a_job_for(None, a_table(service="elsewhere")).cost
    assert (cost.high, cost.unknown) == (None, "there is no table of prices for openai")


def test_a_price_by_the_hour_has_no_upper_end() -> None:
    cost = a_job_for(None, a_table(a_rate("100", per=Per.HOUR))).cost
    assert ends(cost) == (None, None, None)
    assert cost.unknown.startswith("100 USD an hour")
    assert ends(a_job_for(None, a_table(a_rate("100", per=Per.HOUR, least="7"))).cost) == ("7", None, None)


def test_the_smallest_job_has_its_price() -> None:
    # 13.5, 30 and 67.5 without it.
    assert ends(a_job_for(None, a_table(a_rate(least="20"))).cost) == ("20", "30", "67.5")


def test_the_table_that_comes_first_counts_and_leaves_the_others_bases_alone() -> None:
    own, shipped = a_table(a_rate("1.00")), a_table(a_rate("5.00"), a_rate("2.00", "other"), auto=GUIDE)
    # 9 MB × 3 epochs × 1 USD: 2.7, 6, 13.5; the other base × 2 USD: 5.4, 12, 27.
    assert ends(a_job_for(None, own, shipped).cost) == ("2.7", "6", "13.5")
    other = a_model(base="other", training=sized(9_000_000))
    assert ends(a_job_for(other, own, shipped).cost) == ("5.4", "12", "27")


def test_free_is_zero_with_a_reason() -> None:
    cost = a_job_for(a_model(base="anything"), a_table(free="it runs on our own machines")).cost
    assert (cost.is_free, str(cost), cost.source) == (True, "free", "it runs on our own machines")


def test_a_cost_says_where_its_price_is_from_and_of_when() -> None:
    cost = a_job_for(None, a_table()).cost
    assert (cost.source, cost.dated) == ("a price list", "2026-09")


KNOWN = Cost(low=Decimal("4.101"), expected=Decimal("4.5"), high=Decimal("4.891"))
UNKNOWN = Cost(unknown="nobody knows")


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        # The ends are rounded outwards, so that what is shown holds what was worked out.
        (KNOWN, "4.10–4.90 USD"),
        (Cost(low=Decimal(6), expected=Decimal(6), high=Decimal(6)), "6.00 USD"),
        (Cost(low=Decimal("0.001"), expected=Decimal("0.002"), high=Decimal("0.003")), "0.00–0.01 USD"),
        (Cost(low=Decimal(1000), expected=Decimal(2000), high=Decimal(3000)), "1,000.00–3,000.00 USD"),
        (UNKNOWN, "unknown"),
        (Cost(low=Decimal(4), unknown="by the hour"), "at least 4.00 USD"),
        (total((KNOWN, UNKNOWN)), "at least 4.10 USD"),
        (total((KNOWN, KNOWN)), "8.20–9.79 USD"),
        (total((UNKNOWN, UNKNOWN)), "unknown"),
    ],
)
def test_a_cost_in_words(cost: Cost, says: str) -> None:
    assert str(cost) == says


def test_a_sum_keeps_every_reason_once() -> None:
    found = total((UNKNOWN, KNOWN, UNKNOWN, Cost(unknown="another")))
    assert (found.low, found.expected, found.high) == (Decimal("4.101"), None, None)
    assert found.unknown == "another; nobody knows"


def planned(usd: str = "5", *, epochs: int = 3) -> Plan:
    tables = (a_table(a_rate(usd), a_rate("77", "never used")),)
    wanted = desired(a_model("one", training=sized(9_000_000), epochs=epochs), a_model("two", base="llama"))
    return make_plan(wanted, observed(a_file()), provider="openai", prices=tables)


def test_a_plan_prices_its_jobs_and_nothing_else() -> None:
    plan = planned()
    assert [step.estimate is not None for step in plan.steps] == [
        bool(step.id.startswith("train")) for step in plan.steps
    ]
    assert ends(plan.cost) == ("13.5", None, None)
    assert plan.cost.unknown == "no price is known for supervised training of llama on openai"


def test_a_plan_that_trains_nothing_costs_nothing() -> None:
    plan = make_plan(desired(a_model()), observed(a_job(a_model())))
    assert (ends(plan.cost), plan.basis.prices) == (("0", "0", "0"), "")


def test_another_price_makes_a_plan_stale_only_if_a_job_pays_it() -> None:
    assert planned("5").basis.changed_inputs(planned("5.00").basis) == ()
    assert planned("5").basis.changed_inputs(planned("6").basis) == ("prices",)
    unrelated = make_plan(desired(), observed(), provider="openai", prices=(a_table(a_rate("6")),))
    assert unrelated.basis.changed_inputs(make_plan(desired(), observed(), provider="openai").basis) == ()


def pictures(*, count: int = 12, least: int = 0, tiles: int = 0, most: int = 0, size_bytes: int = 1_200_000) -> Images:
    return Images(count=count, least_tiles=least, tiles=tiles, most_tiles=most, size_bytes=size_bytes)


def with_images(images: Images, *, tokens: int | None = None) -> Model:
    dataset = sized(images.size_bytes + 900, rows=12)
    measured = replace(dataset.measure, images=images, tokens=tokens)
    return a_model(training=replace(dataset, measure=measured), epochs=8)


BILLS_IMAGES = replace(a_table(a_rate("25")), images=(ImageRate(bases=(MINI,), tokens=85, tile_tokens=170),))


def test_images_are_billed_by_their_rule_and_never_as_text() -> None:
    job = a_job_for(with_images(pictures(), tokens=240), BILLS_IMAGES)
    assert job.tokens == Tokens.from_count(240 + 12 * 85)
    assert ends(job.cost) == ("0.252", "0.252", "0.252")
    estimated = a_job_for(with_images(pictures()), BILLS_IMAGES)
    assert (estimated.tokens.low, estimated.tokens.high) == (90 + 12 * 85, 450 + 12 * 85)


def test_images_of_unknown_size_give_a_range() -> None:
    job = a_job_for(with_images(pictures(least=12, tiles=48, most=96), tokens=240), BILLS_IMAGES)
    assert (job.tokens.low, job.tokens.expected, job.tokens.high) == tuple(1260 + n * 170 for n in (12, 48, 96))
    assert not job.tokens.exact


def test_a_base_whose_images_have_no_price_has_an_unknown_cost_and_a_free_service_stays_free() -> None:
    cost = a_job_for(with_images(pictures(), tokens=240), a_table(a_rate("25"))).cost
    assert (cost.high, cost.low is not None) == (None, True)
    assert f"how {MINI} bills images is not known" in cost.unknown
    assert a_job_for(with_images(pictures(), tokens=240), a_table(free="it runs here")).cost.is_free
