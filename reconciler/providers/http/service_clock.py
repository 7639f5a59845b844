"""What time it is for the service, by the `Date` of its answers. Spans are measured here, moments there."""

import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime


class ServiceClock:
    """The service's time as its last answer told it, carried on by a clock of ours that only measures spans."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: tuple[float, float] | None = None

    def set_from(self, date: str) -> None:
        """Take in the `Date` of an answer that has just come; what cannot be read says nothing."""
        try:
            told = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        with self._lock:
            self._heard = (told, self._clock())

    def now(self) -> float | None:
        """Return the service's time in Unix seconds; None when it has never said."""
        with self._lock:
            return None if self._heard is None else self._heard[0] + self._clock() - self._heard[1]

    def stopwatch(self) -> Callable[[], float]:
        """Begin to count; gives what tells the seconds since then, by our clock or the service's, whichever says more.

        A machine that was suspended does not see it on its own clock.
        """
        ours, theirs = self._clock(), self.now()

        def spent() -> float:
            now = self.now()
            by_service = now - theirs if now is not None and theirs is not None else 0.0
            return max(self._clock() - ours, by_service)

        return spent
