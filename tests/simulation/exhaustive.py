"""The exhaustive loop: every boundary meets every fate, kills come in pairs, and two appliers take every turn there is.

What is enumerated, exactly:

    every fate      each boundary of a story's runs, each fate that its kind of call can have, one a history
    pairs of kills  each boundary of a first run killed, and then each boundary of the run after it killed
    two appliers    all schedules of two appliers that differ at a boundary and take the turn from one that could go on
                    at most so many times; hand-overs from one that waits or has ended cost nothing
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from tests.simulation.faults import Fate, Planned
from tests.simulation.history import History, played
from tests.simulation.scenarios import Scenario
from tests.simulation.services import Door

FATES: dict[str, tuple[Fate, ...]] = {
    "journal": (Fate.KILLED_BEFORE, Fate.KILLED_AFTER, Fate.UNDELIVERED, Fate.REPLY_LOST),
    "read": (
        Fate.NO_ROAD,
        Fate.UNDELIVERED,
        Fate.REFUSED,
        Fate.UNCLEAR,
        Fate.CUT,
        Fate.FOREIGN,
        Fate.KILLED_BEFORE,
        Fate.KILLED_AFTER,
    ),
    "write": tuple(fate for fate in Fate if fate not in {Fate.DONE, Fate.TOO_LATE}),
}
DEATHS: dict[str, tuple[Fate, ...]] = {
    "journal": (Fate.KILLED_BEFORE, Fate.KILLED_AFTER),
    "read": (Fate.KILLED_BEFORE,),
    "write": (Fate.KILLED_BEFORE, Fate.KILLED_AFTER, Fate.KILLED_LATE),
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
        self.calls += history.ledger.calls
        self.faults += [f"{case}: {fault}" for fault in history.ledger.violations]


def every_fate(door: Door, story: Scenario, *, kinds: Collection[str] = tuple(FATES)) -> Count:
    """Let every boundary of a story, or of some kinds, meet every fate; what is made must be what is made without."""
    count = Count()
    plain = _played(door, story, Planned())
    count.add(plain, f"{door} without faults")
    before_quiet = [key for key in plain.ledger.boundaries if _run_of(key) <= len(story)]
    before_quiet = [key for key in before_quiet if plain.ledger.boundaries[key] in kinds]
    count.boundaries = len(before_quiet)
    for key in before_quiet:
        for fate in FATES[plain.ledger.boundaries[key]]:
            history = _played(door, story, Planned({key: fate}))
            if len(story) == 1:
                _compare(history, plain)
            count.add(history, f"{door}, {key}: {fate}")
    return count


def pairs_of_kills(door: Door, story: Scenario) -> Count:
    """Kill a run at each of its boundaries, and the next run at each of its own."""
    count = Count()
    turn = (story[0], story[0])
    plain = _played(door, turn, Planned())
    firsts = [key for key in plain.ledger.boundaries if _run_of(key) == 1]
    for key in firsts:
        for fate in DEATHS[plain.ledger.boundaries[key]]:
            once = _played(door, turn, Planned({key: fate}))
            seconds = [each for each in once.ledger.boundaries if _run_of(each) == 2]
            count.boundaries += len(seconds)
            for other in seconds:
                for death in DEATHS[once.ledger.boundaries[other]]:
                    history = _played(door, turn, Planned({key: fate, other: death}))
                    _compare(history, plain)
                    count.add(history, f"{door}, {key}: {fate}, {other}: {death}")
    return count


@dataclass
class Schedule:
    """One way to take turns: a beginning that is given, and from there on whoever has the turn keeps it.

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
    door: Door,
    story: Scenario,
    *,
    most_taken: int,
    fates: Callable[[], Planned] = Planned,
    limit: int | None = None,
    knows_the_dead: bool = True,
) -> Count:
    """Let two appliers carry out the same story in every schedule within the bound; as many as `limit` of them."""
    count = Count()
    waiting: list[tuple[int, ...]] = [()]
    while waiting and (limit is None or count.cases < limit):
        schedule = Schedule(waiting.pop())
        history = History(door, fates(), choose=schedule.choose, knows_the_dead=knows_the_dead)
        for turn in story:
            for what in turn.before:
                history.happen(what)
            history.play(turn, appliers=2)
        met = len(schedule.points)
        history.settle(story[-1])
        assert len(schedule.points) == met, "one applier alone has nobody to choose"
        count.add(history, f"{door}, two appliers {schedule.given}")
        count.boundaries = max(count.boundaries, met)
        waiting += schedule.following(most_taken)
    return count


def _played(door: Door, story: Scenario, decider: Planned) -> History:
    return played(History(door, decider), story)


def _compare(history: History, plain: History) -> None:
    """Hold what was made against what is made without faults: the same jobs, and the same files at least once."""
    made, expected = history.ledger.effects, plain.ledger.effects
    jobs, wanted = (Counter(what for verb, what in each if verb == "train") for each in (made, expected))
    files, needed = ({what for verb, what in each if verb == "upload"} for each in (made, expected))
    if jobs != wanted:
        history.ledger.fault(f"the jobs made are {dict(jobs)} instead of {dict(wanted)}")
    if files != needed:
        history.ledger.fault(f"the files made are {sorted(files)} instead of {sorted(needed)}")


def _run_of(key: str) -> int:
    return int(key.partition(" ")[0].removeprefix("run"))
