"""How fast datasets are read, checked and digested, beside other programs that read the same files, in one run.

    python -m tests.benchmarks.bench_dataset [--mb 200] [--rounds 5] [--keep DIRECTORY] [--only NAME ...]
        [--legacy-python PATH]      an environment with openai 0.28.1, pandas and openpyxl
        [--together-python PATH]    an environment with together

Makes its files from a fixed seed, then runs each program in a process of its own, turn by turn. Prints medians of wall
and CPU seconds with the ratio to the first program, and the peak memory: of a program's largest process, and of all its
processes together (sampled). Other programs on the machine disturb every figure; the ratios of one run the least.
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
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_WORDS, _FOREIGN = (
    text.split()
    for text in (
        "the card payment refund why please arrived twice order account when did my transfer not show up I was charged "
        "for something else and cannot log in since yesterday morning could you check whether it went through thanks",
        "Größe 東京 привет 🙂 où después заказ 返金 للدفع",
    )
)

_TOGETHER = (
    "import sys; from together.lib.utils.files import check_file; print(check_file(sys.argv[1])['is_check_passed'])"
)
_LEGACY = "import sys; sys.argv[0] = 'openai'; from openai._openai_scripts import main; main()"


class Cost(NamedTuple):
    """What one program took, its children included."""

    wall_seconds: float
    cpu_seconds: float
    largest_mb: float
    together_mb: float


class Program(NamedTuple):
    """One way to do the job."""

    name: str
    command: list[str]
    directory: Path


def main() -> None:
    """Make the files, run the rounds, print the tables."""
    options = _options()
    directory = Path(options.keep or tempfile.mkdtemp(prefix="bench-dataset-")).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for name, compare in _TABLES.items():
            if not options.only or name in options.only:
                compare(directory, options)
    finally:
        if not options.keep:
            shutil.rmtree(directory)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=200, help="size of the JSON Lines files")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program; medians are shown")
    parser.add_argument("--keep", help="directory for the files, kept for the next run")
    parser.add_argument("--only", action="append", choices=tuple(_TABLES), help="this table; repeatable")
    parser.add_argument("--legacy-python", type=Path, help="interpreter of an environment with openai 0.28.1")
    parser.add_argument("--together-python", type=Path, help="interpreter of an environment with together")
    return parser.parse_args()


def _compare_chat(directory: Path, options: argparse.Namespace) -> None:
    path = _made(directory / f"chat-{options.mb}.jsonl", "chat", options.mb)
    programs = [_sum_of(path), *_together(path, options), _ours(directory, path, "validate", "--no-cache")]
    _table(f"{path.name}: check and digest", programs, options.rounds)


def _compare_completion(directory: Path, options: argparse.Namespace) -> None:
    path = _made(directory / f"completion-{options.mb}.jsonl", "completion", options.mb)
    programs = [*_legacy(path, options), _sum_of(path), *_together(path, options)]
    _table(
        f"{path.name}: check and digest", [*programs, _ours(directory, path, "validate", "--no-cache")], options.rounds
    )


def _compare_workbook(directory: Path, options: argparse.Namespace) -> None:
    path = directory / "rows-20.xlsx"
    if not path.exists():
        _write_workbook(path, 20 << 20)
    programs = [*_legacy(path, options), _ours(directory, path, "validate", "--no-cache")]
    _table(f"{path.name}, 20 MB of text: check and digest", programs, options.rounds)


def _compare_unchanged(directory: Path, options: argparse.Namespace) -> None:
    large = _made(directory / f"chat-{options.mb}.jsonl", "chat", options.mb)
    small = _made(directory / "chat-0.jsonl", "chat", 0)
    without, unchanged = _ours(directory, small, "plan"), _ours(directory, large, "plan")
    for program in (without, unchanged):
        _run(program)
    programs = [without._replace(name="plan, 40 rows"), unchanged._replace(name="plan, unchanged")]
    _table(f"{large.name}: a plan that finds it unchanged", programs, options.rounds)


_TABLES = {
    "chat": _compare_chat,
    "completion": _compare_completion,
    "workbook": _compare_workbook,
    "unchanged": _compare_unchanged,
}


def _sum_of(path: Path) -> Program:
    return Program("sha256sum", ["sha256sum", str(path)], path.parent)


def _together(path: Path, options: argparse.Namespace) -> list[Program]:
    if not options.together_python:
        print("left out: Together's check_file (--together-python PATH)")
        return []
    return [Program("check_file", [str(options.together_python), "-c", _TOGETHER, str(path)], path.parent)]


def _legacy(path: Path, options: argparse.Namespace) -> list[Program]:
    if not options.legacy_python:
        print("left out: the old client's prepare_data (--legacy-python PATH)")
        return []
    words = ["tools", "fine_tunes.prepare_data", "-q", "-f", str(path)]
    return [Program("prepare_data", [str(options.legacy_python), "-c", _LEGACY, *words], path.parent)]


def _ours(directory: Path, path: Path, *words: str) -> Program:
    workspace = directory / f"workspace-{path.stem}"
    (workspace / "specs").mkdir(parents=True, exist_ok=True)
    data = workspace / path.name
    if not data.exists():
        os.link(path, data)
    spec = f"kind: Dataset\nname: bench\nsource: ../{path.name}\n---\nkind: Model\nname: bench\n"
    (workspace / "specs" / "bench.yaml").write_text(f"{spec}base: tfidf-logreg\ntraining: bench\n")
    (workspace / ".git").mkdir(exist_ok=True)
    return Program(f"reconciler {words[0]}", [sys.executable, "-m", "reconciler", *words], workspace)


def _table(title: str, programs: list[Program], rounds: int) -> None:
    costs: dict[str, list[Cost]] = {program.name: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            costs[program.name].append(_run(program))
    print(f"\n{title}; medians of {rounds}")
    print(f"{'program':<22}{'wall s':>8}{'x':>8}{'CPU s':>8}{'x':>8}{'largest MB':>12}{'together MB':>13}")
    medians = {name: Cost(*map(statistics.median, zip(*runs, strict=True))) for name, runs in costs.items()}
    base = medians[programs[0].name]
    for name, cost in medians.items():
        walls, cpus = (_ratio(costs, programs[0].name, name, at) for at in (0, 1))
        print(
            f"{name:<22}{cost.wall_seconds:>8.2f}{walls:>8.3f}{cost.cpu_seconds:>8.2f}{cpus:>8.3f}"
            f"{cost.largest_mb:>12.0f}{cost.together_mb:>13.0f}"
        )
    assert base.wall_seconds


def _ratio(costs: Mapping[str, list[Cost]], base: str, name: str, at: int) -> float:
    # The median of each round's own ratio: what disturbed a round disturbed both.
    return statistics.median(run[at] / first[at] for run, first in zip(costs[name], costs[base], strict=True))


def _run(program: Program) -> Cost:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if not program.command[0].startswith(sys.executable):
        environ.pop("PYTHONPATH")
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(
        program.command,
        cwd=program.directory,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    sampled, done = [0.0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, sampled, done))
    sampler.start()
    error_output = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    done.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise SystemExit(
            f"{program.name} failed with {process.returncode}:\n{error_output.decode(errors='replace')[-2000:]}"
        )
    for written in program.directory.glob("*_prepared*.jsonl"):
        written.unlink()
    largest = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return Cost(wall, usage.ru_utime + usage.ru_stime, largest, max(largest, sampled[0]))


def _sample(process: int, peak: list[float], done: threading.Event) -> None:
    # What the program and its children hold at one moment, looked at twenty times a second where /proc tells.
    while not done.wait(0.05):
        peak[0] = max(peak[0], sum(map(_resident_mb, _family(process))))


def _family(process: int) -> Iterator[int]:
    yield process
    for listing in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = listing.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _resident_mb(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def _made(path: Path, kind: str, mb: int) -> Path:
    if path.exists():
        return path
    source, line, least = random.Random(7), "", 40
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(source, kind):
            # A third as raw UTF-8 and the rest with escapes, and one row in a hundred twice.
            if not line or source.random() >= 0.01:
                line = json.dumps(row, ensure_ascii=source.random() > 0.33) + "\n"
            file.write(line)
            least -= 1
            if least < 0 and file.tell() >= mb << 20:
                break
    return path


def _write_workbook(path: Path, size_bytes: int) -> None:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet, source = workbook.create_sheet(), random.Random(7)
    sheet.append(("prompt", "completion"))
    for row in _rows(source, "completion"):
        sheet.append((row["prompt"], row["completion"]))
        size_bytes -= len(json.dumps(row))
        if size_bytes < 0:
            break
    workbook.save(path)


def _rows(source: random.Random, kind: str) -> Iterator[dict[str, object]]:
    while True:
        # One row in ten in other scripts.
        words = _FOREIGN if source.random() < 0.1 else _WORDS
        if kind == "completion":
            yield {"prompt": f"{_text(source, words, 55)}\n\n###\n\n", "completion": f" {_text(source, words, 12)} END"}
        else:
            system = [{"role": "system", "content": _text(source, _WORDS, 25)}] if source.random() < 0.8 else []
            turns = [
                {"role": role, "content": _text(source, words, 50)}
                for _ in range(source.randint(1, 3))
                for role in ("user", "assistant")
            ]
            yield {"messages": system + turns}


def _text(source: random.Random, words: list[str], most: int) -> str:
    text = " ".join(source.choices(words, k=source.randint(most // 2, most + most // 2)))
    if source.random() < 0.15:
        text = text.replace(" ", "\n", 1)
    return f'They wrote: "{text}"' if source.random() < 0.1 else text


if __name__ == "__main__":
    main()
