"""The loop of the fuzzers counts every failure, also one that is no `Exception`."""

from pathlib import Path

import pytest

from tests.security.loop import try_cases


class Panic(BaseException):
    """What a library in Rust raises when it panics."""


def fail_sometimes(seed: int, number: int, home: Path) -> str:
    if number == 3:
        raise Panic("a panic")
    if number == 4:
        raise SystemExit(0)
    if number == 5:
        raise AssertionError("a check")
    return "taken"


def test_a_panic_is_a_failed_case_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    failed, (longest, _) = try_cases(7, range(10), fail_sometimes)
    shown = capsys.readouterr().out
    assert failed == 3
    assert longest >= 0
    assert [f"case {number} of seed 7 failed:" in shown for number in (3, 4, 5)] == [True] * 3
    assert "      7  taken" in shown


def test_the_loop_ends_after_twenty_failures(capsys: pytest.CaptureFixture[str]) -> None:
    failed, _ = try_cases(7, [3] * 100, fail_sometimes)
    assert failed == 20


def test_an_interrupt_ends_the_loop() -> None:
    def interrupt(seed: int, number: int, home: Path) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        try_cases(7, range(10), interrupt)
