"""A part of the fuzzing that `python -m tests.security.fuzz` does at length."""

from pathlib import Path

import pytest

from tests.security.entry_points import ENTRY_POINTS
from tests.security.fuzz import run_case

SEED = 20_261_122


@pytest.mark.parametrize("part", range(4))
def test_any_input_is_accepted_or_refused(tmp_path: Path, part: int) -> None:
    results = [run_case(SEED, part * 200 + number, tmp_path) for number in range(200)]
    assert {name for name, _ in results} == set(ENTRY_POINTS)
    assert any(refused for _, refused in results)
