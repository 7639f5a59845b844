"""The random loop at a volume for every day, and every seed that ever broke a promise."""

import pytest

from tests.simulation.seeds import Seeded, history_of, regressions
from tests.simulation.services import ServiceVariant

SEEDS = {
    ServiceVariant.PORT: 120,
    ServiceVariant.OPENAI: 25,
    ServiceVariant.NO_PAGES: 15,
    ServiceVariant.LEGACY: 15,
    ServiceVariant.TOY: 15,
    ServiceVariant.AZURE: 15,
}


@pytest.mark.parametrize("variant", ServiceVariant)
def test_seeds_keep_every_promise(variant: ServiceVariant) -> None:
    for seed in range(SEEDS[variant]):
        seeded = Seeded.of(seed, variant)
        assert history_of(seeded).invariants.violations == [], (
            f"{seeded}\npython -m tests.simulation --seed {seed} --profile {variant}"
        )


@pytest.mark.parametrize("seeded", regressions(), ids=str)
def test_a_seed_that_once_broke_a_promise_keeps_it(seeded: Seeded) -> None:
    assert history_of(seeded).invariants.violations == []


@pytest.mark.parametrize("variant", ServiceVariant)
def test_the_same_seed_is_the_same_history(variant: ServiceVariant) -> None:
    for seed in (3, 4, 11, 17):
        seeded = Seeded.of(seed, variant)
        assert history_of(seeded).digest == history_of(seeded).digest


def test_a_create_of_the_old_dialect_leaves_soon_after_its_look() -> None:
    assert history_of(Seeded.of(58, ServiceVariant.LEGACY)).invariants.violations == []


def test_what_a_foreign_answer_names_is_not_deleted() -> None:
    assert history_of(Seeded.of(20914, ServiceVariant.LEGACY)).invariants.violations == []
