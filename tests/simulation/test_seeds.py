"""The random loop at a volume for every day, and every seed that ever broke a promise."""

import pytest

from tests.simulation.seeds import Seeded, history_of, regressions
from tests.simulation.services import Door

SEEDS = {Door.PORT: 120, Door.OPENAI: 25, Door.NO_PAGES: 15, Door.LEGACY: 15}


@pytest.mark.parametrize("door", Door)
def test_seeds_keep_every_promise(door: Door) -> None:
    for seed in range(SEEDS[door]):
        seeded = Seeded.of(seed, door)
        assert history_of(seeded).ledger.violations == [], (
            f"{seeded}\npython -m tests.simulation --seed {seed} --profile {door}"
        )


@pytest.mark.parametrize("seeded", regressions(), ids=str)
def test_a_seed_that_once_broke_a_promise_keeps_it(seeded: Seeded) -> None:
    assert history_of(seeded).ledger.violations == []


@pytest.mark.parametrize("door", Door)
def test_the_same_seed_is_the_same_history(door: Door) -> None:
    for seed in (3, 4, 11, 17):
        seeded = Seeded.of(seed, door)
        assert history_of(seeded).digest == history_of(seeded).digest


def test_a_create_of_the_old_dialect_leaves_soon_after_its_look() -> None:
    assert history_of(Seeded.of(58, Door.LEGACY)).ledger.violations == []


def test_what_a_foreign_answer_names_is_not_deleted() -> None:
    assert history_of(Seeded.of(20914, Door.LEGACY)).ledger.violations == []
