"""Where intents lie while a create is in flight. This one lasts as long as the process."""

import threading

from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent


class VolatileJournal:
    """A journal in memory: it keeps the steps of one run apart, and survives nothing.

    After a crash the service itself is asked: a job that was created bears its stamp and is found in the list.
    """

    def __init__(self) -> None:
        self._intents: dict[Stamp, Intent] = {}
        self._lock = threading.Lock()

    def open_intents(self) -> tuple[Intent, ...]:
        with self._lock:
            return tuple(self._intents.values())

    def write(self, intent: Intent) -> None:
        with self._lock:
            self._intents[intent.stamp] = intent

    def clear(self, stamp: Stamp) -> None:
        with self._lock:
            self._intents.pop(stamp, None)
