"""A changed lock file becomes a commit, or a pull request where the branch is protected."""

from pathlib import Path

import pytest

from tests.ci.conftest import Script
from tests.ci.fake_github import FakeHub
from tests.ci.runner import git

pytestmark = pytest.mark.loopback

LOCK = "specs/quickstart/models.lock.yaml"
NEW = "version: 1\nmodels: []\n"


@pytest.fixture
def clone(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout to work in."""
    git("clone", "--quiet", str(origin), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def record(script: Script, content: str | None = NEW, to: str = LOCK) -> tuple[int, str]:
    lock = script.folder / "models.lock.yaml"
    if content is not None:
        lock.write_text(content, encoding="utf-8")
    return script.run("record", "--lock", str(lock), "--to", to, "--branch", "main")


def on(origin: Path, branch: str) -> list[str]:
    """The subjects of a branch, newest first."""
    return git("-C", str(origin), "log", "--format=%s", branch).splitlines()


def protect(origin: Path) -> None:
    hook = origin / "hooks" / "pre-receive"
    refusal = 'while read -r _ _ ref; do [ "$ref" != refs/heads/main ] || { echo protected; exit 1; }; done'
    hook.write_text(f"#!/bin/sh\n{refusal}\n", encoding="utf-8")
    hook.chmod(0o755)


def test_a_lock_is_committed_alone_and_only_when_it_changed(script: Script, clone: Path, origin: Path) -> None:
    (clone / "specs" / "quickstart" / "project.yaml").write_text("kind: Project\n", encoding="utf-8")

    assert record(script)[0] == 0
    code, output = record(script)

    assert (code, "nothing to record" in output) == (0, True)
    assert on(origin, "main") == ["models.lock.yaml: record which models answer [skip ci]", "specs"]
    assert git("-C", str(origin), "show", "--name-only", "--format=", "main") == LOCK
    assert git("-C", str(origin), "show", f"main:{LOCK}") == NEW.strip()


def test_commits_that_were_merged_meanwhile_are_kept(script: Script, clone: Path, origin: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git("clone", "--quiet", str(origin), str(other))
    git("-C", str(other), "commit", "--quiet", "--allow-empty", "--message", "meanwhile")
    git("-C", str(other), "push", "--quiet", "origin", "HEAD:main")

    assert record(script)[0] == 0

    assert on(origin, "main")[1:] == ["meanwhile", "specs"]


def test_a_protected_branch_gets_one_pull_request(script: Script, clone: Path, origin: Path, hub: FakeHub) -> None:
    protect(origin)

    first = record(script)
    second = record(script, NEW + "# newer\n")

    assert (first[0], second[0]) == (0, 0), first + second
    assert hub.calls == [("POST", "/repos/acme/models/pulls")]
    own = "reconciler/lock-main-specs-quickstart"
    assert (hub.pulls[0]["head"], hub.pulls[0]["base"]) == (own, "main")
    assert on(origin, "main") == ["specs"]
    # The checks that protect the branch must run, so nothing tells them to stay away.
    assert on(origin, own) == ["models.lock.yaml: record which models answer", "specs"]
    assert "newer" in git("-C", str(origin), "show", f"{own}:{LOCK}")


def test_a_lock_file_that_git_ignores_is_not_committed(script: Script, clone: Path, origin: Path) -> None:
    (clone / ".gitignore").write_text("models.lock.yaml\n", encoding="utf-8")

    code, output = record(script)

    assert (code, on(origin, "main")) == (0, ["specs"])
    assert "ignored" in output


def test_without_a_lock_file_nothing_is_recorded(script: Script, clone: Path, origin: Path) -> None:
    assert record(script, None)[0] == 0
    assert on(origin, "main") == ["specs"]


@pytest.mark.parametrize("to", ["../models.lock.yaml", "/tmp/models.lock.yaml", ".github/workflows/apply.yml"])
def test_only_a_lock_file_inside_the_repository_is_written(script: Script, clone: Path, origin: Path, to: str) -> None:
    code, output = record(script, to=to)

    assert (code, on(origin, "main")) == (1, ["specs"])
    assert "no place for a lock file" in output


def test_a_link_is_not_followed_when_a_lock_is_written(
    script: Script, clone: Path, origin: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (clone / "elsewhere").symlink_to(outside)
    git("-C", str(clone), "add", "elsewhere")
    git("-C", str(clone), "commit", "--quiet", "--message", "a link")
    git("-C", str(clone), "push", "--quiet", "origin", "HEAD:main")

    code, output = record(script, to="elsewhere/models.lock.yaml")

    assert (code, list(outside.iterdir())) == (1, [])
    assert "link" in output


def test_no_hook_of_the_repository_is_run(script: Script, clone: Path, origin: Path, tmp_path: Path) -> None:
    for name in ("pre-commit", "commit-msg", "pre-push", "post-checkout"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)

    assert record(script)[0] == 0
    assert not (tmp_path / "ran").exists()
