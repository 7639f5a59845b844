"""The exhaustive loop: every outcome at every boundary, pairs of kills, and all schedules of two appliers.

What is enumerated, exactly:

    every outcome   each boundary of a scenario's runs, each outcome that its kind of call can have, one a history
    pairs of kills  each boundary of a first run killed, and then each boundary of the run after it killed
    two appliers    all schedules of two appliers that differ at a boundary and take the turn from one that could go on
                    at most so many times; hand-overs from one that waits or has ended cost nothing
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from tests.simulation.faults import CallOutcome, Planned
from tests.simulation.history import History, played
from tests.simulation.scenarios import Scenario
from tests.simulation.services import ServiceVariant

OUTCOMES: dict[str, tuple[CallOutcome, ...]] = {
    "journal": (CallOutcome.KILLED_BEFORE, CallOutcome.KILLED_AFTER, CallOutcome.UNDELIVERED, CallOutcome.REPLY_LOST),
    "read": (
        CallOutcome.NO_CONNECTION,
        CallOutcome.UNDELIVERED,
        CallOutcome.REFUSED,
        CallOutcome.UNCLEAR,
        CallOutcome.CUT,
        CallOutcome.FOREIGN,
        CallOutcome.KILLED_BEFORE,
        CallOutcome.KILLED_AFTER,
    ),
    "write": tuple(outcome for outcome in CallOutcome if outcome not in {CallOutcome.DONE, CallOutcome.TOO_LATE}),
}
DEATHS: dict[str, tuple[CallOutcome, ...]] = {
    "journal": (CallOutcome.KILLED_BEFORE, CallOutcome.KILLED_AFTER),
    "read": (CallOutcome.KILLED_BEFORE,),
    "write": (CallOutcome.KILLED_BEFORE, CallOutcome.KILLED_AFTER, CallOutcome.KILLED_LATE),
}


@dataclass
class Count:
    """What a loop has come to."""

    cases: int = 0
    boundaries: int = 0
    calls: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, history: History, case: str) -> None:
        self.cases += 1
        self.calls += history.invariants.calls
        self.faults += [f"{case}: {fault}" for fault in history.invariants.violations]


def every_outcome(variant: ServiceVariant, scenario: Scenario, *, kinds: Collection[str] = tuple(OUTCOMES)) -> Count:
    """Try every outcome at every boundary of a scenario, or of some kinds, and compare with the run without faults."""
    count = Count()
    plain = _played(variant, scenario, Planned())
    count.add(plain, f"{variant} without faults")
    before_quiet = [key for key in plain.invariants.boundaries if _run_of(key) <= len(scenario)]
    before_quiet = [key for key in before_quiet if plain.invariants.boundaries[key] in kinds]
    count.boundaries = len(before_quiet)
    for key in before_quiet:
        for outcome in OUTCOMES[plain.invariants.boundaries[key]]:
            history = _played(variant, scenario, Planned({key: outcome}))
            if len(scenario) == 1:
                _compare(history, plain)
            count.add(history, f"{variant}, {key}: {outcome}")
    return count


def pairs_of_kills(variant: ServiceVariant, scenario: Scenario) -> Count:
    """Kill a run at each of its boundaries, and the next run at each of its own."""
    count = Count()
    turn = (scenario[0], scenario[0])
    plain = _played(variant, turn, Planned())
    firsts = [key for key in plain.invariants.boundaries if _run_of(key) == 1]
    for key in firsts:
        for outcome in DEATHS[plain.invariants.boundaries[key]]:
            once = _played(variant, turn, Planned({key: outcome}))
            seconds = [each for each in once.invariants.boundaries if _run_of(each) == 2]
            count.boundaries += len(seconds)
            for other in seconds:
                for death in DEATHS[once.invariants.boundaries[other]]:
                    history = _played(variant, turn, Planned({key: outcome, other: death}))
                    _compare(history, plain)
                    count.add(history, f"{variant}, {key}: {outcome}, {other}: {death}")
    return count


@dataclass
class Schedule:
    """One way to take turns: a given beginning, and from there on the actor that has the turn keeps it.

    Shape:  `points` are what could be chosen at each point, what was, and whether the turn was taken away by it
    """

    given: tuple[int, ...]
    points: list[tuple[int, int, bool]] = field(default_factory=list)

    def choose(self, count: int, could_go_on: bool) -> int:
        place = len(self.points)
        chosen = self.given[place] if place < len(self.given) else 0
        self.points.append((count, chosen, could_go_on))
        return chosen

    def following(self, most: int) -> Iterator[tuple[int, ...]]:
        """Yield each beginning that differs from this one at one later point, within so many turns taken away."""
        choices = tuple(chosen for _, chosen, _ in self.points)
        taken = 0
        for place, (options, chosen, could_go_on) in enumerate(self.points):
            if place >= len(self.given) and taken + could_go_on <= most:
                yield from ((*choices[:place], other) for other in range(options) if other != chosen)
            taken += bool(could_go_on and chosen)


def two_appliers(
    variant: ServiceVariant,
    scenario: Scenario,
    *,
    most_taken: int,
    outcomes: Callable[[], Planned] = Planned,
    limit: int | None = None,
    knows_the_dead: bool = True,
) -> Count:
    """Let two appliers carry out the same scenario in every schedule within the bound; as many as `limit` of them."""
    count = Count()
    waiting: list[tuple[int, ...]] = [()]
    while waiting and (limit is None or count.cases < limit):
        schedule = Schedule(waiting.pop())
        history = History(variant, outcomes(), choose=schedule.choose, knows_the_dead=knows_the_dead)
        for turn in scenario:
            for what in turn.before:
                history.happen(what)
            history.play(turn, appliers=2)
        met = len(schedule.points)
        history.settle(scenario[-1])
        assert len(schedule.points) == met, "one applier alone has no choice"
        count.add(history, f"{variant}, two appliers {schedule.given}")
        count.boundaries = max(count.boundaries, met)
        waiting += schedule.following(most_taken)
    return count


def _played(variant: ServiceVariant, scenario: Scenario, decider: Planned) -> History:
    return played(History(variant, decider), scenario)


def _compare(history: History, plain: History) -> None:
    """Compare what was made with what is made without faults: the same jobs, and the same files at least once."""
    made, expected = history.invariants.effects, plain.invariants.effects
    jobs, wanted = (Counter(what for verb, what in each if verb == "train") for each in (made, expected))
    files, needed = ({what for verb, what in each if verb == "upload"} for each in (made, expected))
    if jobs != wanted:
        history.invariants.violate(f"the jobs made are {dict(jobs)} instead of {dict(wanted)}")
    if files != needed:
        history.invariants.violate(f"the files made are {sorted(files)} instead of {sorted(needed)}")


def _run_of(key: str) -> int:
    return int(key.partition(" ")[0].removeprefix("run"))
