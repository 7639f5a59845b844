"""How fast the built-in service lists what it holds, over a real connection, against a goal of 50 ms at the median.

    python -m tests.benchmarks.bench_server [--jobs 2000] [--files 5000] [--rows 10000] [--rounds 30]

Fills a store with jobs and files, trains one real job of so many rows while the lists are read, and prints medians and
95th percentiles in milliseconds. The exit code is 1 when a median misses the goal.
"""

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from reconciler.service.store import (
    SUCCEEDED,
    VALIDATING,
    FileRecord,
    JobRecord,
    Store,
    add_event,
    add_file,
    add_job,
    change_job,
    open_store,
)

GOAL_MS = 50.0
KEY = "bench"
BASE = "tfidf-logreg"
INTENTS = ("refund", "arrival", "rate", "lost", "limit", "fee", "transfer", "pin", "top-up", "country")

PAGES = {
    "files, default (all)": "/files",
    "files, limit 100": "/files?limit=100",
    "files, limit 1000": "/files?limit=1000",
    "files, purpose, limit 100": "/files?purpose=fine-tune&limit=100",
    "files, limit 100, in the middle": "/files?limit=100&after=file-bench{middle_file}",
    "jobs, limit 20": "/fine_tuning/jobs?limit=20",
    "jobs, limit 100": "/fine_tuning/jobs?limit=100",
    "jobs, limit 100, in the middle": "/fine_tuning/jobs?limit=100&after=ftjob-bench{middle_job}",
    "jobs, one by metadata": "/fine_tuning/jobs?metadata[address]=model/m7",
    "jobs, none by metadata": "/fine_tuning/jobs?metadata[address]=model/nobody",
    "events of a job, limit 20": "/fine_tuning/jobs/ftjob-bench{middle_job}/events",
    "models": "/models",
}


def main() -> None:
    """Fill the store, serve it, measure, print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-server-") as folder:
        store = open_store(Path(folder) / "store")
        _fill(store, options.jobs, options.files)
        with _served(store.root) as url, httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"}) as http:
            job = _train(http, options.rows)
            places = {"middle_file": options.files // 2, "middle_job": options.jobs // 2}
            busy = _measure(http, places, options.rounds)
            ended = _wait(http, job)
            quiet = _measure(http, places, options.rounds)
    print(f"{options.jobs} jobs, {options.files} files; a job of {options.rows} rows {ended}")
    print(f"\n{'page':<36}{'busy ms':>9}{'p95':>7}{'quiet ms':>10}{'p95':>7}{'kB':>7}")
    for name, (times, size) in busy.items():
        row = (statistics.median(times), _p95(times), statistics.median(quiet[name][0]), _p95(quiet[name][0]))
        print(f"{name:<36}{row[0]:>9.1f}{row[1]:>7.1f}{row[2]:>10.1f}{row[3]:>7.1f}{size / 1024:>7.0f}")
    late = [name for name, (times, _) in quiet.items() if statistics.median(times) > GOAL_MS]
    sys.exit(f"over {GOAL_MS:g} ms at the median: {', '.join(late)}" if late else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    return parser.parse_args()


def _fill(store: Store, jobs: int, files: int) -> None:
    now = int(time.time())
    with store.write() as db:
        for number in range(files):
            name = f"file-bench{number}"
            (store.files / name).write_bytes(b"{}\n")
            purpose = "fine-tune" if number % 10 else "fine-tune-results"
            add_file(
                db, FileRecord(id=name, filename="rows.jsonl", purpose=purpose, size_bytes=3, created_at=now + number)
            )
        for number in range(jobs):
            job = JobRecord(
                id=f"ftjob-bench{number}",
                base=BASE,
                training_file=f"file-bench{number % files}",
                validation_file=None,
                suffix=f"m{number % 50}",
                seed=number,
                metadata={"managed-by": "reconciler", "address": f"model/m{number % 50}", "digest": f"{number:064x}"},
                hyperparameters={"n_epochs": 3, "learning_rate_multiplier": 1.0},
                status=VALIDATING,
                created_at=now + number,
            )
            add_job(db, job)
            for step in range(25):
                add_event(db, job.id, now + number, f"Step {step}", data={"step": step, "train_loss": 1.0})
            change_job(db, job.id, status=SUCCEEDED, finished_at=now + number, trained_tokens=number)


@contextmanager
def _served(root: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "reconciler", "serve", "--port", "0", "--store", str(root), "--api-key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        yield server.stdout.readline().strip().removeprefix("export OPENAI_BASE_URL=")
        server.send_signal(signal.SIGTERM)


def _train(http: httpx.Client, rows: int) -> str:
    source = random.Random(7)
    lines = []
    for _ in range(rows):
        intent = source.choice(INTENTS)
        text = f"please help with {intent} " + " ".join(source.choices(("card", "money", "today", "app", "why"), k=12))
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": intent}]
        lines.append(json.dumps({"messages": turns}))
    files = {"file": ("rows.jsonl", "\n".join(lines).encode())}
    file = http.post("/files", files=files, data={"purpose": "fine-tune"}).raise_for_status().json()["id"]
    body = {"model": BASE, "training_file": file, "hyperparameters": {"n_epochs": 5}}
    return str(http.post("/fine_tuning/jobs", json=body).raise_for_status().json()["id"])


def _wait(http: httpx.Client, job: str) -> str:
    began = time.perf_counter()
    while True:
        found = http.get(f"/fine_tuning/jobs/{job}").raise_for_status().json()
        if found["finished_at"] is not None:
            return f"{found['status']} in {found['finished_at'] - found['created_at']} s"
        if time.perf_counter() - began > 600:
            return f"still {found['status']} after 10 minutes"
        time.sleep(0.2)


def _measure(http: httpx.Client, places: dict[str, int], rounds: int) -> dict[str, tuple[list[float], int]]:
    found: dict[str, tuple[list[float], int]] = {}
    for name, path in PAGES.items():
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = http.get(path.format(**places)).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
        found[name] = (times, len(answer.content))
    return found


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


if __name__ == "__main__":
    main()
