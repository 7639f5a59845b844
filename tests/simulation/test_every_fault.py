"""The exhaustive loop at a volume for every day; `python -m tests.simulation --exhaustive` runs all of it."""

import pytest

from tests.simulation.exhaustive import Count, every_fate, pairs_of_kills, two_appliers
from tests.simulation.faults import Fate, Planned
from tests.simulation.history import History, played
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.services import Door

SHORT: tuple[tuple[Door, str, tuple[str, ...]], ...] = (
    (Door.PORT, "two on two datasets", ("write", "read", "journal")),
    (Door.PORT, "supersede and revert", ("write",)),
    (Door.OPENAI, "one", ("write", "journal")),
    (Door.NO_PAGES, "one", ("write",)),
    (Door.LEGACY, "one", ("write",)),
)
SAMPLE = ("split and shared", "churn")


def flawless(count: Count, least: int) -> None:
    assert count.faults == []
    assert count.cases >= least


@pytest.mark.parametrize("story", SCENARIOS)
def test_without_faults_every_story_comes_to_rest(story: str) -> None:
    for door in Door if story in SAMPLE else (Door.PORT,):
        assert played(History(door, Planned()), SCENARIOS[story]()).ledger.violations == []


@pytest.mark.parametrize(("door", "story", "kinds"), SHORT)
def test_every_boundary_meets_every_fate(door: Door, story: str, kinds: tuple[str, ...]) -> None:
    flawless(every_fate(door, SCENARIOS[story](), kinds=kinds), least=20)


def test_a_run_and_the_next_are_killed_at_every_pair_of_boundaries() -> None:
    flawless(pairs_of_kills(Door.PORT, SCENARIOS["one"]()), least=200)


def test_two_appliers_take_every_turn_within_the_bound() -> None:
    flawless(two_appliers(Door.PORT, SCENARIOS["one"](), most_taken=2), least=100)
    flawless(two_appliers(Door.PORT, SCENARIOS["two on two datasets"](), most_taken=1), least=30)


@pytest.mark.parametrize("fate", [Fate.KILLED_AFTER, Fate.KILLED_LATE, Fate.LATE, Fate.REPLY_LOST])
@pytest.mark.parametrize("knows_the_dead", [True, False])
def test_two_appliers_of_whom_one_has_trouble_with_its_create(fate: Fate, knows_the_dead: bool) -> None:
    story = SCENARIOS["one"]()
    plain = played(History(Door.PORT, Planned()), story)
    key = next(key for key in plain.ledger.boundaries if " train " in key)
    flawless(
        two_appliers(Door.PORT, story, most_taken=1, fates=lambda: Planned({key: fate}), knows_the_dead=knows_the_dead),
        least=10,
    )
