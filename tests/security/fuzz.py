"""Specs, plans and answers at random: `python -m tests.security.fuzz --cases 100000 [--of NAME] [--seed N]`.

Each case is made from the seed and its number alone, so one that failed can be run again: `--only N`. A case may be
refused; it may not raise anything that is not ours, say anything that acts, or take more memory than there is.
"""

import argparse
import random
import sys
from pathlib import Path

from reconciler.render import clean
from reconciler.render.sanitize import markdown_text
from tests.render.test_sanitize import is_harmless
from tests.security.entry_points import ENTRY_POINTS
from tests.security.loop import add_arguments, run_cases

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
    add_arguments(parser, cases=10_000)
    parser.add_argument("--of", choices=ENTRY_POINTS, help="cases of one entry point only")
    asked = parser.parse_args(arguments)

    def run(seed: int, number: int, home: Path) -> str:
        name, is_refused = run_case(seed, number, home, asked.of)
        return f"{name}: {'refused' if is_refused else 'taken'}"

    return run_cases(asked, run)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
