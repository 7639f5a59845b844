"""A changed lock file becomes a commit, or a pull request where the branch is protected."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.identity import Address, Digest, Kind, Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import JobId, ModelId
from reconciler.specfile import write_lock
from tests.ci.conftest import ACTION, Script, script_of
from tests.ci.fake_github import FakeHub
from tests.ci.locks import NEW, OLD, entry, lock_text
from tests.ci.runner import git, outputs_of

pytestmark = pytest.mark.loopback

LOCK = "specs/quickstart/models.lock.yaml"


@pytest.fixture
def clone(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout to work in."""
    git("clone", "--quiet", str(origin), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def record(
    script: Script, content: str | None = NEW, to: str = LOCK, before: str = "", *, place: str = "", run: str = ""
) -> tuple[int, str]:
    lock = script.folder / "lock"
    if content is not None:
        lock.mkdir(exist_ok=True)
        (lock / "path").write_text(place or to, encoding="utf-8")
        (lock / "before.lock.yaml").write_text(before, encoding="utf-8")
        (lock / "after.lock.yaml").write_text(content, encoding="utf-8")
    named = {"GITHUB_WORKFLOW": "apply", "GITHUB_RUN_NUMBER": run} if run else {}
    return script.run("record", "--lock", str(lock), "--to", to, "--branch", "main", **named)


def commit(origin: Path, folder: Path, text: str, branch: str = "main") -> None:
    """Commit a lock file on a branch, as another run or a person does."""
    git("clone", "--quiet", "--branch", branch, str(origin), str(folder))
    (folder / LOCK).write_text(text, encoding="utf-8")
    git("-C", str(folder), "add", LOCK)
    git("-C", str(folder), "commit", "--quiet", "--message", "a lock file")
    git("-C", str(folder), "push", "--quiet", "origin", f"HEAD:{branch}")


def lock_on(origin: Path, branch: str = "main") -> str:
    return git("-C", str(origin), "show", f"{branch}:{LOCK}") + "\n"


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


@pytest.mark.parametrize("content", ["", "\n"], ids=["no-bytes", "a-blank-line"])
def test_an_empty_lock_file_removes_nothing(
    content: str, script: Script, clone: Path, origin: Path, tmp_path: Path
) -> None:
    commit(origin, tmp_path / "other", OLD)

    code, output = record(script, content, before=OLD)

    assert (code, "is empty" in output) == (1, True)
    assert lock_on(origin).strip() == OLD.strip()


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
    second = record(script, lock_text(entry("a", "a3", "2026-02-01T00:00:00Z"), entry("b", "b1")))

    assert (first[0], second[0]) == (0, 0), first + second
    assert hub.calls == [("POST", "/repos/acme/models/pulls")]
    own = "reconciler/lock-main-specs-quickstart"
    assert (hub.pulls[0]["head"], hub.pulls[0]["base"]) == (own, "main")
    assert on(origin, "main") == ["specs"]
    # The checks that protect the branch must run, so nothing tells them to stay away.
    assert on(origin, own) == ["models.lock.yaml: record which models answer", "specs"]
    assert "model: a3" in lock_on(origin, own)


def test_a_lock_file_that_git_ignores_is_not_committed(script: Script, clone: Path, origin: Path) -> None:
    (clone / ".gitignore").write_text("models.lock.yaml\n", encoding="utf-8")

    code, output = record(script)

    assert (code, on(origin, "main")) == (0, ["specs"])
    assert "ignored" in output


def test_without_a_lock_file_nothing_is_recorded(script: Script, clone: Path, origin: Path) -> None:
    assert record(script, None)[0] == 0
    assert on(origin, "main") == ["specs"]


def test_the_empty_output_of_an_apply_that_changed_no_lock_file_is_nothing_to_record(
    script: Script, clone: Path, origin: Path
) -> None:
    code, output = script.run("record", "--lock", "", "--to", LOCK, "--branch", "main")
    assert (code, "nothing to record" in output) == (0, True)
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


def test_only_what_the_apply_changed_is_recorded(script: Script, clone: Path, origin: Path, tmp_path: Path) -> None:
    """The branch has moved on: another model is newer there, and one is new."""
    commit(origin, tmp_path / "other", lock_text(entry("a", "a1"), entry("b", "b9"), entry("c", "c1")))

    assert record(script, NEW, before=OLD)[0] == 0

    assert lock_on(origin) == lock_text(entry("a", "a2"), entry("b", "b9"), entry("c", "c1"))


@pytest.mark.parametrize("newer", [lock_text(entry("a", "a9"), entry("b", "b9")), lock_text()])
def test_an_older_checkouts_lock_that_no_apply_changed_is_not_recorded(
    script: Script, clone: Path, origin: Path, tmp_path: Path, newer: str
) -> None:
    """A run that waited in the queue, or was started again, and ended 1, 4 or 5."""
    commit(origin, tmp_path / "other", newer)

    code, output = record(script, OLD, before=OLD)

    assert (code, lock_on(origin)) == (0, newer)
    assert "changed nothing" in output


def test_an_entry_that_the_branch_has_changed_stays_and_the_rest_is_recorded(
    script: Script, clone: Path, origin: Path, tmp_path: Path
) -> None:
    commit(origin, tmp_path / "other", lock_text(entry("a", "a9"), entry("b", "b1")))

    code, output = record(script, lock_text(entry("a", "a2"), entry("b", "b2")), before=OLD)

    assert (code, lock_on(origin)) == (1, lock_text(entry("a", "a9"), entry("b", "b2")))
    assert "model/a: main has another entry" in output
    assert "newest commit of main" in output


def test_removed_models_and_cancelled_jobs_are_merged_too(
    script: Script, clone: Path, origin: Path, tmp_path: Path
) -> None:
    before = lock_text(entry("a", "a1"), entry("b", "b1"), cancelled=("ftjob-1", "ftjob-2"))
    commit(origin, tmp_path / "other", lock_text(entry("a", "a1"), entry("b", "b1"), cancelled=("ftjob-1", "ftjob-3")))

    assert record(script, lock_text(entry("b", "b1"), cancelled=("ftjob-2", "ftjob-4")), before=before)[0] == 0

    assert lock_on(origin) == lock_text(entry("b", "b1"), cancelled=("ftjob-3", "ftjob-4"))


def test_one_address_on_two_services_or_accounts_is_two_entries(
    script: Script, clone: Path, origin: Path, tmp_path: Path
) -> None:
    both = (
        entry("a", "a1"),
        entry("a", "a7", service="openai/other").replace("    job:", "    account: org-2\n    job:"),
    )
    commit(origin, tmp_path / "other", lock_text(*both))

    assert record(script, lock_text(entry("a", "a2"), both[1]), before=lock_text(*both))[0] == 0

    assert lock_on(origin) == lock_text(entry("a", "a2"), both[1])


@pytest.mark.parametrize("text", ["kind: Lock\n", "models:\n- address: x\n", NEW + "more: 1\n", "<<<<<<< HEAD\n" + NEW])
def test_a_lock_file_that_was_edited_by_hand_is_not_rewritten(
    script: Script, clone: Path, origin: Path, tmp_path: Path, text: str
) -> None:
    commit(origin, tmp_path / "other", text)

    code, output = record(script, NEW, before=OLD)

    assert (code, lock_on(origin)) == (1, text)
    assert "not as reconciler writes it" in output


def test_what_an_open_pull_request_asks_for_is_kept_by_the_next_one(
    script: Script, clone: Path, origin: Path, hub: FakeHub, tmp_path: Path
) -> None:
    commit(origin, tmp_path / "other", OLD)
    protect(origin)
    own = "reconciler/lock-main-specs-quickstart"

    assert record(script, NEW, before=OLD)[0] == 0
    assert record(script, lock_text(entry("a", "a1"), entry("b", "b2")), before=OLD)[0] == 0

    assert lock_on(origin, own) == lock_text(entry("a", "a2"), entry("b", "b2"))
    # An older run comes last: what is newer in the pull request stays.
    older = entry("a", "a0", "2025-01-01T00:00:00Z")
    assert record(script, lock_text(older, entry("b", "b1")), before=OLD)[0] == 0
    assert lock_on(origin, own) == lock_text(entry("a", "a2"), entry("b", "b2"))


def test_in_an_open_pull_request_the_later_apply_decides_and_not_the_later_job(
    script: Script, clone: Path, origin: Path, hub: FakeHub, tmp_path: Path
) -> None:
    commit(origin, tmp_path / "other", lock_text(entry("a", "a1", "2026-01-01T00:00:00Z")))
    protect(origin)
    own, before = "reconciler/lock-main-specs-quickstart", lock_text(entry("a", "a1", "2026-01-01T00:00:00Z"))
    retrained = lock_text(entry("a", "a3", "2026-03-03T00:00:00Z"))
    promoted = lock_text(entry("a", "a2", "2026-02-02T00:00:00Z"))

    assert record(script, retrained, before=before, run="9")[0] == 0
    assert record(script, promoted, before=before, run="10")[0] == 0
    assert lock_on(origin, own) == promoted

    # The first run is started again, after the second.
    code, output = record(script, retrained, before=before, run="9")

    assert (code, "has the entries of a later apply for model/a; they stay" in output) == (0, True)
    assert lock_on(origin, own) == promoted
    assert "pull request 50 of an earlier apply is still open" in record(script, before, before=before)[1]


def test_a_branch_that_moves_while_the_server_receives_the_push_is_no_protected_one(
    script: Script, clone: Path, origin: Path, hub: FakeHub, tmp_path: Path
) -> None:
    """The server's answer is that of a hook that refuses: only the branch itself shows the difference."""
    git("-C", str(origin), "branch", "aside", "main")
    commit(origin, tmp_path / "other", lock_text(entry("b", "b1")), "aside")
    hook = origin / "hooks" / "pre-receive"
    moves = "git update-ref refs/heads/main refs/heads/aside"
    unset = "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES"
    hook.write_text(f'#!/bin/sh\n[ -e "$0.done" ] && exit 0\n: >"$0.done"\n{unset}\n{moves}\n', encoding="utf-8")
    hook.chmod(0o755)

    code, output = record(script, lock_text(entry("a", "a1")))

    assert (code, hub.pulls, "was recorded on main" in output) == (0, [], True)
    assert lock_on(origin) == lock_text(entry("a", "a1"), entry("b", "b1"))


def test_a_checkout_in_a_directory_of_the_workspace_is_entered(script: Script, clone: Path, origin: Path) -> None:
    os.chdir(clone.parent)

    code, output = record(script, to=f"clone/{LOCK}", place=LOCK)

    assert (code, "was recorded on main" in output) == (0, True)
    assert lock_on(origin) == NEW


def test_each_environment_has_a_pull_request_of_its_own(
    script: Script, clone: Path, origin: Path, hub: FakeHub
) -> None:
    protect(origin)

    record(script)
    record(script, to=LOCK.replace("models.lock", "models.prod.lock"))

    assert [each["head"] for each in hub.pulls] == [
        "reconciler/lock-main-specs-quickstart",
        "reconciler/lock-main-specs-quickstart-prod",
    ]


def test_a_lock_file_alone_is_refused_because_it_does_not_say_what_changed(script: Script, clone: Path) -> None:
    lock = script.folder / "models.lock.yaml"
    lock.write_text(NEW, encoding="utf-8")

    code, output = script.run("record", "--lock", str(lock), "--to", LOCK, "--branch", "main")

    assert code == 1
    assert "output lock" in output


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True), st.data())
def test_a_lock_file_that_reconciler_wrote_is_read_and_written_as_it_was(names: list[str], data: st.DataObject) -> None:
    locks = script_of("locks")
    entries = tuple(
        LockEntry(
            stamp=Stamp(Address(Kind.MODEL, name), Digest("v1", "0" * 64)),
            provider="openai",
            service=data.draw(st.sampled_from(["openai", "openai/org: 'x'", "#1", "local/org-1"])),
            job=JobId("ftjob-1"),
            model=ModelId(data.draw(st.sampled_from(["ft:a:b::c", "x y", "'", '"']))),
            finished_at=data.draw(st.none() | st.integers(0, 2_000_000_000)),
        )
        for name in sorted(names)
    )
    jobs = tuple(map(JobId, sorted(data.draw(st.sets(st.sampled_from(["ftjob-1", "ftjob-2"]))))))
    with TemporaryDirectory() as folder:
        write_lock(Path(folder, "models.lock.yaml"), Lock(entries=entries, cancelled=jobs))
        text = Path(folder, "models.lock.yaml").read_text(encoding="utf-8")
    read, nothing = locks.read_lock_file(text), locks.LockFile()
    assert locks.write_lock_file(read) == text
    assert locks.write_lock_file(locks.merge(nothing, read, nothing).file) == text


