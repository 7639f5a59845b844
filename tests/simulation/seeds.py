"""The random loop. A seed chooses service, scenario, knobs and every turn: the same seed is the same history."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.faults import Dice, Knobs, swarm, turned
from tests.simulation.history import History
from tests.simulation.scenarios import HAPPENINGS, SCENARIOS
from tests.simulation.services import CHOSEN, ServiceVariant

BEYOND_EVERY = 10
"""One seed in so many breaks the bounds on purpose, and is held to the weaker promises."""

LONGEST_BEFORE_PEOPLE = 120.0

REGRESSIONS = Path(__file__).with_name("regressions.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What a seed stands for."""

    seed: int
    variant: ServiceVariant
    scenario: str
    knobs: Knobs

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.variant}, “{self.scenario}”, {turned(self.knobs) or 'no knob'}"

    @classmethod
    def of(cls, seed: int, variant: ServiceVariant | None = None) -> "Seeded":
        dice = random.Random(f"story {seed}")
        chosen = dice.choices(CHOSEN, weights=(3, 3, 2, 2))[0]
        scenario = dice.choice(sorted(SCENARIOS))
        beyond = seed % BEYOND_EVERY == BEYOND_EVERY - 1
        return cls(seed=seed, variant=variant or chosen, scenario=scenario, knobs=swarm(seed, beyond=beyond))


def history_of(seeded: Seeded, make: Callable[..., History] = History) -> History:
    """Play what a seed stands for; what broke is in the history's ledger."""
    turns = random.Random(f"turns {seeded.seed}")
    history = make(
        seeded.variant,
        Dice(seeded.seed, seeded.knobs),
        within_bounds=not seeded.knobs.breaks_bounds,
        choose=lambda count, _: turns.randrange(count),
        knobs=seeded.knobs,
        knows_the_dead=bool(turns.randrange(3)),
        pages_of=1 + turns.randrange(5),
    )
    scenario = SCENARIOS[seeded.scenario]()
    for number, turn in enumerate(scenario):
        for what in turn.before:
            history.happen(what)
        for again in range(1 + turns.randrange(3)):
            _disturb(history, f"{number} {again}")
            history.play(turn, appliers=2 if history.decider.chance(f"{number} {again}", "second") else 1)
    history.settle(scenario[-1])
    return history


def _disturb(history: History, key: str) -> None:
    """Let people change something in the middle of what follows, with some probability."""
    if history.decider.chance(key, "people"):
        what = HAPPENINGS[history.decider.pick(f"people {key}", len(HAPPENINGS))]
        at = history.decider.span(f"people {key}", LONGEST_BEFORE_PEOPLE)
        history.scheduler.time.after(at, lambda: history.happen(what))


def regressions() -> tuple[Seeded, ...]:
    """Return every seed that once broke a promise: a seed and its service a line, and then why."""
    lines = (line.partition("#")[0].split() for line in REGRESSIONS.read_text(encoding="utf-8").splitlines())
    return tuple(Seeded.of(int(words[0]), ServiceVariant(words[1])) for words in lines if words)
