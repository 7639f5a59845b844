"""The loop of both fuzzers: `--cases N`, `--seed N`, `--first N`, and `--only N` for a case that failed.

Each case is made from the seed and its number alone, so that it can be run again.
"""

import argparse
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

MEMORY_BYTES = 2 << 30
_MOST_FAILED = 20

RunCase = Callable[[int, int, Path], str]
"""Runs a case by its seed and number in a directory, and returns how it ended; raises whatever was not foreseen."""


def add_arguments(parser: argparse.ArgumentParser, cases: int) -> None:
    """Add the arguments of the loop; `cases` is how many run by default."""
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)


def run_cases(asked: argparse.Namespace, run_case: RunCase) -> int:
    """Run cases in limited memory and print how they ended; return 1 when one failed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    numbers = range(asked.first, asked.first + asked.cases) if asked.only is None else (asked.only,)
    began = time.monotonic()
    failed, slowest = try_cases(asked.seed, numbers, run_case)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds, (longest, number) = time.monotonic() - began, slowest
    print(f"{failed} failed; {seconds:.0f} s, the slowest {longest:.2f} s (case {number}); {peak} MiB")
    return 1 if failed else 0


def try_cases(seed: int, numbers: Sequence[int], run_case: RunCase) -> tuple[int, tuple[float, int]]:
    """Run cases and print how they ended; return how many failed, and the time and number of the slowest."""
    count: Counter[str] = Counter()
    failed, slowest = 0, (0.0, 0)
    with tempfile.TemporaryDirectory() as directory:
        for number in numbers:
            started = time.monotonic()
            try:
                count[run_case(seed, number, Path(directory))] += 1
            except KeyboardInterrupt:
                raise
            except BaseException:
                # A panic of a library in Rust, and an exit, are no `Exception`.
                failed += 1
                print(f"case {number} of seed {seed} failed:")
                traceback.print_exc(limit=-8, file=sys.stdout)
                if failed >= _MOST_FAILED:
                    break
            slowest = max(slowest, (time.monotonic() - started, number))
    for name, times in sorted(count.items()):
        print(f"{times:7}  {name}")
    return failed, slowest
