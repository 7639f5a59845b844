"""What the scripts of this folder share: our service on a port, an environment for each client, a trained model."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BASE = "tfidf-logreg"
KEY = "local-key"


def environment(name: str, packages: tuple[str, ...], cache: Path) -> Path:
    """Return the Python of a client's own environment, made when there is none."""
    home = cache / name
    python = home / "bin" / "python"
    complete = home / "complete"
    if not complete.exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        complete.touch()
    return python


@contextmanager
def serving(store: Path, *options: str) -> Iterator[str]:
    """Start `reconciler serve` on a free port; return its base URL, and stops it with its worker afterwards."""
    command = [sys.executable, "-m", "reconciler", "serve", "--port", "0", "--store", str(store), *options]
    settings = {**os.environ, "RECONCILER_LOCAL_KEY": KEY, "PYTHONPATH": str(HERE.parents[1])}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = re.search(r"OPENAI_BASE_URL=(\S+)", process.stdout.readline())
            assert found, "the service did not come up"
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            _dismiss(store / "worker.lock")


def training() -> Iterator[dict[str, object]]:
    """Rows whose answers can be learned from their words."""
    for number in range(60):
        answer = "odd" if number % 2 else "even"
        asked = f"question {number % 10}"
        yield {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}


def trained(url: str, rows: Path) -> dict[str, Any]:
    """Train a model over plain HTTP; return its job."""
    boundary = "rows-of-a-client"
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n'
        f"{rows.read_text()}\r\n--{boundary}--\r\n"
    )
    file = asked(f"{url}/files", parts.encode(), f"multipart/form-data; boundary={boundary}")["id"]
    body = json.dumps({"model": BASE, "training_file": file}).encode()
    job = asked(f"{url}/fine_tuning/jobs", body)
    while job["status"] not in {"succeeded", "failed"}:
        time.sleep(0.2)
        job = asked(f"{url}/fine_tuning/jobs/{job['id']}")
    assert job["status"] == "succeeded", job
    return job


def asked(url: str, body: bytes | None = None, kind: str = "application/json") -> dict[str, Any]:
    """Ask the service, by POST when there is a body; return its JSON object."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": kind}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers), timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _dismiss(lock: Path) -> None:
    # A worker leaves by itself when it has nothing to do; its store is about to be removed under it.
    worker = lock.read_text().strip() if lock.exists() else ""
    if worker:
        try:
            os.kill(int(worker), signal.SIGTERM)
        except ProcessLookupError:
            return
