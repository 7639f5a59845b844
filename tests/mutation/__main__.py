"""Take the safety rules out one by one, and check that the tests notice.

python -m tests.mutation              all of them
python -m tests.mutation echo twin  those whose names have one of these words
python -m tests.mutation --list
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutation.mutants import MUTANTS, ROOT, Mutant

SECONDS = 600


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true", help="only name them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many side by side")
    options = parser.parse_args()
    chosen = [each for each in MUTANTS if not options.words or any(word in each.name for word in options.words)]
    if options.list:
        print("\n".join(each.name for each in chosen))
        return 0
    watchers = sorted({watcher for each in chosen for watcher in each.watchers})
    if run_watchers(watchers) != 0:
        print(f"the watchers fail without any mutant: {' '.join(watchers)}", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(options.jobs) as pool:
        survivors = [
            each.name for each, noticed in zip(chosen, pool.map(is_noticed, chosen), strict=True) if not noticed
        ]
    print(f"{len(chosen)} mutants, {len(chosen) - len(survivors)} noticed")
    for name in survivors:
        print(f"SURVIVES: {name}", file=sys.stderr)
    return 1 if survivors else 0


def is_noticed(mutant: Mutant) -> bool:
    """Run the watchers against a copy of the project without the rule; return whether one of them fails."""
    try:
        noticed = run_watchers(mutant.watchers, mutant) == 1
    except subprocess.TimeoutExpired:
        # Without this rule the tests do not end: that is noticed as well.
        return True
    print(f"{'noticed ' if noticed else 'SURVIVES'} {mutant.name}", flush=True)
    return noticed


def run_watchers(watchers: Sequence[str], mutant: Mutant | None = None) -> int:
    """Run tests against a copy of the project, without a mutant's rule if there is one; return pytest's exit code.

    Raises: subprocess.TimeoutExpired
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("reconciler", "tests", "schemas", "specs", "docs"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / file, copy / file)
        if mutant:
            path, text = mutant.mutate(copy)
            path.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *watchers]
        environ = {**os.environ, "PYTHONPATH": str(copy)}
        return subprocess.run(
            command, cwd=copy, env=environ, capture_output=True, timeout=SECONDS, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
