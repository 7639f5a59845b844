"""What headers of answers say: how long to wait, whom the service answers, and what time it is there."""

import math
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

from reconciler.domain.observed import measure_span

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}

_LONGEST_SECONDS = 366 * 86_400.0
"""A longer wait has no end that a date can name. It counts as this one, which nothing waits for."""


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
        return min(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text)), _LONGEST_SECONDS)
    return _number(text)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return min(max(number, 0.0), _LONGEST_SECONDS) if math.isfinite(number) else None


def _between(start: str, end: str) -> float | None:
    try:
        seconds = (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
        return min(max(seconds, 0.0), _LONGEST_SECONDS)
    except (ValueError, TypeError, OverflowError):
        return None


_HEADERS = {"organization": "openai-organization", "project": "openai-project", "region": "x-ms-region"}

_MOST_CHARACTERS = 200
"""More than any name of an account has; what is longer is cut."""


@dataclass(slots=True)
class Account:
    """The account that answers, as far as its answers say.

    Shape:  `warnings` tell of answers for one account and then for another, which make no one picture together
    """

    stated: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)

    def read_headers(self, headers: Mapping[str, str]) -> None:
        """Take note of what an answer says."""
        for what, header in _HEADERS.items():
            found = headers.get(header, "").strip()[:_MOST_CHARACTERS]
            if not found:
                continue
            before = self.stated.setdefault(what, found)
            # One region may serve another's requests; an account is one account.
            if before != found and what != "region":
                self.changed[what] = f"the service answered for the {what} {before}, and then for {found}"

    @property
    def organization(self) -> str | None:
        return self.stated.get("organization")

    @property
    def project(self) -> str | None:
        return self.stated.get("project")

    @property
    def region(self) -> str | None:
        return self.stated.get("region")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what makes it doubtful that all answers are about one account."""
        return tuple(self.changed.values())


class ServiceClock:
    """The service's time as of its last answer, carried on by a clock of ours that only measures spans."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None

    def set_from(self, date: str) -> None:
        """Take in the `Date` of an answer that has just come; what cannot be read says nothing."""
        try:
            stated = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        with self._lock:
            self._last = (stated, self._clock())

    def now(self) -> float | None:
        """Return the service's time in Unix seconds; None when it never said one."""
        with self._lock:
            return None if self._last is None else self._last[0] + self._clock() - self._last[1]

    def stopwatch(self) -> Callable[[], float]:
        """Begin to count; gives what tells the seconds since then, endless where that cannot be known."""
        ours, theirs = self._clock(), self.now()

        def spent() -> float:
            now = self.now()
            by_service = now - theirs if now is not None and theirs is not None else None
            span = measure_span(self._clock() - ours, by_service)
            return math.inf if span is None else span

        return spent
