"""A wish to stop is heard by everybody who sleeps on it, and may be spoken in a signal handler."""

import signal
import threading
from collections.abc import Iterator

import pytest

from reconciler.foundation.stop import Stop

LONG = 30.0


@pytest.fixture
def alarms() -> Iterator[list[Stop]]:
    """Alarms every tenth of a millisecond; their handler requests the stop in the list."""
    box = [Stop()]
    before = signal.signal(signal.SIGALRM, lambda *_: box[0].set())
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    yield box
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_handler_that_interrupts_the_sleep_ends_it(alarms: list[Stop]) -> None:
    """With a threading.Event, this loop hangs or recurses to death within its first hundreds of rounds."""
    for _ in range(3000):
        alarms[0] = Stop()
        assert alarms[0].wait(LONG)


def test_a_stop_ends_every_sleep() -> None:
    stop = Stop()
    heard: list[bool] = []
    sleepers = [threading.Thread(target=lambda: heard.append(stop.wait(LONG))) for _ in range(4)]
    for sleeper in sleepers:
        sleeper.start()
    stop.set()
    stop.set()
    for sleeper in sleepers:
        sleeper.join(LONG)
    assert heard == [True] * 4


def test_a_sleep_without_a_stop_lasts_its_time() -> None:
    stop = Stop()
    assert not stop.wait(0.001)
    assert not stop.is_set()


def test_after_a_stop_no_sleep_waits() -> None:
    stop = Stop()
    stop.set()
    assert stop.is_set()
    assert stop.wait(LONG)
