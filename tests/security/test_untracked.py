"""A runner's workspace may hold other files: a file that git does not track is not sent silently."""

import subprocess
from pathlib import Path

import pytest

from reconciler.domain.errors import InputError, Severity
from reconciler.workflow import check_specs, locate_setting
from reconciler.workflow.measure import is_strict
from tests.dataset.factories import chats, jsonl, write

SPEC = """\
kind: Dataset
name: d
source: {source}
---
kind: Model
name: m
provider: openai
base: gpt-4o-mini-2024-07-18
training: d
"""
ROWS = jsonl(chats(12))
ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
CI = {**ENVIRON, "CI": "true"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a spec and one tracked file of rows, and another that is not tracked."""
    write(tmp_path, "specs/all.yaml", SPEC.format(source="good.jsonl"))
    write(tmp_path, "specs/good.jsonl", ROWS)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    write(tmp_path, "specs/left-here.jsonl", ROWS)
    return tmp_path


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def warned(root: Path, environ: dict[str, str]) -> list[str]:
    return [problem.rule for problem in check_specs(locate_setting(root / "specs", environ)).warnings]


def refused(root: Path, environ: dict[str, str]) -> str:
    with pytest.raises(InputError) as caught:
        check_specs(locate_setting(root / "specs", environ))
    assert {(problem.rule, problem.severity) for problem in caught.value.problems} == {
        ("source.untracked", Severity.ERROR)
    }
    return " ".join(f"{problem.what} {problem.hint}" for problem in caught.value.problems)


def test_a_tracked_file_may_be_sent_even_if_it_was_edited(repository: Path) -> None:
    write(repository, "specs/good.jsonl", jsonl(chats(13)))
    assert warned(repository, CI) == []


def test_an_untracked_file_is_a_warning_for_people_and_refused_in_automation(
    repository: Path,
) -> None:
    write(repository, "specs/all.yaml", SPEC.format(source="left-here.jsonl"))
    assert warned(repository, ENVIRON) == ["source.untracked"]
    assert warned(repository, {**CI, "RECONCILER_STRICT": "0"}) == ["source.untracked"]
    for environ in (CI, {**ENVIRON, "RECONCILER_STRICT": "1"}):
        message = refused(repository, environ)
        assert "`specs/left-here.jsonl` is not tracked by git" in message
        assert "RECONCILER_STRICT=0" in message


@pytest.mark.parametrize("source", ["'*.jsonl'", "link.jsonl"])
def test_a_pattern_or_a_tracked_link_does_not_avoid_the_check(repository: Path, source: str) -> None:
    (repository / "specs/link.jsonl").symlink_to("left-here.jsonl")
    write(repository, "specs/all.yaml", SPEC.format(source=source))
    git(repository, "add", "specs/link.jsonl")
    assert "specs/left-here.jsonl" in refused(repository, CI)


def test_rows_of_an_untracked_file_are_not_shown(repository: Path) -> None:
    write(repository, "specs/left-here.jsonl", b'{"canary": 1}\n')
    write(repository, "specs/all.yaml", SPEC.format(source="left-here.jsonl"))
    assert "canary" not in refused(repository, CI)


def test_names_are_not_read_as_patterns_or_options(repository: Path) -> None:
    for name in ("*.jsonl", ":(top)good.jsonl", "--others.jsonl", "a b\u00e9.jsonl"):
        write(repository, f"specs/{name}", ROWS)
    write(repository, "specs/all.yaml", SPEC.format(source="'[*].jsonl'"))
    assert "`specs/*.jsonl` is not tracked" in refused(repository, CI)
    write(repository, "specs/all.yaml", SPEC.format(source="'--others.jsonl'"))
    assert "--others.jsonl" in refused(repository, CI)
    git(repository, "add", "-A")
    write(repository, "specs/all.yaml", SPEC.format(source="'a b\u00e9.jsonl'"))
    assert warned(repository, CI) == []


def test_automation_stops_when_git_fails(repository: Path) -> None:
    write(repository, ".git/HEAD", "nonsense")
    assert warned(repository, ENVIRON) == []
    assert "git cannot say" in refused(repository, CI)
    missing = refused(repository, {**CI, "PATH": "/nonexistent"})
    assert "git is missing: there is no git program in PATH" in missing
    assert "install git, or set RECONCILER_STRICT=0" in missing


def test_without_a_repository_there_is_no_check(tmp_path: Path) -> None:
    write(tmp_path, "specs/all.yaml", SPEC.format(source="good.jsonl"))
    write(tmp_path, "specs/good.jsonl", ROWS)
    assert warned(tmp_path, CI) == []


def test_no_hook_or_monitor_of_the_repository_runs(repository: Path) -> None:
    """A commit from an untrusted source or an earlier step may have set them."""
    write(repository, "evil.sh", "#!/bin/sh\ntouch owned\n")
    (repository / "evil.sh").chmod(0o755)
    git(repository, "config", "core.fsmonitor", "./evil.sh")
    git(repository, "config", "core.hooksPath", ".")
    check_specs(locate_setting(repository / "specs", CI))
    assert not (repository / "owned").exists()


def test_when_untracked_files_are_refused() -> None:
    assert is_strict({"CI": "true"})
    assert is_strict({"RECONCILER_STRICT": "yes"})
    for environ in ({}, {"CI": ""}, {"CI": "false"}, {"CI": "1", "RECONCILER_STRICT": "0"}):
        assert not is_strict(environ)