def test_a_lock_of_another_place_than_the_step_names_is_not_recorded(script: Script, clone: Path, origin: Path) -> None:
    record(script)
    before = on(origin, "main")

    other = LOCK.replace("models.lock", "models.prod.lock")
    lock = str(script.folder / "lock")
    code, output = script.run("record", "--lock", lock, "--to", other, "--branch", "main")

    assert (code, on(origin, "main")) == (1, before)
    assert "give it those of the apply" in output


@pytest.mark.parametrize(
    ("name", "environment"), [("models", ""), ("models.prod", "prod"), ("models.prod", ""), ("nested/models", "")]
)
def test_the_lock_that_an_apply_changed_is_found_whatever_chose_its_place(
    clone: Path, tmp_path: Path, name: str, environment: str
) -> None:
    """The environment may come from a variable or an argument, and the only project may lie below the root."""
    path = clone / "specs" / "quickstart" / f"{name}.lock.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(OLD, encoding="utf-8")
    (path.parent / "models.kept.lock.yaml").write_text(OLD, encoding="utf-8")
    git("-C", str(clone), "add", "--all")
    git("-C", str(clone), "commit", "--quiet", "--message", "locks")

    assert keep_lock(tmp_path, environment) == {}
    path.write_text(NEW, encoding="utf-8")
    kept = Path(keep_lock(tmp_path, environment)["lock"])

    assert (kept / "path").read_text(encoding="utf-8") == f"specs/quickstart/{name}.lock.yaml"
    assert (kept / "before.lock.yaml").read_text(encoding="utf-8") == OLD
    assert (kept / "after.lock.yaml").read_text(encoding="utf-8") == NEW


