"""A repository for each test, with its own state directory; no worker runs on after a test."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.app import run
from reconciler.workflow.home import find_home
from tests.service.service_fixtures import dismiss

HERE = Path(__file__).parent.parent.parent
SPECS = HERE / "specs"
OWN = "own-files"
"""Where a test keeps what it prepares once for several checkouts."""


@dataclass(frozen=True)
class CommandResult:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Repository:
    """A git repository that a user works in."""

    root: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> CommandResult:
        """Run a command as a user types it."""
        self.capture.readouterr()
        code = run(["-C", str(self.root), *arguments])
        captured = self.capture.readouterr()
        return CommandResult(code, captured.out, captured.err)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", "-C", str(self.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(HERE)},
        )

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def take_home(self, folder: str) -> None:
        """Move own files that were made elsewhere, and copied into the checkout, to their place."""
        self.home.parent.mkdir(parents=True)
        shutil.move(self.root / folder, self.home)

    @property
    def home(self) -> Path:
        """Where this checkout's own files are kept."""
        return find_home(self.root, os.environ).directory

    @property
    def store(self) -> Path:
        return self.home / "local"


@pytest.fixture
def repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Repository]:
    """An empty repository; commands run in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    made = Repository(tmp_path, capsys)
    yield made
    dismiss(made.store)


@pytest.fixture
def quickstart(repository: Repository) -> Repository:
    """A repository that holds the quickstart example."""
    shutil.copytree(
        SPECS / "quickstart", repository.root / "specs" / "quickstart", ignore=shutil.ignore_patterns("*.lock.yaml")
    )
    return repository


@pytest.fixture
def without_worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which the built-in service starts no worker, so that its jobs wait."""

    @contextmanager
    def wait() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr("reconciler.service.factory.ensure_worker", lambda *_: None)
            yield

    return wait
