"""The exhaustive loop at a volume for every day; `python -m tests.simulation --exhaustive` runs all of it."""

import pytest

from tests.simulation.exhaustive import Count, every_outcome, pairs_of_kills, two_appliers
from tests.simulation.faults import CallOutcome, Planned
from tests.simulation.history import History, played
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.services import ServiceVariant

SHORT: tuple[tuple[ServiceVariant, str, tuple[str, ...]], ...] = (
    (ServiceVariant.PORT, "two on two datasets", ("write", "read", "journal")),
    (ServiceVariant.PORT, "supersede and revert", ("write",)),
    (ServiceVariant.OPENAI, "one", ("write", "journal")),
    (ServiceVariant.NO_PAGES, "one", ("write",)),
    (ServiceVariant.LEGACY, "one", ("write",)),
)
SAMPLE = ("split and shared", "churn")


def flawless(count: Count, least: int) -> None:
    assert count.faults == []
    assert count.cases >= least


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_faults_every_scenario_comes_to_rest(scenario: str) -> None:
    for variant in ServiceVariant if scenario in SAMPLE else (ServiceVariant.PORT,):
        assert played(History(variant, Planned()), SCENARIOS[scenario]()).invariants.violations == []


@pytest.mark.parametrize(("variant", "scenario", "kinds"), SHORT)
def test_every_boundary_meets_every_outcome(variant: ServiceVariant, scenario: str, kinds: tuple[str, ...]) -> None:
    flawless(every_outcome(variant, SCENARIOS[scenario](), kinds=kinds), least=20)


def test_a_run_and_the_next_are_killed_at_every_pair_of_boundaries() -> None:
    flawless(pairs_of_kills(ServiceVariant.PORT, SCENARIOS["one"]()), least=200)


def test_two_appliers_take_every_turn_within_the_bound() -> None:
    flawless(two_appliers(ServiceVariant.PORT, SCENARIOS["one"](), most_taken=2), least=100)
    flawless(two_appliers(ServiceVariant.PORT, SCENARIOS["two on two datasets"](), most_taken=1), least=30)


@pytest.mark.parametrize(
    "outcome", [CallOutcome.KILLED_AFTER, CallOutcome.KILLED_LATE, CallOutcome.LATE, CallOutcome.REPLY_LOST]
)
@pytest.mark.parametrize("knows_the_dead", [True, False])
def test_two_appliers_of_whom_one_has_trouble_with_its_create(outcome: CallOutcome, knows_the_dead: bool) -> None:
    scenario = SCENARIOS["one"]()
    plain = played(History(ServiceVariant.PORT, Planned()), scenario)
    key = next(key for key in plain.invariants.boundaries if " train " in key)
    flawless(
        two_appliers(
            ServiceVariant.PORT,
            scenario,
            most_taken=1,
            outcomes=lambda: Planned({key: outcome}),
            knows_the_dead=knows_the_dead,
        ),
        least=10,
    )
