"""The commands that messages print are executed here as they stand: they go on in the same place, and pay once."""

import re
import shlex
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.acceptance.conftest import CommandResult, Repository

ROOT = "specs/quickstart"
PROJECT = """\
kind: Project
name: support
environments:
  staging: {name: support-staging}
"""
STAGING = ("--env", "staging", "--provider", "local")


@pytest.fixture
def staged(quickstart: Repository) -> Repository:
    """The quickstart, with an environment that has a project of its own."""
    quickstart.write(f"{ROOT}/project.yaml", PROJECT)
    return quickstart


def find_command(text: str, before: str) -> list[str]:
    """Return the words of a command that a message prints after a text, on one line."""
    found = re.search(rf"{re.escape(before)}:\s+reconciler (.+)", text)
    assert found, text
    return shlex.split(found[1].partition(";")[0])


def run_printed(repository: Repository, text: str, before: str, *flags: str) -> CommandResult:
    return repository.run(*find_command(text, before), *flags)


def list_jobs(repository: Repository) -> list[str]:
    listed = repository.run("jobs", "--provider", "local", "--specs", ROOT)
    return sorted(set(re.findall(r"ftjob-\w+", listed.out)))


def test_an_interrupted_apply_continues_with_the_printed_command_and_pays_once(staged: Repository) -> None:
    slow = staged.read(f"{ROOT}/support-triage.yaml") + "hyperparameters:\n  n_epochs: 50\n"
    staged.write(f"{ROOT}/support-triage.yaml", slow)
    applying = staged.start("apply", ROOT, *STAGING, "--prune", "--target", "support-triage", "--auto-approve")
    assert applying.stderr
    for line in applying.stderr:
        if "created job" in line:
            break
    applying.send_signal(signal.SIGINT)
    _, err = applying.communicate(timeout=30)
    assert applying.returncode == 130

    command = find_command(err, "To continue")
    assert command == ["apply", ROOT, *STAGING, "--target", "support-triage", "--prune"]
    assert run_printed(staged, err, "To wait again", "--timeout", "60").code == 0
    assert staged.run(*command, "--auto-approve").code == 0
    assert len(list_jobs(staged)) == 1


def test_a_job_that_was_not_waited_for_is_waited_for_in_the_same_environment(
    staged: Repository, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_worker():
        started = staged.run("apply", ROOT, *STAGING, "--auto-approve", "--timeout", "3s")
    assert started.code == 7
    assert find_command(started.err, "To wait again") == ["wait", "--specs", ROOT, *STAGING]
    assert run_printed(staged, started.err, "To wait again", "--timeout", "60").code == 0
    assert (staged.root / ROOT / "models.staging.lock.yaml").exists()
    assert not (staged.root / ROOT / "models.lock.yaml").exists()


def test_a_retry_that_has_a_job_is_not_repeated_by_the_printed_command(
    staged: Repository, without_worker: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_worker():
        staged.run("apply", ROOT, "--auto-approve", "--no-wait")
        staged.run("cancel", "support-triage", "--specs", ROOT, "--auto-approve")
        slow = staged.run("apply", ROOT, "--auto-approve", "--retry", "support-triage", "--timeout", "3s")
    assert (slow.code, "--retry" in slow.err) == (7, False)


def test_forget_prints_commands_for_the_same_environment(staged: Repository) -> None:
    assert staged.run("apply", ROOT, *STAGING, "--auto-approve").code == 0
    forgotten = staged.run("forget", "support-triage", "--specs", ROOT, *STAGING, "--yes")
    command = find_command(forgotten.out, "once no spec names it")
    assert command == ["plan", ROOT, *STAGING, "--prune"]
    (staged.root / ROOT / "support-triage.yaml").unlink()
    refused = staged.run(*command)
    assert (refused.code, "empty-specs" in refused.err) == (5, True)

    # The refusal's own command plans the same, past the guard.
    allowed = find_command(refused.err, "if this is intended")
    assert allowed == ["plan", ROOT, *STAGING, "--prune", "--allow", "empty-specs"]
    assert "to delete" in staged.run(*allowed).out


def test_a_running_job_is_followed_in_the_same_environment(staged: Repository) -> None:
    slow = staged.read(f"{ROOT}/support-triage.yaml") + "hyperparameters:\n  n_epochs: 50\n"
    staged.write(f"{ROOT}/support-triage.yaml", slow)
    staged.run("apply", ROOT, *STAGING, "--auto-approve", "--no-wait")
    plan = staged.run("plan", ROOT, *STAGING)
    command = find_command(plan.out, "follow it with")
    assert command == ["follow", "support-triage", "--specs", ROOT, *STAGING]
    assert staged.run(*command, "--timeout", "60").code == 0


def test_a_model_without_a_job_names_the_command_that_trains_it(staged: Repository) -> None:
    for words in (("output", "support-triage"), ("wait", "support-triage")):
        missing = staged.run(*words, "--specs", ROOT, *STAGING)
        assert missing.code == 1
        assert re.search(rf"with: reconciler apply {ROOT} {' '.join(STAGING)}$", missing.err, re.MULTILINE)


def test_a_saved_plan_is_named_as_the_shell_reads_it(staged: Repository) -> None:
    saved = staged.run("plan", ROOT, *STAGING, "--out", "to night.plan")
    assert run_printed(staged, saved.err, "To apply exactly this plan").code == 0
