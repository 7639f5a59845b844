"""Generated histories of names, at a volume for every day. `python -m tests.simulation.histories` plays more."""

import pytest

from tests.simulation.histories import play_history

BATCH = 100


@pytest.mark.parametrize("first", range(0, 5 * BATCH, BATCH))
def test_nothing_that_is_named_is_removed_in_any_history(first: int) -> None:
    for seed in range(first, first + BATCH):
        history = play_history(seed)
        again = f"python -m tests.simulation.histories --seed {seed}"
        assert history.violations == [], f"{again}\n" + "\n".join(history.story)


def test_the_same_seed_is_the_same_history() -> None:
    assert play_history(7).story == play_history(7).story


def test_the_histories_remove_cancel_are_killed_and_are_refused() -> None:
    """What never happens is never checked."""
    lines = [line for seed in range(BATCH) for line in play_history(seed).story]
    for what in ("delete:model", "cancel:model", "promote:model", "killed", " failed", " blocked", " unknown"):
        assert any(what in line for line in lines), what
