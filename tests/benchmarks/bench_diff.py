"""Row differences: a whole plan on 100,000 rows of which a few changed, and the memory of comparing a million.

    python -m tests.benchmarks.bench_diff [ROWS]

Each figure is of a process of its own. The plan is the command as a user types it, on the built-in service, which
holds the version before; the second plan finds that version in the local cache.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 100_000
MANY = 1_000_000
ROOT = Path(__file__).parents[2]

SPECS = """\
kind: Dataset
name: tickets
source: tickets.jsonl
---
kind: Model
name: triage
base: tfidf-logreg
training: tickets
"""

COMPARE = """
import sys, time
from pathlib import Path
from reconciler.dataset.row_diff.compare import compare
from reconciler.dataset.row_diff.version import side_of_files
start = time.perf_counter()
with side_of_files([Path(sys.argv[1])]) as before, side_of_files([Path(sys.argv[2])]) as after:
    found = compare(before, after, "before")
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(found.added, found.removed, found.edited, found.moved, time.perf_counter() - start, int(peak) // 1024)
"""


def row(number: int) -> str:
    """One chat row of about 300 bytes, in canonical form."""
    words = " ".join(f"{word}{number * 31 % 997}" for word in ("refund", "order", "card", "account", "late", "please"))
    turns = [
        {"role": "system", "content": "You sort support messages into queues, and say nothing else."},
        {"role": "user", "content": f"Ticket {number}: {words}, and thank you"},
        {"role": "assistant", "content": ("billing", "shipping", "other")[number % 3]},
    ]
    return json.dumps({"messages": turns}, separators=(",", ":")) + "\n"


def changed(rows: list[str]) -> list[str]:
    """The same with one row edited, three added and five moved."""
    made, chance = list(rows), random.Random(1)
    made[len(made) // 3] = made[len(made) // 3].replace("and thank you", "and many thanks")
    for _ in range(5):
        made.append(made.pop(chance.randrange(len(made) // 2)))
    for number in range(3):
        made.insert(chance.randrange(len(made) // 2), row(10_000_000 + number))
    return made


def run(directory: Path, *arguments: str) -> tuple[float, str]:
    """Run a command; return its seconds and its output."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(directory), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return time.perf_counter() - start, done.stdout


def bench_plan(directory: Path, count: int) -> None:
    (directory / ".git").mkdir()
    (directory / "specs").mkdir()
    (directory / "specs/all.yaml").write_text(SPECS)
    rows, data = [row(number) for number in range(count)], directory / "specs/tickets.jsonl"
    data.write_text("".join(rows))
    run(directory, "apply", "--auto-approve")
    data.write_text("".join(changed(rows)))
    for what, flags in (("without rows", ["--no-rows"]), ("first, fetching", []), ("again, from the cache", [])):
        seconds, output = run(directory, "plan", *flags)
        found = next((line.strip() for line in output.splitlines() if line.strip().startswith("~ rows")), "")
        print(f"plan on {count:,} rows, {what}: {seconds:.2f} s  {found}")


def bench_memory(directory: Path, count: int) -> None:
    before, after = directory / "before.jsonl", directory / "after.jsonl"
    rows = [row(number) for number in range(count)]
    before.write_text("".join(rows))
    after.write_text("".join(changed(rows)))
    size = before.stat().st_size
    del rows
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(before), str(after)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    added, removed, edited, moved, seconds, megabytes = done.stdout.split()
    print(
        f"{count:,} rows ({size >> 20} MiB) compared in {float(seconds):.2f} s, peak {megabytes} MB:"
        f" +{added} -{removed} ~{edited} moved {moved}"
    )


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else ROWS
    with tempfile.TemporaryDirectory() as directory:
        bench_plan(Path(directory), count)
    with tempfile.TemporaryDirectory() as directory:
        bench_memory(Path(directory), MANY * count // ROWS)


if __name__ == "__main__":
    main()
