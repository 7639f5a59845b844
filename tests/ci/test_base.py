"""What the plan of a fork is compared with: the base of the pull request, wherever the checkout has it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.ci.conftest import ACTION, script_of
from tests.ci.events import STRANGER, pull_request
from tests.ci.fake_github import REPOSITORY
from tests.ci.runner import git

PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > "$RUNNER_TEMP/arguments"
"""


class Fork:
    """A repository, a pull request of a fork with two commits, and a runner that plans it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "tree"
        git("init", "--quiet", "--initial-branch=main", str(self.tree))
        self.base = self._commit("base")
        git("-C", str(self.tree), "checkout", "--quiet", "-b", "topic")
        self._commit("one")
        self.head = self._commit("two")
        git("-C", str(self.tree), "checkout", "--quiet", "--detach", "main")
        git("-C", str(self.tree), "merge", "--quiet", "--no-ff", "--message", "merge", "topic")
        self.merge = git("-C", str(self.tree), "rev-parse", "HEAD")
        git("-C", str(self.tree), "branch", "merged", self.merge)
        git("-C", str(self.tree), "config", "uploadpack.allowAnySHA1InWant", "true")

    def _commit(self, name: str) -> str:
        (self.tree / name).write_text(name, encoding="utf-8")
        git("-C", str(self.tree), "add", "--all")
        git("-C", str(self.tree), "commit", "--quiet", "--message", name)
        return git("-C", str(self.tree), "rev-parse", "HEAD")

    def plan(self, commit: str, depth: int, *, extra: str = "", also: str = "") -> list[str]:
        """Check a commit out as actions/checkout does, run the action's command, and return what it was given."""
        place = self.folder / "checkout"
        git("init", "--quiet", str(place))
        url = f"file://{self.tree}"
        depths = [f"--depth={depth}"] if depth else []
        git("-C", str(place), "fetch", "--quiet", "--no-tags", *depths, url, commit)
        git("-C", str(place), "checkout", "--quiet", commit)
        if also:
            git("-C", str(place), "fetch", "--quiet", *depths, url, f"main:refs/remotes/origin/{also}")
        event = pull_request(self.head, STRANGER)
        event["pull_request"] |= {"base": {"sha": self.base, "ref": "main"}, "merge_commit_sha": self.merge}
        (self.folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
        program = self.folder / "bin" / "reconciler"
        program.parent.mkdir()
        program.write_text(PROGRAM, encoding="utf-8")
        program.chmod(0o755)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_REPOSITORY": REPOSITORY,
            "COMMAND": "plan",
            "ROOT": str(place),
            "OFFLINE": "auto",
            "ORIGIN": "auto",
            "EXTRA_ARGS": extra,
            "RECONCILER_BIN": str(program.parent),
            **dict.fromkeys(("ENVIRONMENT", "PROVIDER", "EXPECT_BASIS", "OWN_INSTALLATION"), ""),
        }
        ran = subprocess.run(
            ["bash", str(ACTION / "run.sh")], env=environ, check=False, capture_output=True, text=True, cwd=self.folder
        )
        assert ran.returncode == 0, ran.stderr
        return (self.folder / "arguments").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def fork(tmp_path: Path) -> Fork:
    return Fork(tmp_path)


def base_of(arguments: list[str]) -> str:
    assert "--offline" in arguments
    return arguments[arguments.index("--base") + 1]


@pytest.mark.parametrize("depth", [0, 2])
def test_the_merge_of_a_fork_is_compared_with_its_first_parent(fork: Fork, depth: int) -> None:
    assert base_of(fork.plan(fork.merge, depth)) == fork.base


@pytest.mark.parametrize("also", ["", "main"])
def test_the_head_of_a_fork_is_compared_with_where_it_left_the_base(fork: Fork, also: str) -> None:
    assert base_of(fork.plan(fork.head, 0, also=also)) == fork.base


def test_a_shallow_head_is_compared_with_the_branch_that_it_goes_into(fork: Fork) -> None:
    assert base_of(fork.plan(fork.head, 1, also="main")) == fork.base


@pytest.mark.parametrize(("what", "depth"), [("merge", 1), ("head", 1), ("head", 2)])
def test_without_its_base_a_fork_is_compared_with_no_commit_of_its_own(fork: Fork, what: str, depth: int) -> None:
    """The commit before may be the fork's own, and would show no changes."""
    found = base_of(fork.plan(getattr(fork, what), depth))
    assert found == "the base of this pull request"


def test_a_base_that_the_workflow_names_is_left_alone(fork: Fork) -> None:
    arguments = fork.plan(fork.merge, 1, extra="--against main")
    assert "--base" not in arguments
    assert arguments[arguments.index("--against") + 1] == "main"


@pytest.mark.parametrize("branch", ["-x", "a..b", "x\ny", "x y", "", None, 7])
def test_no_name_of_a_branch_becomes_anything_else(branch: object, tmp_path: Path) -> None:
    event = {"pull_request": {"base": {"sha": "HEAD", "ref": branch}}}
    (tmp_path / "event.json").write_text(json.dumps(event), encoding="utf-8")
    assert list(script_of("base").find_bases({"GITHUB_EVENT_PATH": str(tmp_path / "event.json")})) == []
