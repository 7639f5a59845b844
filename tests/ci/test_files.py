"""Rules for every workflow and the action: pins, permissions, and no expression inside a script."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.conftest import ACTION
from tests.ci.runner import GITHUB, HERE

FILES = sorted([*(GITHUB / "workflows").glob("*.yml"), *(GITHUB / "actions").rglob("action.yml")])
WORKFLOWS = [path for path in FILES if path.name != "action.yml"]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def steps(path: Path) -> list[dict[str, Any]]:
    """Every step of a file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    parts = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [step for part in parts for step in part["steps"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_the_release_in_a_comment(path: Path) -> None:
    for step in steps(path):
        uses = step.get("uses", "$/")
        assert uses.startswith("$/.github/") or uses == "$/" or PINNED.fullmatch(uses), uses
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line and "@" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_one_action_has_one_pin() -> None:
    pins = {step["uses"] for path in FILES for step in steps(path) if "@" in step.get("uses", "")}

    assert len(pins) == len({pin.partition("@")[0] for pin in pins}), sorted(pins)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_script_holds_an_expression(path: Path) -> None:
    """An expression would become part of the script; in the environment it stays data."""
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_starts_without_permissions_and_gives_no_secrets_to_forks(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in str(content[True])  # YAML 1.1 reads the key `on` so
    if "pull_request" in content[True]:
        for job in content["jobs"].values():
            assert job.get("permissions", {}) in ({}, {"contents": "read"})
            assert "secrets." not in str(job)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_that_may_write_holds_no_key_and_only_posts(path: Path) -> None:
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        if "write" in str(job.get("permissions", {})) and path.name != "release.yml":
            assert "secrets." not in str(job)
            for step in job["steps"]:
                assert "run" not in step
                assert re.match(r"\$/\.github/actions/post$|actions/(checkout|download-artifact)@", step["uses"])


def test_the_action_installs_what_the_project_needs_at_the_versions_that_are_tested() -> None:
    ours, tested = (pins(path) for path in (ACTION / "requirements.txt", HERE / ".ci" / "requirements.txt"))
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["local"]]

    assert {name(each) for each in needed} <= set(ours)
    for each in set(ours) & set(tested):
        assert ours[each] == tested[each], each


def test_an_apply_is_never_cancelled_and_never_triggers_itself() -> None:
    content = yaml.safe_load((GITHUB / "workflows" / "apply.yml").read_text(encoding="utf-8"))

    assert content["concurrency"]["cancel-in-progress"] is False
    assert "!specs/**/models*.lock.yaml" in content[True]["push"]["paths"]
    assert content["jobs"]["apply"]["environment"] == "production"


def test_the_guide_names_every_input_and_output_and_existing_files_only() -> None:
    guide = (HERE / "docs" / "ci.md").read_text(encoding="utf-8")
    for action in ("reconcile", "post"):
        declared = yaml.safe_load((GITHUB / "actions" / action / "action.yml").read_text(encoding="utf-8"))
        for each in [*declared["inputs"], *declared.get("outputs", {})]:
            assert f"`{each}`" in guide, each
    for link in re.findall(r"\]\(\.\./([^)]+)\)", guide):
        assert (HERE / link).is_file(), link


def test_the_hook_for_pre_commit_runs_validate() -> None:
    (hook,) = yaml.safe_load((HERE / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert (hook["entry"], hook["pass_filenames"]) == ("reconciler validate", False)


def pins(path: Path) -> dict[str, set[str]]:
    """The versions of each name in a file of requirements; each has a hash."""
    found: dict[str, set[str]] = {}
    for line in re.split(r"\n(?=[a-z0-9])", path.read_text(encoding="utf-8")):
        if pinned := re.match(r"([a-z0-9-]+)==([^\s;]+)", line):
            assert "--hash=sha256:" in line, line
            found.setdefault(pinned[1], set()).add(pinned[2])
    return found


def name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9-]", requirement)[0].lower()
