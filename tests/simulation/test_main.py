"""The soak reports what it did, and ends when its time is up."""

import pytest

from tests.simulation.__main__ import play_batch, soak
from tests.simulation.services import ServiceVariant


def test_a_soak_counts_its_seeds_and_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak(0, 3, 1.0, ServiceVariant.PORT, 1) == 0
    output = capsys.readouterr().out
    assert output.startswith("3 seeds, ")
    assert output.endswith("0 seeds broke a promise\n")


def test_a_soak_without_time_begins_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak(0, 3, -1.0, ServiceVariant.PORT, 1) == 0
    assert capsys.readouterr().out.startswith("0 seeds, 0 calls")


def test_a_batch_adds_up_what_its_seeds_came_to() -> None:
    batch = play_batch(range(4), ServiceVariant.PORT)
    assert batch.seeds == 4
    assert batch.calls == sum(play_batch(range(seed, seed + 1), ServiceVariant.PORT).calls for seed in range(4))