def test_a_lock_that_is_gone_or_a_link_is_not_kept(clone: Path, tmp_path: Path) -> None:
    """It would be recorded as if the apply had removed every model."""
    lock = clone / LOCK
    lock.write_text(OLD, encoding="utf-8")
    git("-C", str(clone), "add", "--all")
    git("-C", str(clone), "commit", "--quiet", "--message", "a lock")
    lock.unlink()
    assert keep_lock(tmp_path) == {}
    lock.symlink_to("/dev/null")
    assert keep_lock(tmp_path) == {}


def test_what_an_earlier_apply_of_the_same_job_changed_is_not_this_ones(clone: Path, tmp_path: Path) -> None:
    """One job applies in staging and then in production, where nothing changes: there is nothing to record."""
    staging, plain = clone / LOCK.replace("models.", "models.staging."), clone / LOCK
    staging.write_text(NEW, encoding="utf-8")
    assert keep_lock(tmp_path, before=True) == {}
    assert keep_lock(tmp_path, "prod") == {}

    assert keep_lock(tmp_path, before=True) == {}
    plain.write_text(NEW, encoding="utf-8")
    assert set(keep_lock(tmp_path)) == {"lock"}
    assert (tmp_path / "kept" / "path").read_text(encoding="utf-8") == LOCK

    assert keep_lock(tmp_path, before=True) == {}
    staging.write_text(OLD, encoding="utf-8")
    assert set(keep_lock(tmp_path)) == {"lock"}, "the environment may stand in the arguments"
    assert (tmp_path / "kept" / "path").read_text(encoding="utf-8").endswith("models.staging.lock.yaml")


def keep_lock(folder: Path, environment: str = "", *, before: bool = False) -> dict[str, str]:
    """Run the script that keeps the lock file of an apply in the current checkout; return its outputs."""
    output = folder / "output"
    output.write_text("", encoding="utf-8")
    environ = {
        "PATH": os.environ["PATH"],
        "ROOT": "specs/quickstart",
        "ENVIRONMENT": environment,
        "GITHUB_OUTPUT": str(output),
    }
    subprocess.run(
        ["bash", str(ACTION / "lock.sh"), str(folder / "kept"), *["before"] * before],
        env=environ,
        check=True,
        capture_output=True,
    )
    return outputs_of(output)
