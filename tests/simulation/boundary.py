"""The one place where a call leaves its caller: time passes, other actors move, and the call gets its outcome."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from reconciler.domain.ports import Capabilities
from tests.simulation.faults import KILLS, Call, CallOutcome, Decider
from tests.simulation.invariants import Invariants, RunRecord
from tests.simulation.scheduler import Actor

LONGEST_LATENCY = 10.0
LONGEST_PAUSE = 2000.0
_AT_ONCE = 0.1


@dataclass
class Boundary:
    """Every boundary of one run of one actor.

    Shape:  `written_at` is when the last intent was written; a create must be sent soon after it
    """

    actor: Actor
    record: RunRecord
    decider: Decider
    invariants: Invariants
    capabilities: Capabilities
    calls: int = 0
    written_at: float = float("inf")
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def cross(self, what: str, *, is_write: bool = False, is_journal: bool = False) -> tuple[str, CallOutcome]:
        """Begin a call; return its key and its outcome. A outcome of dying before it is met here."""
        self.actor.touch()
        with self.lock:
            self.seen[what] += 1
            key = f"{self.record.name} {what} #{self.seen[what]}"
            self.calls += 1
            self.invariants.calls += 1
            self.invariants.boundaries[key] = "journal" if is_journal else "write" if is_write else "read"
            if not self.actor.looking:
                self.invariants.keys.append(key)
        self._wait(what, key)
        self.actor.troubled |= self.actor.looking and self.decider.chance(key, "bad_waits")
        outcome = self.decider.outcome(Call(key=key, is_write=is_write, is_journal=is_journal))
        self.actor.troubled |= self.actor.looking and outcome is not CallOutcome.DONE
        if outcome is CallOutcome.KILLED_BEFORE:
            self.actor.kill()
        if what.startswith("train") and self.actor.now - self.written_at > self.capabilities.fresh_seconds:
            self.invariants.stale(self.record)
        return key, outcome

    def _wait(self, what: str, key: str) -> None:
        if self.decider.chance(key, "paused"):
            pause = self.decider.span(f"pause {key}", self._longest_pause(what))
            if self.decider.chance(key, "skew"):
                # A machine that sleeps does not see it on its own clock.
                self.actor.ahead -= pause
            self.actor.rest(pause)
            self.actor.troubled |= self.actor.looking
        slow = self.decider.chance(key, "latency")
        self.actor.troubled |= self.actor.looking and slow
        self.actor.rest(self.decider.span(f"latency {key}", LONGEST_LATENCY) if slow else 0.0)

    def _longest_pause(self, what: str) -> float:
        if not what.startswith("train"):
            return LONGEST_PAUSE
        left = self.written_at + self.capabilities.fresh_seconds - self.actor.now
        return max(0.0, left - 2 * LONGEST_LATENCY)

    def no_answer(self, key: str, timeout: float) -> None:
        """Wait as a client without an answer does: until the connection breaks, or until its timeout."""
        whole = self.decider.pick(f"no answer {key}", 2)
        self.actor.rest(timeout if whole else _AT_ONCE)

    def ended(self, outcome: CallOutcome) -> None:
        """Kill the actor when its outcome says that it dies after the request was sent."""
        if outcome in KILLS:
            self.actor.kill()

    def late(self, key: str, outcome: CallOutcome) -> float:
        """Return how many seconds from now an effect takes place that its caller does not see."""
        bounds = self.capabilities
        if outcome is CallOutcome.TOO_LATE:
            beyond = bounds.settle_seconds + bounds.intent_seconds
            return beyond + self.decider.span(f"late {key}", 10 * bounds.intent_seconds)
        return self.decider.span(f"late {key}", bounds.effect_seconds)
