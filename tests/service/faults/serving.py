"""The command `serve`, in a process of its own, as a user starts it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.service.service_fixtures import dismiss

HERE = Path(__file__).parents[3]
KEY = "local-key"


@dataclass(frozen=True, slots=True)
class Served:
    """A service on a port: its base URL, and the lines that it printed at start."""

    url: str
    first_lines: tuple[str, ...]


@contextmanager
def serving(store: Path, *faults: str) -> Iterator[Served]:
    """Start `reconciler serve` with faults and stop it afterwards; its exit code has to be 0."""
    command = [sys.executable, "-W", "error", "-m", "reconciler", "serve", "--port", "0", "--store", str(store)]
    command += [part for fault in faults for part in ("--fault", fault)]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "RECONCILER_LOCAL_KEY": KEY}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        assert process.stderr
        found = re.fullmatch(r"export OPENAI_BASE_URL=(http://127\.0\.0\.1:\d+/v1)\n", process.stdout.readline())
        first_lines = tuple(process.stderr.readline() for _ in range(1 + len(faults)))
        try:
            assert found, first_lines
            yield Served(found[1], first_lines)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
    dismiss(store)
    assert (process.returncode, errors) == (0, "")
