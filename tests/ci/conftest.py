"""A repository with specs, its bare origin, and a fake GitHub; no worker runs on after a test."""

import importlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ci.fake_github import TOKEN, FakeHub, open_hub
from tests.ci.runner import GITHUB, HERE, Runner, git
from tests.service.service_fixtures import dismiss

ACTION = GITHUB / "actions" / "reconcile"
MARKER = "<!-- reconciler env= root=specs/quickstart -->"


@dataclass(frozen=True)
class Script:
    """Runs a script of the action as a command."""

    hub: FakeHub
    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, name: str, *arguments: str, event: Any = None, unset: str = "", **more: str) -> tuple[int, str]:
        """Run the script; return its exit code and its output."""
        named = self.folder / "event.json"
        named.write_text(json.dumps(event), encoding="utf-8")
        environ = {
            **self.hub.environ(),
            "PATH": os.environ["PATH"],
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_EVENT_PATH": str(named),
            "GITHUB_RUN_ID": "4711",
            **more,
        }
        environ.pop(unset, None)
        self.capture.readouterr()
        code: int = script_of(name).main(arguments, environ)
        captured = self.capture.readouterr()
        assert TOKEN not in captured.out + captured.err
        return code, captured.out

    def review(self, *parts: str, name: str = "review.json", **more: Any) -> str:
        """Write a review; return its path."""
        environment, root = more.get("environment") or "", more.get("root", "specs/quickstart")
        has_changes = more.get("has_changes", True)
        value = {
            "version": 2,
            "marker": script_of("review").write_marker(environment, root),
            "environment": None,
            "root": "specs/quickstart",
            "commit": "a" * 40,
            "basis": "1" * 64,
            "verdict": "1 model retrained",
            "state": "changes" if has_changes else "settled",
            "has_changes": has_changes,
            "parts": list(parts or ("A plan.",)),
            **more,
        }
        path = self.folder / name
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with open_hub() as opened:
        yield opened


@pytest.fixture
def script(hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Script:
    return Script(hub, tmp_path, capsys)


def script_of(name: str) -> Any:
    """Load a script of the action, which is no package: its directory is where it looks for the others."""
    if str(ACTION) not in sys.path:
        sys.path.append(str(ACTION))
    return importlib.import_module(name)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository whose main branch has the quickstart specs and tracks lock files."""
    return make_origin(tmp_path / "origin")


def make_origin(folder: Path) -> Path:
    """Make a bare repository of the workflows and the quickstart specs."""
    tree = folder / "tree"
    shutil.copytree(GITHUB, tree / ".github", ignore=shutil.ignore_patterns("__pycache__"))
    ignored = shutil.ignore_patterns("*.lock.yaml", ".reconciler")
    shutil.copytree(HERE / "specs" / "quickstart", tree / "specs" / "quickstart", ignore=ignored)
    (tree / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
    git("init", "--quiet", str(tree))
    git("-C", str(tree), "add", "--all")
    git("-C", str(tree), "commit", "--quiet", "--message", "specs")
    git("clone", "--quiet", "--bare", str(tree), str(folder / "bare"))
    return folder / "bare"


@pytest.fixture
def runner(origin: Path, hub: FakeHub, tmp_path: Path) -> Iterator[Runner]:
    """A runner of workflows, with a key among its secrets that no step may receive."""
    made = Runner(origin, tmp_path, hub.environ(), {"OPENAI_API_KEY": "a-canary", "GITHUB_TOKEN": TOKEN})
    yield made
    for workspace in made.workspaces:
        for database in workspace.parent.rglob("service.db"):
            dismiss(database.parent)
