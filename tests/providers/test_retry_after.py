"""How long a service asks a client to wait."""

import httpx
import pytest

from reconciler.providers.http.answer_headers import allowance_wait, parse_duration, requested_wait

YEAR = 366 * 86_400


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-2"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "often", "retry-after": "9"}, 9),
        ({"date": "Tue, 10 Nov 2026 10:00:00 GMT", "retry-after": "Tue, 10 Nov 2026 10:00:30 GMT"}, 30),
        ({"date": "Tue, 10 Nov 2026 10:00:00 GMT", "retry-after": "Tue, 10 Nov 2026 09:00:00 GMT"}, 0),
        ({"retry-after": "Tue, 10 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "1e308"}, YEAR),
        ({"retry-after": "9" * 300}, YEAR),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after-ms": "9" * 300}, YEAR / 1000),
        ({"date": "Tue, 10 Nov 2026 10:00:00 GMT", "retry-after": "Tue, 10 Nov 9999 10:00:30 GMT"}, YEAR),
        ({"date": "Tue, 10 Nov 2026 10:00:00 GMT", "retry-after": "Tue, 99999999999999 Nov 9999 10:00:30 GMT"}, None),
    ],
)
def test_the_wait_that_the_headers_request(headers: dict[str, str], seconds: float | None) -> None:
    assert requested_wait(httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("12ms", 0.012),
        ("1h2m3.5s", 3723.5),
        ("7", 7),
        ("9" * 400 + "h9s", YEAR),
        ("", None),
        ("1 day", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (seconds if seconds is None else pytest.approx(seconds))


def test_an_allowance_counts_only_when_it_is_used_up() -> None:
    reset = {"x-ratelimit-reset-requests": "2s"}
    assert allowance_wait(httpx.Headers({"x-ratelimit-remaining-requests": "0", **reset})) == 2
    assert allowance_wait(httpx.Headers({"x-ratelimit-remaining-requests": "1", **reset})) == 0
    assert allowance_wait(httpx.Headers({"x-ratelimit-remaining-requests": "0"})) == 0
    assert allowance_wait(httpx.Headers({})) == 0
