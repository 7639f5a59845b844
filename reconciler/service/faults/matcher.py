"""Decides which requests a fault hits: counts those that match, and throws its own dice, the same for the same seed."""

import random

from reconciler.service.faults.fault import Fault


class Chooser:
    """One fault with its counts. Not for use by several threads at once: a server's requests arrive in one."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._matched = 0
        self._hit = 0
        self._dice = random.Random(fault.seed)  # noqa: S311 (bad luck to order, not a secret)

    def hits(self, method: str, path: str) -> bool:
        """Return whether this request is hit; ask once for each request."""
        if not self.fault.matches(method, path):
            return False
        self._matched += 1
        # The dice are thrown for every match, so that one choice never moves the next.
        unlucky = self._dice.random() < self.fault.chance
        if self._matched < self.fault.first or not unlucky:
            return False
        if self.fault.count is not None and self._hit >= self.fault.count:
            return False
        self._hit += 1
        return True
