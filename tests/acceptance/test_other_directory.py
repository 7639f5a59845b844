"""The commands that messages print under `-C DIR` work where that command was typed, and go on in the same place."""

import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from reconciler.cli.app import run

from .conftest import CommandResult, Repository

ROOT = "specs/quickstart"


@pytest.fixture
def type_command(
    quickstart: Repository, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CommandResult]:
    """Run commands as a user types them in another directory, which has no specs."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def type_words(*words: str) -> CommandResult:
        monkeypatch.chdir(elsewhere)
        quickstart.capture.readouterr()
        code = run(words)
        captured = quickstart.capture.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return type_words


def list_commands(text: str) -> list[list[str]]:
    """Return the commands that a text prints, each to the end of its line or clause."""
    found = re.findall(r"(?:: )(reconciler [^\n;]+)", text)
    return [shlex.split(each.rstrip(". ")) for each in found]


SCENES = {
    "an unfinished wait": ("apply", ROOT, "--auto-approve", "--timeout", "3s"),
    "a plan that was saved": ("plan", ROOT, "--out", "night.plan"),
    "a model without a job": ("output", "support-triage", "--specs", ROOT),
    "an id that is none": ("import", "nothing", "--as", "x", "--specs", ROOT),
    "a model that was never trained": ("wait", "support-triage", "--specs", ROOT),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_printed_command_works_from_the_same_place(
    quickstart: Repository,
    type_command: Callable[..., CommandResult],
    without_worker: Callable[[], AbstractContextManager[None]],
    scene: str,
) -> None:
    with without_worker():
        result = type_command("-C", str(quickstart.root), *SCENES[scene])
    printed = list_commands(result.out + result.err)
    assert printed, result
    for program, *words in printed:
        assert (program, words[:2]) == ("reconciler", ["-C", str(quickstart.root)]), words
        again = type_command(*words, *(["--auto-approve"] if "apply" in words and "night.plan" not in words else []))
        assert again.code in {0, 2}, (words, again.err)


def test_the_first_specs_name_the_next_command_for_the_same_place(
    type_command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    there = tmp_path / "new"
    there.mkdir()
    result = type_command("-C", str(there), "init")
    assert list_commands(result.err) == [["reconciler", "-C", str(there), "apply"]]


def test_without_the_flag_no_directory_is_named(
    quickstart: Repository, type_command: Callable[..., CommandResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    type_command("-C", str(quickstart.root), "validate", ROOT)
    result = quickstart.run("plan", ROOT, "--out", "a.plan")
    assert "reconciler apply a.plan" in result.err


def test_the_command_of_a_review_is_for_the_root_of_any_checkout(
    quickstart: Repository, type_command: Callable[..., CommandResult]
) -> None:
    type_command("-C", str(quickstart.root), "plan", ROOT, "--format", "markdown=a.md")
    assert f"reconciler apply {ROOT} --expect-basis" in quickstart.read("a.md")
