"""The service's own time, from the headers of its answers."""

from email.utils import formatdate
from math import inf

import pytest

from reconciler.providers.http.answer_headers import ServiceClock


def test_a_service_without_date_headers_has_no_time() -> None:
    assert ServiceClock(lambda: 5.0).now() is None


def test_the_time_continues_from_the_last_answer() -> None:
    now = [100.0]
    clock = ServiceClock(lambda: now[0])
    clock.set_from("Thu, 01 Jan 1970 01:00:00 GMT")
    now[0] = 130.0
    assert clock.now() == 3630.0
    clock.set_from("Thu, 01 Jan 1970 02:00:00 GMT")
    assert clock.now() == 7200.0


@pytest.mark.parametrize(
    "date", ["", "soon", "Thu, 32 Jan 1970 01:00:00 GMT", "\x00", "Thu, 01 Jan 99999 01:00:00 GMT"]
)
def test_a_date_that_cannot_be_read_changes_nothing(date: str) -> None:
    clock = ServiceClock(lambda: 0.0)
    clock.set_from("Thu, 01 Jan 1970 01:00:00 GMT")
    clock.set_from(date)
    assert clock.now() == 3600.0


def test_a_stopwatch_includes_the_time_of_a_suspended_machine() -> None:
    now = [100.0]
    clock = ServiceClock(lambda: now[0])
    spent = clock.stopwatch()
    now[0] = 103.0
    assert spent() == 3.0
    clock.set_from("Thu, 01 Jan 1970 01:00:00 GMT")
    spent = clock.stopwatch()
    clock.set_from("Thu, 01 Jan 1970 01:10:00 GMT")
    now[0] = 104.0
    assert spent() == 601.0


@pytest.mark.parametrize(("seconds", "expected"), [(0, 4.0), (57, 61.0), (-2, 4.0), (-3600, inf)])
def test_a_stopwatch_without_end_where_the_service_has_gone_back_in_time(seconds: int, expected: float) -> None:
    """A wrong date may hide that the machine was suspended."""
    now = [100.0]
    clock = ServiceClock(lambda: now[0])
    clock.set_from(formatdate(7200, usegmt=True))
    spent = clock.stopwatch()
    now[0] = 104.0
    clock.set_from(formatdate(7200 + 4 + seconds, usegmt=True))
    assert spent() == expected
