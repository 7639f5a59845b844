"""How long a service asks its callers to wait, read from the headers of an answer. Pure; knows no clock."""

import math
import re
from email.utils import parsedate_to_datetime

import httpx

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def requested_wait(headers: httpx.Headers) -> float | None:
    """Return the seconds that `retry-after-ms` or `Retry-After` ask for; None when neither can be read.

    A date counts from the answer's own `Date`, so that the clock of this machine does not matter.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    return seconds if seconds is not None else _between(headers.get("date", ""), text)


def allowance_wait(headers: httpx.Headers) -> float:
    """Return the seconds until a used-up allowance of requests is renewed; 0 while some is left."""
    if headers.get("x-ratelimit-remaining-requests", "").strip() != "0":
        return 0.0
    return parse_duration(headers.get("x-ratelimit-reset-requests", "")) or 0.0


def parse_duration(text: str) -> float | None:
    """Read `1s`, `6m0s`, `12ms` or bare seconds; None when it is none of them."""
    text = text.strip()
    if _DURATION.fullmatch(text):
        return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return _number(text)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return max(number, 0.0) if math.isfinite(number) else None


def _between(start: str, end: str) -> float | None:
    try:
        return max((parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
