"""The full volume: a kill and every fault at every request, and two applies at once, many times.

python -m tests.network                 kills and faults at every request, 100 pairs
python -m tests.network --together 500  more pairs
python -m tests.network --seed 7 --together 1 --only-together
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.network import cases
from tests.network.environment import NetworkSetup, open_network
from tests.network.proxy import NetworkFault


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.network", description=__doc__)
    parser.add_argument("--together", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-together", action="store_true")
    options = parser.parse_args()
    broken: list[str] = []
    codes = Counter[tuple[int, ...]]()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, open_network(Path(folder)) as network:
        cases.check_undisturbed(network)
        if not options.only_together:
            each_request(network, broken)
        for seed in range(options.seed, options.seed + options.together):
            attempt(f"together, seed {seed}", lambda: codes.update([sorted_codes(network, seed)]), broken)  # noqa: B023 (called at once)
        print(f"{network.made} cases in {time.monotonic() - started:.0f} s, exit codes of pairs: {dict(codes)}")
    print(f"{len(broken)} broken")
    return 1 if broken else 0


def each_request(network: NetworkSetup, broken: list[str]) -> None:
    """Go through the requests of an apply in turn."""
    for number in range(cases.REQUESTS):
        for after in (False, True):
            case = partial(cases.check_kill, network, number, after=after)
            attempt(f"killed at {number}, after={after}", case, broken)
        for fault in NetworkFault:
            attempt(f"{fault} at {number}", partial(cases.check_fault, network, number, fault), broken)


def sorted_codes(network: NetworkSetup, seed: int) -> tuple[int, ...]:
    return tuple(sorted(cases.check_pair(network, seed)))


def attempt(name: str, case: Callable[[], object], broken: list[str]) -> None:
    """Run a case, and say at once when it broke a promise."""
    try:
        case()
    except AssertionError as error:
        broken.append(name)
        print(f"BROKEN {name}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
