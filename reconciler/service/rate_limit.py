"""Counts requests against a limit, and says truly how many are left: a bucket that refills as time goes by."""

from collections.abc import Callable

import msgspec


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What is left after a request was counted. `reset_seconds` is when all of it will be there again."""

    allowed: bool
    remaining: int
    reset_seconds: float
    wait_seconds: float


class Pace:
    """One bucket of requests for the whole service."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._left = float(per_minute)
        self._then = clock()

    def count(self) -> Allowance:
        """Count one request; one that was not allowed takes nothing out of the bucket."""
        now = self._clock()
        per_second = self.per_minute / 60
        self._left = min(self.per_minute, self._left + max(0.0, now - self._then) * per_second)
        self._then = now
        allowed = self._left >= 1
        if allowed:
            self._left -= 1
        return Allowance(
            allowed=allowed,
            remaining=int(self._left),
            reset_seconds=(self.per_minute - self._left) / per_second,
            wait_seconds=0.0 if allowed else (1 - self._left) / per_second,
        )


def duration(seconds: float) -> str:
    """Write a duration as the API's headers have it: `12ms`, `1s`, `6m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
