"""A part of the fuzzing that `python -m tests.security.fuzz_store` does at length."""

from pathlib import Path

from tests.security.fuzz_store import DAMAGES, run_case

SEED = 20_261_130


def test_a_damaged_store_is_used_or_refused_and_nothing_outside_is_touched(tmp_path: Path) -> None:
    ends = [run_case(SEED, number, tmp_path) for number in range(120)]
    assert {end.partition(":")[0] for end in ends} == {damage.__name__ for damage in DAMAGES}
    assert any(end.endswith("refused") for end in ends)
    assert any(end.endswith("used") for end in ends)
