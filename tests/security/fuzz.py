"""Specs, plans and answers at random: `python -m tests.security.fuzz --cases 100000 [--of NAME] [--seed N]`.

Each case is made from the seed and its number alone, so one that failed can be run again: `--only N`. A case may be
refused; it may not raise anything that is not ours, say anything that acts, or take more memory than there is.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from reconciler.render import clean
from reconciler.render.sanitize import markdown_text
from tests.render.test_sanitize import is_harmless
from tests.security.entry_points import ENTRY_POINTS

MEMORY_BYTES = 2 << 30
_LONGEST = 20_000


def run_case(seed: int, number: int, home: Path, only: str | None = None) -> tuple[str, bool]:
    """Run one case; return its entry point and whether it was refused.

    Raises: whatever was not foreseen; AssertionError for words that could act
    """
    chance = random.Random(f"{seed}:{number}")
    names = list(ENTRY_POINTS)
    name = chance.choices(names, [ENTRY_POINTS[each][0] for each in names])[0] if only is None else only
    messages = list(ENTRY_POINTS[name][1](chance, home))
    for words in messages:
        assert is_harmless(clean(words)), words
        assert "\n" not in markdown_text(words)
        assert len(words) < _LONGEST, len(words)
    return name, bool(messages)


def main(arguments: list[str]) -> int:
    """Run cases and print their results; return 1 when one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--of", choices=ENTRY_POINTS, help="cases of one entry point only")
    asked = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    numbers = range(asked.first, asked.first + asked.cases) if asked.only is None else (asked.only,)
    count: Counter[tuple[str, bool]] = Counter()
    failed, slowest, began = 0, (0.0, 0), time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        for number in numbers:
            started = time.monotonic()
            try:
                count[run_case(asked.seed, number, Path(directory), asked.of)] += 1
            except Exception:
                failed += 1
                print(f"case {number} of seed {asked.seed} failed:")
                traceback.print_exc(limit=-8, file=sys.stdout)
                if failed >= 20:
                    break
            slowest = max(slowest, (time.monotonic() - started, number))
    for name in ENTRY_POINTS:
        print(f"{name:10} {count[name, True]:7} refused {count[name, False]:7} taken")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    seconds, (longest, number) = time.monotonic() - began, slowest
    print(f"{failed} failed; {seconds:.0f} s, the slowest {longest:.2f} s (case {number}); {peak} MiB")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
