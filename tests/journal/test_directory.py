"""Notes in a directory: what is on the disk, and what the disk may do."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.domain.errors import JournalError
from reconciler.journal import DirectoryJournal
from reconciler.journal.directory import this_machine
from reconciler.journal.note import note_name
from tests.journal.stores import STAMP, elsewhere, note


def lying(place: Path) -> Path:
    return place / "notes" / note_name(STAMP)


def test_looking_makes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "journal"
    with DirectoryJournal(place) as journal:
        assert journal.open_intents() == ()
        journal.clear(note("mine"))
    assert not place.exists()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    made: list[str] = []
    with DirectoryJournal(tmp_path / "home" / "journal", lambda: made.append("home")) as journal:
        journal.put(note("mine"))
        journal.put(elsewhere(note("mine")))
    assert made == ["home"]
    if os.name == "posix":
        notes = tmp_path / "home" / "journal" / "notes"
        assert {path.stat().st_mode & 0o077 for path in (notes, *notes.iterdir())} == {0}


def test_nothing_but_notes_stays_behind(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("mine"))
        assert os.listdir(tmp_path / "notes") == [note_name(STAMP)]
        journal.clear(note("mine"))
    assert os.listdir(tmp_path / "notes") == os.listdir(tmp_path / "runs") == []


@pytest.mark.skipif(not this_machine(), reason="this system has no word for itself since it was started")
def test_a_run_that_has_let_go_has_abandoned_what_it_left(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("mine"))
        assert not DirectoryJournal(tmp_path).is_abandoned(note("mine"))
    assert DirectoryJournal(tmp_path).is_abandoned(note("mine"))


def test_two_journals_of_one_process_know_each_other_alive(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as mine, DirectoryJournal(tmp_path) as theirs:
        mine.put(note("mine"))
        theirs.put(elsewhere(note("theirs")))
        assert not theirs.is_abandoned(note("mine"))
        assert not mine.is_abandoned(elsewhere(note("theirs")))


def test_a_word_that_is_no_file_name_stays_inside(tmp_path: Path) -> None:
    place = tmp_path / "journal"
    with DirectoryJournal(place) as journal:
        journal.put(note("../../outside"))
        assert not journal.is_abandoned(note("../../outside"))
    assert os.listdir(tmp_path) == ["journal"]


def test_two_runs_of_one_word_are_refused(tmp_path: Path) -> None:
    """Neither could say that the other has died."""
    with DirectoryJournal(tmp_path) as mine, DirectoryJournal(tmp_path) as theirs:
        mine.put(note("same"))
        with pytest.raises(JournalError, match="same name"):
            theirs.put(elsewhere(note("same")))


@pytest.mark.parametrize("content", [b"", b"{", b"{}"])
def test_a_note_that_cannot_be_read_stops_everything_about_it(tmp_path: Path, content: bytes) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("theirs"))
        lying(tmp_path).write_bytes(content)
        for use in (journal.open_intents, lambda: journal.put(note("mine")), lambda: journal.clear(note("theirs"))):
            with pytest.raises(JournalError, match=str(lying(tmp_path))):
                use()
        assert lying(tmp_path).read_bytes() == content
        assert journal.put(elsewhere(note("mine"))) == elsewhere(note("mine")), "another stamp is another matter"


def test_a_note_under_the_name_of_another_stamp_is_not_believed(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(elsewhere(note("theirs")))
        (path,) = (tmp_path / "notes").iterdir()
        path.rename(lying(tmp_path))
        with pytest.raises(JournalError, match="is about"):
            journal.put(note("mine"))


def test_a_note_that_is_a_directory_is_an_error_too(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(elsewhere(note("mine")))
        lying(tmp_path).mkdir()
        with pytest.raises(JournalError, match="cannot be used"):
            journal.put(note("mine"))


def test_a_place_that_cannot_be_made_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with DirectoryJournal(tmp_path / "file" / "journal") as journal:
        for use in (journal.open_intents, lambda: journal.put(note("mine"))):
            with pytest.raises(JournalError, match="nothing was sent") as raised:
                use()
            assert "RECONCILER_HOME" in raised.value.hint


def test_a_home_that_cannot_be_made_is_the_same(tmp_path: Path) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "/home")

    with DirectoryJournal(tmp_path / "journal", refuse) as journal, pytest.raises(JournalError, match="denied"):
        journal.put(note("mine"))


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file of this process grow, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_no_note_is_left_and_what_was_there_stays(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("theirs"))
        request.getfixturevalue("full_disk")
        with pytest.raises(JournalError, match="File too large"):
            journal.put(note("mine"), instead_of=note("theirs"))
        assert journal.open_intents() == (note("theirs"),)


def test_half_a_note_of_a_dead_run_is_swept(tmp_path: Path) -> None:
    with DirectoryJournal(tmp_path) as journal:
        journal.put(note("dead"))
    lying(tmp_path).with_suffix(".part").write_text("{")
    with DirectoryJournal(tmp_path) as journal:
        assert journal.open_intents() == (note("dead"),)
        journal.put(elsewhere(note("mine")))
        assert not lying(tmp_path).with_suffix(".part").exists()


def test_a_system_without_a_word_for_itself_has_none(tmp_path: Path) -> None:
    assert this_machine(tmp_path / "nothing") == ""
    (tmp_path / "empty").write_text("\n")
    assert this_machine(tmp_path / "empty") == ""
    (tmp_path / "boot").write_text("1234\n")
    assert this_machine(tmp_path / "boot").endswith(" 1234")
