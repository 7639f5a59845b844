"""One journal for a project, whatever the address of its service; notes of other accounts are kept apart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.domain.errors import JournalError
from reconciler.journal import DirectoryJournal, GitJournal, JournalAccount, JournalScope, open_directory, open_ref
from reconciler.journal.note import JournalNote, note_name, write_note
from tests.journal.stores import STAMP, clone, environ, git, note
from tests.simulation import Clock

ORG = JournalAccount(organization="org-one")
OTHER_ORG = JournalAccount(organization="org-two")
ORG_AND_PROJECT = JournalAccount(organization="org-one", project="p")
UNKNOWN = JournalAccount()
NOTHING = "a file that is not ours\n"

Opened = DirectoryJournal | GitJournal
OpenAs = Callable[[JournalAccount], Opened]


def in_directory(place: Path) -> OpenAs:
    return lambda account: DirectoryJournal(place / "intents", account=account)


def scope(place: Path, account: JournalAccount, *homes: Path) -> JournalScope:
    return JournalScope(
        account=account,
        project="acme",
        home=place / "home",
        make_home=lambda: (place / "home").mkdir(exist_ok=True),
        older_homes=homes,
        workspace=place / "clone-0",
        environ=environ(place),
    )


def behind_ref(place: Path) -> OpenAs:
    clone(place, 0)
    clock = Clock()
    return lambda account: open_ref(scope(place, account), clock=clock, sleep=clock.sleep)


PLACES = pytest.mark.parametrize("make", [in_directory, behind_ref])


@PLACES
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ORG, ORG),
        (ORG, UNKNOWN),
        (UNKNOWN, ORG),
        (UNKNOWN, UNKNOWN),
        (ORG, JournalAccount(organization="org-one", project="p")),
        (ORG, JournalAccount(organization="Org-One")),
        (JournalAccount(organization=" ORG-ONE", project="P"), JournalAccount(organization="org-one", project="p ")),
    ],
)
def test_what_may_be_the_same_account_counts(
    tmp_path: Path, make: Callable[[Path], OpenAs], first: JournalAccount, second: JournalAccount
) -> None:
    """A header that is missing once, and another address or profile, make no second journal."""
    open_as = make(tmp_path)
    assert open_as(first).put(note("theirs")) == note("theirs")
    assert open_as(second).open_intents() == (note("theirs"),)
    assert open_as(second).put(note("mine")) == note("theirs")
    assert open_as(second).put(note("mine"), instead_of=note("theirs")) == note("mine")
    assert [each.intent for each in open_as(first).notes()] == [note("mine")]


@PLACES
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ORG, OTHER_ORG),
        (JournalAccount(organization="org-one", project="p"), JournalAccount(organization="org-one", project="q")),
    ],
)
def test_what_is_certainly_another_account_does_not_count_and_stays(
    tmp_path: Path, make: Callable[[Path], OpenAs], first: JournalAccount, second: JournalAccount
) -> None:
    open_as = make(tmp_path)
    open_as(first).put(note("theirs"))
    assert open_as(second).open_intents() == ()
    assert open_as(second).put(note("mine")) == note("mine")
    open_as(second).clear(note("theirs"))
    assert {each.intent.owner for each in open_as(second).notes()} == {"theirs", "mine"}
    open_as(second).clear(note("mine"))
    assert [each.intent for each in open_as(first).notes()] == [note("theirs")]


@PLACES
def test_a_run_that_does_not_know_its_account_takes_over_one_note_after_the_other(
    tmp_path: Path, make: Callable[[Path], OpenAs]
) -> None:
    open_as = make(tmp_path)
    open_as(ORG).put(note("one"))
    open_as(OTHER_ORG).put(note("two"))
    mine, theirs, seen = open_as(UNKNOWN), None, list[str]()
    for _ in range(3):
        current = mine.put(note("mine"), instead_of=theirs)
        seen.append(current.owner)
        theirs = current
    assert sorted(seen[:2]) == ["one", "two"]
    assert seen[2] == "mine"
    assert [each.intent.owner for each in mine.notes()] == ["mine"]


def old_note(owner: str) -> bytes:
    """Return a note as versions before wrote it."""
    fields = json.loads(write_note(JournalNote(note(owner), "another machine")))
    del fields["organization"], fields["account_project"]
    return json.dumps(fields | {"version": 1}).encode()


def test_notes_that_an_earlier_version_left_under_an_address_count(tmp_path: Path) -> None:
    for service in ("127-0-0-1-8000-0a1b2c3d", "localhost-8000-4e5f6071"):
        notes = tmp_path / "old" / "journal" / service / "acme" / "notes"
        notes.mkdir(parents=True)
    (notes / note_name(STAMP)).write_bytes(old_note("theirs"))
    journal = open_directory(scope(tmp_path, ORG, tmp_path / "old"))
    assert journal.open_intents() == (note("theirs"),)
    assert not journal.is_abandoned(note("theirs")), "its run may still be alive; only age ends it"
    assert journal.put(note("mine")) == note("theirs")
    assert list((tmp_path / "old").rglob("*.json")) == []


def test_notes_that_an_earlier_version_left_behind_a_ref_count(tmp_path: Path) -> None:
    open_as = behind_ref(tmp_path)
    place = tmp_path / "clone-0"
    (place / "note").write_bytes(old_note("theirs"))
    blob = git(place, "hash-object", "-w", "note")
    git(place, "update-index", "--add", "--cacheinfo", f"100644,{blob},{note_name(STAMP)}")
    tree = git(place, "write-tree")
    commit = git(place, "commit-tree", "-m", "old", tree)
    git(place, "push", "-q", "origin", f"{commit}:refs/reconciler/journal/api-example-0a1b2c3d/acme")
    git(place, "push", "-q", "origin", f"{commit}:refs/reconciler/journal/api-example-0a1b2c3d/another")

    assert open_as(ORG).put(note("mine")) == note("theirs")
    assert open_as(ORG).put(note("mine"), instead_of=note("theirs")) == note("mine")
    left = git(tmp_path / "remote", "for-each-ref", "--format=%(refname)").split()
    assert left == ["refs/reconciler/intents/acme", "refs/reconciler/journal/api-example-0a1b2c3d/another"]
    open_as(ORG).clear(note("mine"))
    assert git(tmp_path / "remote", "for-each-ref", "--format=%(refname)", "refs/reconciler/intents") == ""


@pytest.mark.parametrize("linked", ["notes", "runs", "lock"])
def test_no_link_in_the_journal_is_followed(tmp_path: Path, linked: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("thesis.part", "0" * 32, "lock"):
        (outside / name).write_text(NOTHING, encoding="utf-8")
    place = tmp_path / "intents"
    place.mkdir()
    (place / linked).symlink_to(outside / "lock" if linked == "lock" else outside)
    with DirectoryJournal(place) as journal, pytest.raises(JournalError, match=r"a link|symbolic link"):
        journal.put(note("mine"))
    assert {path.read_text(encoding="utf-8") for path in outside.iterdir()} == {NOTHING}
    assert len(list(outside.iterdir())) == 3


def test_a_note_that_is_a_link_is_not_read_and_not_replaced(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(write_note(JournalNote(note("forged"))))
    with DirectoryJournal(tmp_path / "intents") as journal:
        journal.put(note("mine"))
        path = tmp_path / "intents" / "notes" / note_name(STAMP)
        path.unlink()
        path.symlink_to(outside)
        with pytest.raises(JournalError, match="nothing was sent"):
            journal.put(note("mine"))
    assert outside.exists()


def test_a_sweep_removes_only_what_this_program_names(tmp_path: Path) -> None:
    for name in ("notes/thesis.part", "runs/thesis", "notes/thesis.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(NOTHING, encoding="utf-8")
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("mine"))
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("thesis*"))
    assert left == ["notes/thesis.part", "notes/thesis.txt", "runs/thesis"]


def test_an_account_is_foreign_only_where_both_say_so() -> None:
    assert ORG.is_foreign(OTHER_ORG)
    assert not ORG.is_foreign(UNKNOWN)
    assert not UNKNOWN.is_foreign(ORG)
