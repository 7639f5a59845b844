"""Where intents lie while a create is in flight. This one lasts as long as the process."""

import threading

from reconciler.domain.identity import Stamp
from reconciler.domain.ports import Intent


class VolatileJournal:
    """A journal in memory: it keeps the steps of one run apart, and survives nothing."""

    def __init__(self) -> None:
        self._intents: dict[Stamp, Intent] = {}
        self._lock = threading.Lock()

    def open_intents(self) -> tuple[Intent, ...]:
        with self._lock:
            return tuple(self._intents.values())

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        with self._lock:
            lies = self._intents.get(intent.stamp)
            if lies is None or lies == instead_of:
                self._intents[intent.stamp] = intent
            return self._intents[intent.stamp]

    def clear(self, intent: Intent) -> None:
        with self._lock:
            if self._intents.get(intent.stamp) == intent:
                del self._intents[intent.stamp]

    def is_abandoned(self, intent: Intent) -> bool:
        return False
