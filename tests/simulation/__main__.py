"""Runs the apply protocol in the deterministic simulation: `python -m tests.simulation --seeds 10000 --jobs 2`.

Every seed that breaks a promise is printed with the command that repeats it; `--exhaustive` runs the other loop.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.simulation.exhaustive import Count, every_outcome, pairs_of_kills, two_appliers
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.seeds import Seeded, history_of
from tests.simulation.services import ServiceVariant

BATCH = 25
PREEMPTIONS = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """What some seeds came to."""

    seeds: int
    calls: int
    broken: tuple[str, ...]


def play_batch(seeds: range, variant: ServiceVariant | None) -> Batch:
    """Play seeds one after the other."""
    calls, broken = 0, []
    for seed in seeds:
        seeded = Seeded.of(seed, variant)
        history = history_of(seeded)
        calls += history.invariants.calls
        if history.invariants.violations:
            again = f"python -m tests.simulation --seed {seed}" + (f" --profile {variant}" if variant else "")
            broken.append("\n    ".join([str(seeded), *history.invariants.violations, f"again: {again}"]))
    return Batch(len(seeds), calls, tuple(broken))


def soak(first: int, count: int, minutes: float, variant: ServiceVariant | None, jobs: int) -> int:
    """Play so many seeds, or as many as there is time for; return the number that broke a promise."""
    began = time.monotonic()
    ranges = (range(at, min(at + BATCH, first + count)) for at in range(first, first + count, BATCH))
    seeds, calls, broken = 0, 0, 0
    for batch in _batches(ranges, partial(play_batch, variant=variant), jobs, began + 60 * minutes):
        seeds, calls, broken = seeds + batch.seeds, calls + batch.calls, broken + len(batch.broken)
        for report in batch.broken:
            print(report, flush=True)
    print(f"{seeds} seeds, {calls} calls, {time.monotonic() - began:.0f} seconds, {broken} seeds broke a promise")
    return broken


def _batches(ranges: Iterator[range], play: "partial[Batch]", jobs: int, until: float) -> Iterator[Batch]:
    if jobs == 1:
        for each in ranges:
            if time.monotonic() > until:
                return
            yield play(each)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waves = list(ranges)
        for start in range(0, len(waves), 4 * jobs):
            if time.monotonic() > until:
                return
            yield from pool.map(play, waves[start : start + 4 * jobs])


def exhaust(variants: tuple[ServiceVariant, ...]) -> int:
    """Run the exhaustive loop over every scenario; return the number of faults."""
    total = 0
    for variant in variants:
        for name, scenario in SCENARIOS.items():
            total += print_count(f"{variant}, every outcome, “{name}”", every_outcome(variant, scenario()))
        total += print_count(f"{variant}, pairs of kills", pairs_of_kills(variant, SCENARIOS["one"]()))
    pair = SCENARIOS["two on two datasets"]()
    total += print_count(
        "port, two appliers, one model", two_appliers(ServiceVariant.PORT, SCENARIOS["one"](), most_taken=3)
    )
    total += print_count(
        "port, two appliers, two models", two_appliers(ServiceVariant.PORT, pair, most_taken=PREEMPTIONS)
    )
    return total


def print_count(what: str, count: Count) -> int:
    """Say what a loop came to; return the number of faults."""
    print(
        f"{what}: {count.boundaries} boundaries, {count.cases} cases, {count.calls} calls, {len(count.faults)} faults"
    )
    for fault in count.faults[:10]:
        print(f"    {fault}")
    sys.stdout.flush()
    return len(count.faults)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin no more after so long")
    parser.add_argument("--seed", type=int, help="one seed alone")
    parser.add_argument(
        "--profile", type=ServiceVariant, choices=list(ServiceVariant), help="one service for all seeds"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--exhaustive", action="store_true", help="the exhaustive loop instead of seeds")
    asked = parser.parse_args()
    if asked.exhaustive:
        return min(1, exhaust((asked.profile,) if asked.profile else tuple(ServiceVariant)))
    if asked.seed is not None:
        return min(1, soak(asked.seed, 1, asked.minutes, asked.profile, 1))
    return min(1, soak(asked.first, asked.seeds, asked.minutes, asked.profile, asked.jobs))


if __name__ == "__main__":
    sys.exit(main())
