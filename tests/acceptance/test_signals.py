"""Ctrl-C and SIGTERM at any instant of a real process: one sentence, the right exit code, and never a traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import HERE, Repository

# An instant is the n-th event that the interpreter reports: an import, an opened file, a connection, a started thread.
PROGRAM = """
import os, sys, signal
from reconciler.cli import main
number, instants = int(sys.argv[1]), [int(each) for each in sys.argv[2].split(",")]
sys.argv[1:] = sys.argv[3:]
count = 0
def report(event, arguments):
    global count
    count += 1
    if count in instants:
        os.kill(os.getpid(), number)
sys.addaudithook(report)
try:
    main()
finally:
    if not number:
        os.write(2, f"\\n{count}".encode())
"""
SIGNALS = {"SIGINT": (2, 130, "Interrupted"), "SIGTERM": (15, 143, "Terminated")}


def start(root: Path, number: int, instants: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(number), instants, "-C", str(root), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        timeout=120,
        check=False,
    )


def spread(total: int, count: int) -> Iterator[int]:
    """Yield instants from the first line on, more of them at the beginning, where everything is imported."""
    for at in range(count):
        yield 1 + round((total - 1) * (at / count) ** 2)


COMMANDS = {"validate": 10, "plan": 6, "apply": 6}


@pytest.fixture(scope="module", params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_at_any_instant_ends_in_one_sentence(quickstart: Repository, command: str, signal: str) -> None:
    number, code, word = SIGNALS[signal]
    arguments = [command, "specs", *(["--auto-approve", "--no-wait"] if command == "apply" else [])]
    whole = start(quickstart.root, 0, "0", *arguments)
    total = int(whole.stderr.splitlines()[-1])
    for at in spread(total, COMMANDS[command]):
        done = start(quickstart.root, number, str(at), *arguments)
        assert done.returncode == code, (at, total, done.stderr)
        assert "Traceback" not in done.stderr, (at, total, done.stderr)
        assert sum(word in line or "Interrupted" in line for line in done.stderr.splitlines()) == 1, (at, done.stderr)


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_second_signal_ends_the_process_at_once(quickstart: Repository, signal: str) -> None:
    number, code, _ = SIGNALS[signal]
    total = int(start(quickstart.root, 0, "0", "plan", "specs").stderr.splitlines()[-1])
    for at in (total // 3, total * 2 // 3):
        done = start(quickstart.root, number, f"{at},{at + 1}", "apply", "specs", "--auto-approve")
        assert done.returncode == code, (at, done.stderr)
        assert "Traceback" not in done.stderr, (at, done.stderr)
        assert done.stderr.strip().endswith("."), (at, done.stderr)
