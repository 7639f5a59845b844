"""A service in a process of its own, a proxy before it, and repositories of separate projects."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.network.proxy import FaultyProxy, open_proxy
from tests.service.service_fixtures import dismiss

HERE = Path(__file__).parent.parent.parent
OURS = "reconciler-project"
KEY = "key-of-the-network-tests"

SPEC = """\
kind: Project
name: {project}
---
kind: Dataset
name: questions
source: rows.jsonl
---
kind: Model
name: triage
base: tfidf-logreg
training: questions
"""


def rows(project: str) -> str:
    """Rows of a project's own, so that no other project has uploaded them."""
    turns = ((f"question {n} of {project}", f"{n % 3}") for n in range(12))
    pairs = ([{"role": "user", "content": ask}, {"role": "assistant", "content": answer}] for ask, answer in turns)
    return "".join(json.dumps({"messages": messages}) + "\n" for messages in pairs)


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and its output."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Checkout:
    """A repository with one project, whose service is reached through the proxy."""

    root: Path
    project: str
    url: str

    @property
    def home(self) -> Path:
        return self.root.with_name(f"{self.root.name}-home")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "RECONCILER_"))}
        environ = {**kept, "PYTHONPATH": str(HERE), "RECONCILER_LOCAL_URL": self.url, "RECONCILER_LOCAL_KEY": KEY}
        environ["RECONCILER_HOME"] = str(self.home)
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", "-C", str(self.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environ,
        )

    def apply(self, *more: str) -> "subprocess.Popen[str]":
        return self.start("apply", "--auto-approve", "--no-wait", *more)


def result_of(process: "subprocess.Popen[str]", seconds: float = 120) -> CommandResult:
    """Wait for a command and return its result; one that has not ended by then is a failure."""
    out, err = process.communicate(timeout=seconds)
    return CommandResult(process.returncode, out, err)


@dataclass
class NetworkSetup:
    """Everything one case needs."""

    service: str
    proxy: FaultyProxy
    url: str
    folder: Path
    made: int = 0

    def checkout(self) -> Checkout:
        """Make a repository of a new project."""
        self.made += 1
        self.proxy.forget()
        root, project = self.folder / f"checkout-{self.made}", f"project-{self.made}"
        (root / ".git").mkdir(parents=True)
        (root / "specs").mkdir()
        (root / "specs" / "triage.yaml").write_text(SPEC.format(project=project), encoding="utf-8")
        (root / "specs" / "rows.jsonl").write_text(rows(project), encoding="utf-8")
        return Checkout(root, project, self.url)

    def jobs(self, checkout: Checkout) -> list[dict[str, Any]]:
        """Return every job of a project, asked of the service directly."""
        asked = {"limit": "100", f"metadata[{OURS}]": checkout.project}
        answer = httpx.get(
            f"{self.service}/fine_tuning/jobs", params=asked, headers={"authorization": f"Bearer {KEY}"}, timeout=60
        )
        listed: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return [job for job in listed if job["metadata"].get(OURS) == checkout.project]


@contextmanager
def open_network(folder: Path) -> Iterator[NetworkSetup]:
    """Start a service and open a proxy to it."""
    store = folder / "store"
    server = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "serve", "--port", "0", "--store", str(store), "--api-key", KEY],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    assert server.stdout
    try:
        result = server.stdout.readline()
        assert result.startswith("export OPENAI_BASE_URL="), result
        service = result.strip().partition("=")[2]
        with open_proxy(service) as (proxy, url):
            yield NetworkSetup(service, proxy, url, folder)
    finally:
        server.terminate()
        try:
            server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
        dismiss(store)
