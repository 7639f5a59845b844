"""Limits on the costs of a plan: a plan at the limit is allowed, one beyond it is not, and unknown is not zero."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.domain.cost import AutoEpochs, Per, PriceTable
from reconciler.domain.plan import Options, Plan, Refusal
from reconciler.domain.spec import Policy
from reconciler.planner import make_plan
from tests.factories import a_file, a_job, a_model, desired, observed
from tests.planner.prices import a_rate, a_table, sized

# 9,000,000 bytes are 4.5 million tokens at most: × 2 epochs × 5 USD = 45 USD. Two of them are 90.
FILE = sized(9_000_000)
ONE = a_model("one", training=FILE, epochs=2)
TWO = a_model("two", training=FILE, epochs=2)
STRANGE = a_model("strange", base="llama", training=FILE, epochs=2)
BY_HOUR = a_model("hourly", base="o4-mini", training=FILE, epochs=2)
TABLE = a_table(a_rate("5.00"), a_rate("100", "o4-mini", per=Per.HOUR, least="30"))


def planned(*models: object, policy: Policy, allow: str = "", table: PriceTable = TABLE) -> Plan:
    options = Options(allow=frozenset({allow} if allow else ()))
    wanted = desired(*models, policy=policy)  # type: ignore[arg-type]  # models
    return make_plan(wanted, observed(), provider="openai", prices=(table,), options=options)


def refused(plan: Plan) -> list[str]:
    return [refusal.policy for refusal in plan.refused]


def only(plan: Plan) -> Refusal:
    (refusal,) = plan.refused
    return refusal


@pytest.mark.parametrize(("bound", "says"), [("44.99", ["max_cost_usd"]), ("45", []), (None, [])])
def test_the_high_end_counts(bound: str | None, says: list[str]) -> None:
    assert refused(planned(ONE, policy=Policy(max_cost_usd=Decimal(bound) if bound else None))) == says


@pytest.mark.parametrize(("bound", "says"), [("89.99", ["max_cost_usd"]), ("90", [])])
def test_all_jobs_count_together(bound: str, says: list[str]) -> None:
    assert refused(planned(ONE, TWO, policy=Policy(max_cost_usd=Decimal(bound)))) == says


def test_a_refusal_says_the_cost_the_bound_and_the_way_on_and_keeps_the_steps() -> None:
    plan = planned(ONE, policy=Policy(max_cost_usd=Decimal("20.50")))
    assert only(plan).what == "the jobs would cost 9.00–45.00 USD; policy.max_cost_usd is 20.50"
    assert "--target" in only(plan).hint
    assert len(plan.trains) == 1


def test_no_operator_allows_what_the_specs_bound() -> None:
    plan = planned(ONE, policy=Policy(max_cost_usd=Decimal(1)), allow="max_cost_usd")
    assert refused(plan) == ["max_cost_usd"]


def test_an_unknown_cost_is_refused_by_name_until_it_is_allowed() -> None:
    policy = Policy(max_cost_usd=Decimal(1000))
    refusal = only(planned(ONE, STRANGE, policy=policy))
    assert (refusal.policy, refusal.guard) == ("unknown-cost", "unknown-cost")
    assert "model/strange: no price is known for supervised training of llama on openai" in refusal.what
    assert "model/one" not in refusal.what
    assert "--prices" in refusal.hint
    assert refused(planned(ONE, STRANGE, policy=policy, allow="unknown-cost")) == []


def test_without_a_bound_the_unknown_is_only_shown() -> None:
    assert refused(planned(STRANGE, policy=Policy())) == []


def test_what_is_known_counts_beside_what_is_not() -> None:
    """At most 45 for one and at least 30 for the other exceed 74, although the rest is unknown."""
    beyond = planned(ONE, BY_HOUR, policy=Policy(max_cost_usd=Decimal(74)), allow="unknown-cost")
    assert refused(beyond) == ["max_cost_usd"]
    assert refused(planned(ONE, BY_HOUR, policy=Policy(max_cost_usd=Decimal(75)), allow="unknown-cost")) == []


def test_a_bound_of_nothing_lets_free_jobs_pass_and_no_others() -> None:
    nothing = Policy(max_cost_usd=Decimal(0))
    assert refused(planned(ONE, policy=nothing, table=a_table(free="our own machines"))) == []
    assert refused(planned(ONE, policy=nothing)) == ["max_cost_usd"]
    assert refused(planned(policy=nothing)) == []


@pytest.mark.parametrize(("bound", "says"), [(1, ["max_epochs"]), (2, []), (None, [])])
def test_stated_epochs_are_bounded(bound: int | None, says: list[str]) -> None:
    assert refused(planned(ONE, policy=Policy(max_epochs=bound))) == says


def test_epochs_that_the_service_chooses_are_bounded_by_what_is_expected() -> None:
    rule, few = AutoEpochs(target=3, least_rows=100, most=25), a_model(training=sized(9_000, 10))
    # 100 // 10 rows
    plan = planned(few, policy=Policy(max_epochs=9), table=a_table(auto=rule))
    assert only(plan).what == ("model/triage would take 10 epochs, by the rule of the service; policy.max_epochs is 9")
    assert refused(planned(few, policy=Policy(max_epochs=10), table=a_table(auto=rule))) == []


def test_unknown_epochs_are_refused_with_the_field_that_states_them() -> None:
    refusal = only(planned(a_model(training=FILE), policy=Policy(max_epochs=50)))
    assert "is unknown" in refusal.what
    assert "hyperparameters.n_epochs" in refusal.hint


@pytest.mark.parametrize(("bound", "says"), [(8_999_999, ["max_bytes"]), (9_000_000, []), (None, [])])
def test_uploads_are_bounded(bound: int | None, says: list[str]) -> None:
    """Two models share one file, which is sent once."""
    assert refused(planned(ONE, TWO, policy=Policy(max_bytes=bound))) == says


def test_a_file_that_is_there_counts_for_nothing() -> None:
    wanted = desired(ONE, policy=Policy(max_bytes=0))
    assert make_plan(wanted, observed(a_file(FILE)), provider="openai").refused == ()


def test_a_changed_bound_makes_a_plan_stale() -> None:
    def basis(**bounds: object) -> object:
        return planned(ONE, policy=Policy(**bounds)).basis  # type: ignore[arg-type]  # bounds by name

    assert basis(max_cost_usd=Decimal(100)) == basis(max_cost_usd=Decimal("100.0"))
    several = {basis(), basis(max_cost_usd=Decimal(100)), basis(max_epochs=9), basis(max_bytes=9_000_000)}
    assert len(several) == 4


@pytest.mark.parametrize(
    ("own", "passed", "says"),
    [
        (None, "40", ["max_epochs"]),
        (None, "4", []),
        (None, "4.5", ["max_epochs"]),
        (2, "40", ["max_epochs"]),
        (40, "2", ["max_epochs"]),
        (None, '"40"', ["max_epochs"]),
        (None, "true", ["max_epochs"]),
        (None, "[40]", ["max_epochs"]),
    ],
)
def test_epochs_that_a_recipe_passes_through_are_bounded_and_priced_too(
    own: int | None, passed: str, says: list[str]
) -> None:
    model = a_model("one", training=FILE, epochs=own)
    model = replace(model, recipe=replace(model.recipe, extra=f'{{"n_epochs":{passed}}}'))
    plan = planned(model, policy=Policy(max_epochs=4))
    assert refused(plan) == says
    (estimate,) = [step.estimate for step in plan.steps if step.estimate]
    assert estimate.epochs == {"40": 40, "4": 4, "4.5": 5, "2": 40}.get(passed)


def test_a_version_that_waits_for_an_older_one_is_judged_before_the_wait() -> None:
    older, wanted = a_model(epochs=2), a_model(epochs=9)
    running = a_job(older, "running")
    plan = make_plan(desired(wanted, policy=Policy(max_epochs=4)), observed(running, a_file()))
    assert [refusal.policy for refusal in plan.refused] == ["max_epochs"]
    assert not make_plan(desired(older, policy=Policy(max_epochs=4)), observed(running)).refused


def test_the_hint_names_the_field_that_states_the_epochs() -> None:
    model = a_model(epochs=2)
    passed = replace(model, recipe=replace(model.recipe, extra='{"n_epochs": 40}'))
    hints = [
        make_plan(desired(each, policy=Policy(max_epochs=1)), observed()).refused[0].hint for each in (model, passed)
    ]
    assert "state fewer in hyperparameters.n_epochs," in hints[0]
    assert "state fewer in extra.n_epochs," in hints[1]
