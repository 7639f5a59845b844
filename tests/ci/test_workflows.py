"""Every workflow from event to end: what is planned, applied, posted and recorded, and which secrets no step gets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci.conftest import ACTION, MARKER
from tests.ci.events import STRANGER, pull_request, push, schedule, workflow_run
from tests.ci.fake_github import REPOSITORY, TOKEN, FakeHub
from tests.ci.runner import HERE, WATCH, Runner, commands, git, outputs_of

pytestmark = pytest.mark.loopback

ROOT = "specs/quickstart"
CANARY = "a-canary"


def head(runner: Runner) -> str:
    return git("-C", str(runner.origin), "rev-parse", "main")


def test_a_branch_is_planned_online_and_its_review_becomes_one_comment(runner: Runner, hub: FakeHub) -> None:
    sha = head(runner)
    hub.pull("acme", "topic", sha)

    plan = runner.run("plan", "pull_request", pull_request(sha), sha, only=ROOT)["plan"]

    assert plan.result == "success", plan.log
    assert "1 to train" in plan.log
    assert plan.summary.strip()
    review = json.loads(next(runner.artifacts["review-quickstart"].iterdir()).read_text(encoding="utf-8"))
    assert review["has_changes"] is True
    assert hub.calls == []
    for again in range(2):
        comment = runner.run("comment", "workflow_run", workflow_run(sha), sha)["comment"]
        assert comment.result == "success", comment.log
        assert hub.calls == [("POST", "/repos/acme/models/issues/7/comments")], again
    assert hub.comments[0]["body"].startswith(review["marker"])


def test_a_forks_pull_request_is_planned_offline_without_connection_or_secret(runner: Runner, hub: FakeHub) -> None:
    """No step uses the secrets, even if GitHub provides them, and no socket is opened."""
    sha = head(runner)
    hub.pull("stranger", "topic", sha)
    hub.roots.append(ROOT)

    plan = runner.run("plan", "pull_request", pull_request(sha, STRANGER), sha, only=ROOT)["plan"]

    assert plan.result == "success", plan.log
    assert "offline" in plan.log
    assert plan.connections == ""
    for environ in plan.environments:
        assert CANARY not in environ.values()
        assert TOKEN not in environ.values()
    assert hub.calls == []

    comment = runner.run("comment", "workflow_run", workflow_run(sha, STRANGER), sha)["comment"]
    assert comment.result == "success", comment.log
    assert "comes from a fork" in hub.comments[0]["body"]


def test_the_log_of_connections_records_a_connection(tmp_path: Path) -> None:
    """Without this test an empty log would prove nothing."""
    (tmp_path / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    environ = {"PYTHONPATH": str(tmp_path), "CONNECTIONS": str(tmp_path / "seen")}
    tries = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"

    subprocess.run([sys.executable, "-P", "-c", tries], env=environ, check=True)

    assert "socket.connect" in (tmp_path / "seen").read_text(encoding="utf-8")


def test_a_plan_that_a_policy_refuses_fails_and_is_still_posted(runner: Runner, hub: FakeHub, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", str(runner.origin), str(clone))
    with (clone / ROOT / "project.yaml").open("a", encoding="utf-8") as file:
        file.write("policy:\n  max_new_jobs: 0\n")
    git("-C", str(clone), "commit", "--quiet", "--all", "--message", "no jobs")
    git("-C", str(clone), "push", "--quiet", "origin", "main")
    sha = head(runner)
    hub.pull("acme", "topic", sha)

    plan = runner.run("plan", "pull_request", pull_request(sha), sha, only=ROOT)["plan"]
    runner.run("comment", "workflow_run", workflow_run(sha), sha)

    assert plan.result == "failure"
    assert "plan ended with exit code 5" in plan.log
    assert len(hub.comments) == 1


def test_a_merge_is_applied_as_planned_and_its_lock_file_is_recorded(runner: Runner, hub: FakeHub) -> None:
    sha = head(runner)

    ran = runner.run("apply", "push", push(), sha)

    assert {name: each.result for name, each in ran.items()} == dict.fromkeys(("plan", "apply", "record"), "success"), (
        "".join(each.log for each in ran.values())
    )
    assert ran["plan"].outputs["has_changes"] == "true"
    assert ran["plan"].outputs["basis"] in {each.get("EXPECT_BASIS") for each in ran["apply"].environments}
    subject, changed = git("-C", str(runner.origin), "show", "--name-only", "--format=%s", "main").split("\n\n")
    assert subject == "models.lock.yaml: record which models answer [skip ci]"
    assert changed == f"{ROOT}/models.lock.yaml"
    assert hub.calls == []


def test_a_scheduled_plan_without_changes_closes_the_issue(runner: Runner, hub: FakeHub) -> None:
    """The apply and the plan after it are real runs: the plan finds what was applied."""
    hub.issue("Drift", f"{MARKER.replace('reconciler env', 'reconciler drift env')}\nold")
    sha = head(runner)

    ran = runner.run("drift", "schedule", schedule(), sha)

    assert {name: each.result for name, each in ran.items()} == {"look": "success", "tell": "success"}, (
        ran["look"].log + ran["tell"].log
    )
    assert [each["state"] for each in hub.issues] == ["closed"]
    assert all(TOKEN not in environ.values() for environ in ran["look"].environments)


def run_step(tmp_path: Path, root: str, **given: str) -> tuple[int, dict[str, str], str]:
    """Run the action's run step in a directory."""
    output = tmp_path / "output"
    output.write_text("", encoding="utf-8")
    event = tmp_path / "event.json"
    event.write_text(json.dumps(pull_request("", STRANGER) if given.pop("FORK", "") else push()), encoding="utf-8")
    asked = {"COMMAND": "plan", "ENVIRONMENT": "", "PROVIDER": "", "OFFLINE": "auto", "ORIGIN": "own"}
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(HERE),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "RECONCILER_BIN": str(commands(tmp_path / "bin")),
        "ROOT": root,
        "EXPECT_BASIS": "",
        "EXTRA_ARGS": "",
        **asked,
        **given,
    }
    done = subprocess.run(
        ["bash", str(ACTION / "run.sh")],
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, outputs_of(output), done.stdout


def test_an_apply_of_another_basis_than_the_reviewed_one_is_stale(tmp_path: Path, origin: Path) -> None:
    git("clone", "--quiet", str(origin), str(tmp_path / "clone"))

    code, outputs, output = run_step(tmp_path, f"clone/{ROOT}", COMMAND="apply", EXPECT_BASIS="v1:" + "0" * 64)

    assert (code, outputs["exitcode"]) == (0, "4"), output
    assert not list((tmp_path / "clone").rglob("models.lock.yaml"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"COMMAND": "destroy"}, "command is"),
        ({"COMMAND": "apply", "FORK": "true"}, "fork"),
        ({"COMMAND": "drift", "FORK": "true"}, "fork"),
        ({"OFFLINE": "perhaps"}, "offline is"),
        ({"ORIGIN": "mine"}, "origin is"),
        ({"EXPECT_BASIS": "0" * 64}, "expect-basis"),
    ],
)
def test_unsupported_inputs_of_the_action_are_refused_before_anything_runs(
    tmp_path: Path, given: dict[str, str], why: str
) -> None:
    code, outputs, output = run_step(tmp_path, ROOT, RECONCILER_BIN="/nowhere", **given)

    assert (code, outputs) == (64, {"exitcode": "64"})
    assert why in output


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"FORK": "true", "OFFLINE": "false"}, ["plan", "a b", "--offline"]),
        ({"OFFLINE": "true", "ENVIRONMENT": "prod"}, ["plan", "a b", "--env", "prod", "--offline"]),
        ({"PROVIDER": "openai", "EXTRA_ARGS": "--target *"}, ["plan", "a b", "--provider", "openai", "--target", "*"]),
        ({"EXTRA_ARGS": "\n--no-samples\n  --target m1\n"}, ["plan", "a b", "--no-samples", "--target", "m1", "--out"]),
        ({"EXTRA_ARGS": "$(touch pwned) ; x"}, ["plan", "a b", "$(touch", "pwned)", ";", "x"]),
    ],
)
def test_inputs_are_passed_as_arguments_and_never_executed(
    tmp_path: Path, given: dict[str, str], words: list[str]
) -> None:
    stub = tmp_path / "bin" / "reconciler"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{tmp_path}/words\nexit 2\n", encoding="utf-8")
    stub.chmod(0o755)

    code, outputs, output = run_step(tmp_path, "a b", **given)

    assert (code, outputs["exitcode"]) == (0, "2"), output
    assert (tmp_path / "words").read_text(encoding="utf-8").splitlines()[: len(words)] == words
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("command", "code", "ends"),
    [
        ("plan", "0", 0),
        ("plan", "2", 0),
        ("drift", "2", 0),
        ("plan", "5", 5),
        ("plan", "130", 130),
        ("apply", "2", 2),
        ("apply", "9", 9),
        ("plan", "", 1),
        ("plan", "x; exit 0", 1),
    ],
)
def test_the_action_has_the_result_of_the_command(command: str, code: str, ends: int) -> None:
    """Planned changes are not a failure; every other exit code is kept."""
    environ = {"PATH": "/usr/bin:/bin", "COMMAND": command, "CODE": code}

    assert (
        subprocess.run(["bash", str(ACTION / "end.sh")], env=environ, check=False, capture_output=True).returncode
        == ends
    )


def test_a_posting_script_gets_no_variable_of_the_providers(tmp_path: Path) -> None:
    """A script in the place of the posting script prints what it gets."""
    (tmp_path / "poster.sh").write_bytes((ACTION / "poster.sh").read_bytes())
    (tmp_path / "comment.py").write_text("import os, sys; print(sys.argv[1:], sorted(os.environ))", encoding="utf-8")
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "OPENAI_API_KEY": CANARY,
        "PYTHONPATH": "/elsewhere",
        "GITHUB_TOKEN": TOKEN,
    }

    output = subprocess.run(
        ["bash", str(tmp_path / "poster.sh"), "comment", "a b"], env=environ, check=True, capture_output=True, text=True
    ).stdout

    assert output.startswith("['a b'] ")
    assert "GITHUB_TOKEN" in output
    assert "OPENAI_API_KEY" not in output
    assert "PYTHONPATH" not in output
