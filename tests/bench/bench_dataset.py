"""How fast a dataset is validated and digested, beside `sha256sum` of the same file, in one run.

    python -m tests.bench.bench_dataset [--mb 200] [--rounds 5] [--keep DIRECTORY]

Makes a chat file and a prompt and completion file of the size asked for, then measures each in a process of its own,
turn by turn with `sha256sum`. Prints medians of wall and CPU seconds, and the peak memory, of whole processes.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MEASURE = """
import sys
from pathlib import Path
from reconciler.dataset import measure
from reconciler.domain.errors import Place
from reconciler.domain.spec import DatasetSpec

name = sys.argv[2]
spec = DatasetSpec(name="bench", place=Place(file="bench"), sources=(name,))
print(measure(spec, Path(sys.argv[1])).training.digest)
"""

_WORDS = (
    "the",
    "card",
    "payment",
    "refund",
    "why",
    "please",
    "arrived",
    "twice",
    "order",
    "Größe",
    "東京",
    "привет",
    "🙂",
)


class Cost(NamedTuple):
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def main() -> None:
    """Make the files, run the rounds, print the table."""
    options = _options()
    directory = Path(options.keep or tempfile.mkdtemp(prefix="bench-dataset-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for kind in ("chat", "completion"):
            path = directory / f"{kind}-{options.mb}.jsonl"
            if not path.exists():
                _write(path, kind, options.mb << 20)
            _compare(path, options.rounds)
    finally:
        if not options.keep:
            shutil.rmtree(directory)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=200, help="size of each file")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program; medians are shown")
    parser.add_argument("--keep", help="directory for the files, kept for the next run")
    return parser.parse_args()


def _compare(path: Path, rounds: int) -> None:
    programs = {
        "sha256sum": ["sha256sum", str(path)],
        "measure": [sys.executable, "-c", _MEASURE, str(path.parent), path.name],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, command in programs.items():
            costs[name].append(_run(command))
    print(f"\n{path.name}: {path.stat().st_size >> 20} MB, medians of {rounds}")
    print(f"{'program':<12}{'wall s':>9}{'x':>7}{'CPU s':>9}{'peak MB':>9}")
    base = statistics.median(cost.wall_seconds for cost in costs["sha256sum"])
    for name, runs in costs.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:<12}{wall:>9.2f}{wall / base:>7.2f}{cpu:>9.2f}{peak:>9.0f}")


def _run(command: list[str]) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _write(path: Path, kind: str, size_bytes: int) -> None:
    source = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(source, kind):
            # A third as raw UTF-8 and the rest with escapes, as files in the wild have it.
            file.write(json.dumps(row, ensure_ascii=source.random() > 0.33) + "\n")
            if file.tell() >= size_bytes:
                return


def _rows(source: random.Random, kind: str) -> Iterator[dict[str, object]]:
    while True:
        if kind == "completion":
            yield {"prompt": _text(source, 50), "completion": _text(source, 8)}
        else:
            turns = [{"role": role, "content": _text(source, 40)} for role in ("user", "assistant")] * source.randint(
                1, 3
            )
            yield {"messages": [{"role": "system", "content": _text(source, 20)}, *turns]}


def _text(source: random.Random, words: int) -> str:
    return " ".join(source.choices(_WORDS, k=source.randint(words // 2, words)))


if __name__ == "__main__":
    main()
