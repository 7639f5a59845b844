"""The outcomes that a call can have, and what decides them: a plan in the exhaustive loop, dice in the random one."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Protocol


class CallOutcome(StrEnum):
    """How one call ends, at the Python port or over HTTP."""

    DONE = "done"
    NO_CONNECTION = "no connection"
    UNDELIVERED = "not delivered"
    REPLY_LOST = "effect, reply lost"
    LATE = "effect after the caller gave up, within the bound"
    TOO_LATE = "effect long after every bound"
    REFUSED = "refused without effect"
    UNCLEAR = "an unclear answer without effect"
    UNCLEAR_DONE = "an unclear answer with effect"
    CUT = "done, and the answer is cut short"
    FOREIGN = "done, and the answer is something else"
    KILLED_BEFORE = "killed before the request"
    KILLED_AFTER = "killed after the effect"
    KILLED_LATE = "killed, and the effect comes later"


KILLS = (CallOutcome.KILLED_BEFORE, CallOutcome.KILLED_AFTER, CallOutcome.KILLED_LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call at its boundary.

    Shape:  `key` names it the same in every history that has come so far: what is asked, and how often it was before
    """

    key: str
    is_write: bool
    is_journal: bool = False


class Decider(Protocol):
    """Decides the outcome of each call, and everything else that is left to chance."""

    def outcome(self, call: Call) -> CallOutcome: ...

    def span(self, key: str, longest: float) -> float:
        """Return a time between nothing and the longest."""

    def pick(self, key: str, count: int) -> int:
        """Return one of so many."""

    def chance(self, key: str, knob: str) -> bool:
        """Return whether a knob strikes here."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The exhaustive loop's decider: the outcomes named, and all else as it should be."""

    outcomes: Mapping[str, CallOutcome] = field(default_factory=dict)
    share: float = 0.5

    def outcome(self, call: Call) -> CallOutcome:
        return self.outcomes.get(call.key, CallOutcome.DONE)

    def span(self, key: str, longest: float) -> float:
        return longest * self.share

    def pick(self, key: str, count: int) -> int:
        return 0

    def chance(self, key: str, knob: str) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How often each thing goes wrong, a call; a swarm turns most of them to nothing, other ones each time.

    Shape:  `latency` and the lags are shares of the longest that the bounds allow
    """

    no_connection: float = 0.0
    undelivered: float = 0.0
    reply_lost: float = 0.0
    late: float = 0.0
    too_late: float = 0.0
    refused: float = 0.0
    unclear: float = 0.0
    cut: float = 0.0
    foreign: float = 0.0
    killed: float = 0.0
    paused: float = 0.0
    latency: float = 0.0
    list_lag: float = 0.0
    flicker: float = 0.0
    unordered: float = 0.0
    repeating: float = 0.0
    short_pages: float = 0.0
    odd_words: float = 0.0
    people: float = 0.0
    journal: float = 0.0
    bad_waits: float = 0.0
    skew: float = 0.0
    second: float = 0.0
    lies: float = 0.0
    carriers: float = 0.0

    @property
    def breaks_bounds(self) -> bool:
        return self.too_late > 0


RATES = {
    "no_connection": (0.02, 0.2),
    "undelivered": (0.02, 0.3),
    "reply_lost": (0.02, 0.4),
    "late": (0.05, 0.5),
    "refused": (0.02, 0.2),
    "unclear": (0.02, 0.4),
    "cut": (0.02, 0.3),
    "foreign": (0.02, 0.2),
    "killed": (0.01, 0.15),
    "paused": (0.02, 0.2),
    "latency": (0.01, 1.0),
    "list_lag": (0.1, 1.0),
    "flicker": (0.1, 0.6),
    "unordered": (0.2, 1.0),
    "repeating": (0.05, 0.5),
    "short_pages": (0.2, 1.0),
    "odd_words": (0.1, 0.8),
    "people": (0.1, 0.7),
    "journal": (0.01, 0.2),
    "bad_waits": (0.1, 1.0),
    "skew": (0.5, 1.0),
    "second": (0.3, 1.0),
    "lies": (0.02, 0.5),
    "carriers": (1.0, 1.0),
}
"""The knobs that a swarm turns within the bounds, each with its least and greatest rate when it is turned."""


def swarm(seed: int, *, beyond: bool) -> Knobs:
    """Turn about a third of the knobs; one seed in five is a quiet one with a single knob."""
    dice = random.Random(f"knobs {seed}")
    share = 0.05 if dice.random() < 0.2 else 0.35
    turned = {name: dice.uniform(*rate) for name, rate in RATES.items() if dice.random() < share}
    return Knobs(**turned, too_late=dice.uniform(0.05, 0.4) if beyond else 0.0)


@dataclass(frozen=True, slots=True)
class Dice:
    """The random loop's decider. What falls depends on the seed and the key alone, never on what fell before."""

    seed: int
    knobs: Knobs

    def outcome(self, call: Call) -> CallOutcome:
        dice = self._dice(call.key)
        if call.is_journal:
            rates = {CallOutcome.KILLED_BEFORE: self.knobs.killed / 2, CallOutcome.KILLED_AFTER: self.knobs.killed / 2}
            rates |= {CallOutcome.UNDELIVERED: self.knobs.journal / 2, CallOutcome.REPLY_LOST: self.knobs.journal / 2}
        elif call.is_write:
            rates = self._of_writes()
        else:
            rates = self._of_reads()
        left = dice.random()
        for outcome, rate in rates.items():
            left -= rate
            if left < 0:
                return outcome
        return CallOutcome.DONE

    def _of_writes(self) -> dict[CallOutcome, float]:
        knobs = self.knobs
        return {
            CallOutcome.NO_CONNECTION: knobs.no_connection,
            CallOutcome.UNDELIVERED: knobs.undelivered,
            CallOutcome.REPLY_LOST: knobs.reply_lost,
            CallOutcome.LATE: knobs.late,
            CallOutcome.TOO_LATE: knobs.too_late,
            CallOutcome.REFUSED: knobs.refused,
            CallOutcome.UNCLEAR: knobs.unclear / 2,
            CallOutcome.UNCLEAR_DONE: knobs.unclear / 2,
            CallOutcome.CUT: knobs.cut,
            CallOutcome.FOREIGN: knobs.foreign,
            CallOutcome.KILLED_BEFORE: knobs.killed / 2,
            CallOutcome.KILLED_AFTER: knobs.killed,
            CallOutcome.KILLED_LATE: knobs.killed,
        }

    def _of_reads(self) -> dict[CallOutcome, float]:
        knobs = self.knobs
        return {
            CallOutcome.NO_CONNECTION: knobs.no_connection / 2,
            CallOutcome.UNDELIVERED: knobs.undelivered / 2,
            CallOutcome.REFUSED: knobs.refused / 8,
            CallOutcome.UNCLEAR: knobs.unclear / 2,
            CallOutcome.CUT: knobs.cut / 2,
            CallOutcome.FOREIGN: knobs.foreign / 4,
            CallOutcome.KILLED_BEFORE: knobs.killed / 8,
            CallOutcome.KILLED_AFTER: knobs.killed / 8,
        }

    def span(self, key: str, longest: float) -> float:
        return self._dice(f"span {key}").random() * longest

    def pick(self, key: str, count: int) -> int:
        return self._dice(f"pick {key}").randrange(count)

    def chance(self, key: str, knob: str) -> bool:
        rate: float = getattr(self.knobs, knob)
        return rate > 0 and self._dice(f"{knob} {key}").random() < rate

    def _dice(self, key: str) -> random.Random:
        return random.Random(f"{self.seed} {key}")


def turned(knobs: Knobs) -> str:
    """Name the knobs that are turned, for people."""
    rates = {each.name: getattr(knobs, each.name) for each in fields(knobs)}
    return ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items() if rate)
