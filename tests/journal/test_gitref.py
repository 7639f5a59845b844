"""Notes behind a git ref: what is moved, what is left alone, and what git or others may do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import JournalError, UsageError
from reconciler.foundation.git import Git, GitError
from reconciler.journal import GitJournal
from reconciler.journal.gitref import open_git
from tests.factories import a_model
from tests.journal.stores import REF, clone, elsewhere, environ, git, git_journal, local_ref, note, shared_ref

WITH_SHELL = pytest.mark.skipif(os.name == "nt", reason="the programs of these tests are shell scripts")


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_the_empty_journal_has_no_ref(tmp_path: Path) -> None:
    for number, store in enumerate((local_ref, shared_ref)):
        place = tmp_path / str(number)
        journal = store(place)()
        home = place / ("here", "remote")[number]
        journal.put(note("mine"))
        journal.put(elsewhere(note("mine")))
        assert REF in git(home, "for-each-ref")
        journal.clear(elsewhere(note("mine")))
        assert journal.open_intents() == (note("mine"),)
        journal.clear(note("mine"))
        assert git(home, "for-each-ref") == ""


def test_nothing_else_of_the_repository_changes(tmp_path: Path) -> None:
    here = clone(tmp_path, 0)
    (here / "file").write_text("of theirs")
    git(here, "add", "file")
    git(here, "commit", "-q", "-m", "first")

    def seen() -> tuple[object, ...]:
        index = here / ".git" / "index"
        refs = git(here, "for-each-ref")
        return refs, git(here, "status", "--porcelain"), index.read_bytes(), sorted(os.listdir(here / ".git"))

    before = seen()
    journal = git_journal(here)
    journal.put(note("mine"))
    assert journal.open_intents() == (note("mine"),)
    assert seen() == before
    assert REF in git(tmp_path / "remote", "for-each-ref")


def test_what_is_moved_has_no_history_and_a_word_of_its_own(tmp_path: Path) -> None:
    journal = local_ref(tmp_path)()
    seen = []
    for _ in range(2):
        journal.put(note("mine"))
        seen.append(git(tmp_path / "here", "rev-parse", REF))
        assert git(tmp_path / "here", "rev-list", "--count", REF) == "1"
        assert git(tmp_path / "here", "log", "-1", "--format=%an %s", REF).startswith("reconciler mine ")
        journal.clear(note("mine"))
    assert seen[0] != seen[1], "the same note, written twice, can be distinguished"


@WITH_SHELL
def test_no_hooks_and_monitors_run(tmp_path: Path) -> None:
    here = clone(tmp_path, 0)
    for name in ("reference-transaction", "pre-push", "post-index-change"):
        script(here / ".git" / "hooks" / name, f"touch {tmp_path}/ran")
    script(tmp_path / "monitor", f"touch {tmp_path}/ran")
    git(here, "config", "core.fsmonitor", str(tmp_path / "monitor"))
    journal = git_journal(here)
    journal.put(note("mine"))
    journal.clear(note("mine"))
    assert not (tmp_path / "ran").exists()


@WITH_SHELL
def test_a_remote_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    here = tmp_path / "here"
    git(here, "init", "-q")
    git(here, "remote", "add", "origin", f"ext::touch {tmp_path}/ran")
    with pytest.raises(JournalError, match="ext"):
        git_journal(here).put(note("mine"))
    assert not (tmp_path / "ran").exists()


def test_a_shallow_clone_is_enough_and_stays_as_shallow(tmp_path: Path) -> None:
    full = clone(tmp_path, 0)
    for number in range(3):
        git(full, "commit", "-q", "--allow-empty", "-m", str(number))
    git(full, "push", "-q", "origin", "HEAD:refs/heads/main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "main", f"file://{tmp_path / 'remote'}", str(shallow))
    cut = (shallow / ".git" / "shallow").read_bytes()

    theirs, mine = git_journal(full), git_journal(shallow)
    theirs.put(note("theirs"))
    assert mine.put(note("mine")) == note("theirs")
    theirs.clear(note("theirs"))
    assert mine.put(note("mine")) == note("mine")
    assert theirs.open_intents() == (note("mine"),)
    assert (shallow / ".git" / "shallow").read_bytes() == cut
    assert git(shallow, "rev-list", "--count", "HEAD") == "1"


class Meddled(Git):
    """Git, with something that happens around the first push."""

    before: Callable[[], object] = staticmethod(lambda: None)
    loses_reply = False

    def run(self, *arguments: str, given: bytes = b"", out: BinaryIO | None = None) -> bytes:
        if arguments[0] != "push":
            return super().run(*arguments, given=given, out=out)
        before, self.before = self.before, lambda: None
        before()
        written = super().run(*arguments, given=given, out=out)
        if self.loses_reply:
            self.loses_reply = False
            raise GitError("git push did not end")
        return written


def meddled(here: Path) -> tuple[Meddled, GitJournal]:
    meddler = Meddled(here, environ(here))
    waits: list[float] = []
    return meddler, GitJournal(meddler, REF, clock=lambda: sum(waits), sleep=waits.append)


def test_a_run_that_loses_the_reply_to_its_push_sees_that_it_won(tmp_path: Path) -> None:
    meddler, mine = meddled(clone(tmp_path, 0))
    meddler.loses_reply = True
    assert mine.put(note("mine")) == note("mine")
    meddler.loses_reply = True
    mine.clear(note("mine"))
    assert git(tmp_path / "remote", "for-each-ref") == ""


def test_a_run_that_was_overtaken_hears_by_whom(tmp_path: Path) -> None:
    meddler, mine = meddled(clone(tmp_path, 0))
    theirs = git_journal(clone(tmp_path, 1))
    meddler.before = lambda: theirs.put(note("theirs"))
    assert mine.put(note("mine")) == note("theirs")
    assert mine.open_intents() == (note("theirs"),)


def test_a_run_that_was_overtaken_on_another_matter_writes_beside_it(tmp_path: Path) -> None:
    meddler, mine = meddled(clone(tmp_path, 0))
    theirs = git_journal(clone(tmp_path, 1))
    meddler.before = lambda: theirs.put(elsewhere(note("theirs")))
    assert mine.put(note("mine")) == note("mine")
    assert set(mine.open_intents()) == {note("mine"), elsewhere(note("theirs"))}


class Contested(Meddled):
    """Git, on a ref that another run moves before every push."""

    theirs: GitJournal
    moves = 0

    def run(self, *arguments: str, given: bytes = b"", out: BinaryIO | None = None) -> bytes:
        if arguments[0] == "push":
            self.moves += 1
            self.theirs.put(
                elsewhere(note("theirs", at=float(self.moves))), elsewhere(note("theirs", at=self.moves - 1))
            )
        return super().run(*arguments, given=given, out=out)


def test_a_race_that_is_never_won_ends_with_an_error(tmp_path: Path) -> None:
    git_here = Contested(here := clone(tmp_path, 0), environ(here))
    git_here.theirs = git_journal(clone(tmp_path, 1))
    waits: list[float] = []
    journal = GitJournal(git_here, REF, clock=lambda: sum(waits), sleep=waits.append, try_seconds=0.8)
    with pytest.raises(JournalError, match="nothing was sent"):
        journal.put(note("mine"))
    assert git_here.moves > len(waits) >= 4, "more often than a write that fails by itself is tried"
    assert note("mine") not in journal.open_intents()


def test_a_remote_that_is_gone_is_an_error_that_names_the_ref(tmp_path: Path) -> None:
    here = clone(tmp_path, 0)
    git(here, "remote", "set-url", "origin", f"file://{tmp_path}/nowhere")
    for use in (git_journal(here).open_intents, lambda: git_journal(here).put(note("mine"))):
        with pytest.raises(JournalError, match=f"{REF} at origin") as raised:
            use()
        assert "nowhere" in str(raised.value)


def test_what_others_put_behind_the_ref_is_no_note(tmp_path: Path) -> None:
    journal, here = local_ref(tmp_path)(), tmp_path / "here"
    (here / "file").write_text("of theirs")
    git(here, "add", "file")
    git(here, "commit", "-q", "-m", "first")
    git(here, "update-ref", REF, "HEAD")
    for use in (journal.open_intents, lambda: journal.put(note("mine")), lambda: journal.clear(note("mine"))):
        with pytest.raises(JournalError, match=f"{REF}:file"):
            use()
    git(here, "update-ref", REF, git(here, "rev-parse", "HEAD:file"))
    with pytest.raises(JournalError, match="tree"):
        journal.put(note("mine"))


@pytest.mark.parametrize("ref", [REF, "refs/reconciler/journal/local/acme"])
@pytest.mark.parametrize("is_shared", [False, True])
def test_the_hint_about_a_damaged_note_makes_the_journal_usable(tmp_path: Path, ref: str, is_shared: bool) -> None:
    journal, here = local_ref(tmp_path)(), tmp_path / "here"
    journal.put(note("mine"))
    name = git(here, "ls-tree", "--name-only", REF)
    git(here, "update-ref", "-d", REF)
    (here / name).write_text("{half a no")
    git(here, "add", name)
    git(here, "commit", "-q", "-m", "first")
    git(here, "update-ref", ref, "HEAD")
    if is_shared:
        git(tmp_path, "init", "-q", "--bare", "remote")
        git(here, "remote", "add", "origin", str(tmp_path / "remote"))
        git(here, "push", "-q", "origin", ref)
    older = "refs/reconciler/journal/*/acme"
    repository = Git(here, environ(tmp_path))
    journal = GitJournal(repository, REF, clock=lambda: 0.0, sleep=lambda _: None, older=older)
    with pytest.raises(JournalError, match=f"{ref}:.*is not JSON") as raised:
        journal.open_intents()
    words = raised.value.hint.partition("in it: git ")[2].partition(", and run again")[0].split()
    git(here, *words)
    assert journal.open_intents() == ()


def test_a_directory_or_a_heap_behind_the_ref_is_no_note(tmp_path: Path) -> None:
    journal, here = local_ref(tmp_path)(), tmp_path / "here"
    for number, (name, size) in enumerate((("folder/file", 1), ("heap.json", 100_000))):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("x" * size)
        git(here, "rm", "-r", "-q", "--cached", "--ignore-unmatch", ".")
        git(here, "add", name)
        git(here, "commit", "-q", "-m", str(number))
        git(here, "update-ref", REF, "HEAD")
        with pytest.raises(JournalError, match="is not a note") as raised:
            journal.open_intents()
        assert f"git update-ref -d {REF}" in raised.value.hint


def test_without_a_repository_or_a_git_it_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no repository"):
        git_journal(tmp_path)
    with pytest.raises(UsageError, match="--journal git: git is missing"):
        open_git(tmp_path, {"PATH": str(tmp_path)})


def test_a_repository_that_a_hook_is_running_in_is_not_taken_for_this_one(tmp_path: Path) -> None:
    local_ref(tmp_path)
    git(tmp_path / "other", "init", "-q")
    around = {**environ(tmp_path), "GIT_DIR": str(tmp_path / "other" / ".git")}
    GitJournal(Git(tmp_path / "here", around), REF, clock=lambda: 0.0, sleep=lambda _: None).put(note("mine"))
    assert REF in git(tmp_path / "here", "for-each-ref")
    assert git(tmp_path / "other", "for-each-ref") == ""


class Counted(Git):
    """Git, which counts its commands."""

    calls = 0

    def run(self, *arguments: str, given: bytes = b"", out: BinaryIO | None = None) -> bytes:
        self.calls += 1
        return super().run(*arguments, given=given, out=out)


def read_counted(here: Path) -> tuple[int, int]:
    """Return how many notes a journal holds, and how many git commands it takes to read them."""
    counted = Counted(here, environ(here))
    found = GitJournal(counted, REF, clock=lambda: 0.0, sleep=lambda _: None).open_intents()
    return len(found), counted.calls


def test_many_notes_are_read_with_as_many_commands_as_one(tmp_path: Path) -> None:
    journal, here = local_ref(tmp_path)(), tmp_path / "here"
    journal.put(note("run-0"))
    (_, one) = read_counted(here)
    for number in range(12):
        journal.put(replace(note(f"run-{number}"), stamp=a_model(f"model-{number}").stamp))
    assert read_counted(here) == (13, one)
    assert {each.owner for each in journal.open_intents()} == {f"run-{number}" for number in range(12)}


def test_a_note_whose_object_is_lost_is_an_error_and_no_empty_journal(tmp_path: Path) -> None:
    journal, here = local_ref(tmp_path)(), tmp_path / "here"
    journal.put(note("mine"))
    lost = git(here, "rev-parse", f"{REF}^{{tree}}:{git(here, 'ls-tree', '--name-only', REF)}")
    (here / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(JournalError, match="nothing was sent"):
        journal.open_intents()
