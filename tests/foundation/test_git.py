"""The one way to run git: with an end, without credentials in messages, and in the repository that was asked for."""

import os
from pathlib import Path

import pytest

from reconciler.foundation.git import Git, GitError, GitMissingError, GitTimeoutError

WITH_SHELL = pytest.mark.skipif(os.name == "nt", reason="the programs of these tests are shell scripts")


def environ_with_git(folder: Path, script: str) -> dict[str, str]:
    """Return an environment in which `git` is a shell script."""
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "git").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@WITH_SHELL
def test_a_command_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    """A child that goes on would hold the pipes open, and the run with them."""
    environ = environ_with_git(tmp_path, "sleep 600 & wait")
    with pytest.raises(GitTimeoutError, match=r"ls-remote did not end within 0\.2 seconds"):
        Git(tmp_path, environ, call_seconds=0.2).run("ls-remote")


@WITH_SHELL
def test_an_error_shows_no_credentials(tmp_path: Path) -> None:
    script = "echo \"fatal: unable to access 'https://someone:hush@host/x'\" >&2; exit 128"
    with pytest.raises(GitError) as raised:
        Git(tmp_path, environ_with_git(tmp_path, script)).run("push")
    assert "https://host/x" in str(raised.value)
    assert "hush" not in str(raised.value)


@WITH_SHELL
def test_an_error_names_the_command_and_not_its_options(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"^git ls-files: exit code 3$"):
        Git(tmp_path, environ_with_git(tmp_path, "exit 3")).run("--literal-pathspecs", "ls-files", "-z")


def test_a_missing_git_program_is_an_error_about_git_alone(tmp_path: Path) -> None:
    with pytest.raises(GitMissingError, match=r"^git is missing: there is no git program in PATH$"):
        Git(tmp_path, {"PATH": str(tmp_path)})


@WITH_SHELL
def test_variables_that_lead_to_another_repository_are_not_passed_on(tmp_path: Path) -> None:
    environ = {**environ_with_git(tmp_path, "env"), "GIT_DIR": "/elsewhere", "GIT_INDEX_FILE": "/elsewhere/index"}
    passed = Git(tmp_path, environ).run("version").decode()
    assert "/elsewhere" not in passed
    assert "GIT_TERMINAL_PROMPT=0" in passed


@WITH_SHELL
def test_output_can_go_into_a_file(tmp_path: Path) -> None:
    git = Git(tmp_path, environ_with_git(tmp_path, "echo content"))
    with (tmp_path / "out").open("wb") as out:
        assert git.run("cat-file", "blob", "a", out=out) == b""
    assert (tmp_path / "out").read_text() == "content\n"
