"""Notes on the service: who counts when several write at once, and what stays of it."""

import pytest

from reconciler.domain.errors import JournalError, MalformedError, RejectedError
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import FileId, JobId
from reconciler.domain.ports import Capabilities, Intent, RemoteNote
from reconciler.journal import RemoteJournal
from reconciler.journal.remote import SHORTEST_LIFE, settle_seconds
from reconciler.testing import MemoryProvider
from tests.factories import LONG_AGO
from tests.journal.stores import BOUNDS, STAMP, note
from tests.simulation import Clock


class Place:
    """A service, its clock, and the runs that share it."""

    def __init__(self, list_lag_seconds: float = 3.0) -> None:
        self.clock = Clock()
        self.service = MemoryProvider(clock=self.clock, capabilities=BOUNDS, list_lag_seconds=list_lag_seconds)
        self.stopped = False

    def run(self, project: str = "acme") -> RemoteJournal:
        return RemoteJournal(
            self.service,
            project,
            BOUNDS,
            clock=self.clock,
            sleep=self.clock.sleep,
            stopping=lambda: self.stopped,
        )

    def name(self, intent: Intent) -> str:
        """The name under which a note would lie."""
        other = Place()
        other.run().put(intent)
        (left,) = other.service.notes_left.values()
        return left.name

    def appear(self, intent: Intent, file: str, created_at: int) -> None:
        """Add a note of another run, which every list shows from now on."""
        rival = RemoteNote(id=FileId(file), name=self.name(intent), created_at=created_at)
        self.service.notes_left[rival.id] = rival
        self.service.expiring[rival.id] = float("inf")


def test_a_note_counts_when_every_list_shows_it_and_every_older_one() -> None:
    place = Place()
    started = place.clock.now
    place.run().put(note("mine"))
    assert place.clock.now - started == settle_seconds(BOUNDS) == 5.0


@pytest.mark.parametrize(
    ("file", "older", "wins"),
    [("a-file", 1, "theirs"), ("z-file", 0, "mine"), ("a-file", 0, "theirs"), ("a", -1, "mine")],
)
def test_the_oldest_note_counts_and_of_two_of_one_second_the_first_id(file: str, older: int, wins: str) -> None:
    place = Place()
    place.clock.after(1, lambda: place.appear(note("theirs"), file, LONG_AGO - older))
    assert place.run().put(note("mine")).owner == wins
    mine = [left for left in place.service.notes_left.values() if "mine" in left.name]
    assert bool(mine) == (wins == "mine"), "the run that loses removes its own note"


def test_a_note_that_lies_there_is_heeded_without_a_write() -> None:
    place = Place()
    place.appear(note("theirs"), "a-file", LONG_AGO)
    assert place.run().put(note("mine")) == note("theirs")
    assert place.service.writes["note"] == 0


def test_of_two_that_take_over_one_counts() -> None:
    place = Place()
    place.appear(note("dead"), "a-file", LONG_AGO - 100)
    place.clock.after(1, lambda: place.appear(note("theirs"), "b-file", LONG_AGO))
    assert place.run().put(note("mine"), instead_of=note("dead")) == note("theirs")
    assert {left.id for left in place.service.notes_left.values()} == {"a-file", "b-file"}


def test_a_run_that_has_the_note_adds_to_it_without_waiting() -> None:
    place = Place()
    journal = place.run()
    journal.put(note("mine"))
    started = place.clock.now
    with_job = Intent(stamp=STAMP, owner="mine", at=note("mine").at, job=JobId("ftjob-1"))
    assert journal.put(with_job, instead_of=note("mine")) == with_job
    assert place.clock.now == started
    assert [left.name.split(".")[-2] for left in place.service.notes_left.values()] == ["ftjob-1"]
    journal.clear(with_job)
    assert place.service.notes_left == {}, "by its id, for no list shows it yet"


def test_a_note_of_ours_that_never_counted_is_not_built_upon() -> None:
    """Its reply was lost, so it may have lost against another one."""
    place, lost = Place(), note("mine")
    journal = place.run()
    place.service.lose_next_reply(effect=True, of="note")
    with pytest.raises(JournalError, match="not known"):
        journal.put(lost)
    place.clock.sleep(10)
    started = place.clock.now
    assert journal.put(note("mine", at=2.0), instead_of=lost) == note("mine", at=2.0)
    assert place.clock.now - started == settle_seconds(BOUNDS)
    assert len(place.service.notes_left) == 1


def test_a_wish_to_stop_leaves_no_word() -> None:
    """A sleep that is cut short has not waited for the rivals."""
    place = Place()

    def stop() -> None:
        place.stopped = True

    place.clock.after(0.0, stop)
    journal = RemoteJournal(
        place.service,
        "acme",
        BOUNDS,
        clock=place.clock,
        sleep=lambda _: place.clock.sleep(0.5),
        stopping=lambda: place.stopped,
    )
    with pytest.raises(JournalError, match="stopped"):
        journal.put(note("mine"))
    assert place.service.notes_left == {}


def test_a_note_that_does_not_show_is_not_relied_upon() -> None:
    place = Place(list_lag_seconds=60.0)
    with pytest.raises(JournalError, match="is not in the list") as raised:
        place.run().put(note("mine"))
    assert "--bound list_lag=" in raised.value.hint
    assert place.service.notes_left == {}


def test_a_refusal_has_the_message_of_the_service() -> None:
    place = Place()
    place.service.refuse_next(RejectedError("no such purpose", hint="mend it"), of="note")
    with pytest.raises(JournalError, match="no such purpose") as raised:
        place.run().put(note("mine"))
    assert raised.value.hint == "mend it"


def test_a_note_that_cannot_be_taken_back_is_an_error() -> None:
    place = Place()
    journal = place.run()
    journal.put(note("mine"))
    place.service.refuse_next(RejectedError("not now"), of="unnote")
    with pytest.raises(JournalError, match="removed"):
        journal.clear(note("mine"))
    journal.clear(note("mine"))
    assert place.service.notes_left == {}


class Cut(MemoryProvider):
    """A service whose list of files looks cut."""

    def notes(self) -> tuple[RemoteNote, ...]:
        raise MalformedError("the list may be cut")


def test_a_list_that_may_be_cut_shows_nothing() -> None:
    journal = RemoteJournal(Cut(), "acme", BOUNDS, clock=lambda: 0.0, sleep=lambda _: None)
    for use in (journal.open_intents, lambda: journal.put(note("mine"))):
        with pytest.raises(JournalError, match="may be cut"):
            use()


def test_notes_go_by_themselves() -> None:
    place = Place()
    place.run().put(note("dead"))
    place.clock.sleep(SHORTEST_LIFE)
    assert place.run().open_intents() == ()
    long = Capabilities(effect_seconds=4000.0)
    RemoteJournal(place.service, "acme", long, clock=place.clock, sleep=place.clock.sleep).put(note("mine"))
    place.clock.sleep(long.intent_seconds - settle_seconds(long) - 1)
    assert place.run().open_intents() == (note("mine"),), "not before they are over"


def test_other_projects_and_other_files_are_not_ours() -> None:
    place = Place()
    place.run("another").put(note("theirs"))
    for number, name in enumerate(("notes.json", "reconciler-note.json", "reconciler-note.x.model.a.v1.b.c.-.-.json")):
        file = FileId(f"foreign-{number}")
        place.service.notes_left[file] = RemoteNote(id=file, name=name, created_at=LONG_AGO)
        place.service.expiring[file] = float("inf")
    journal = place.run()
    assert journal.open_intents() == ()
    assert journal.put(note("mine")) == note("mine")
    journal.clear(note("mine"))
    assert len(place.service.notes_left) == 4


def test_a_note_is_never_taken_for_a_dataset_and_fits_every_file_system() -> None:
    place = Place()
    longest = Stamp(Address(Kind.MODEL, "m" * 63), STAMP.digest)
    place.run("p" * 63).put(Intent(stamp=longest, owner="0123456789abcdef", at=1.7e9, job=JobId("ftjob-" + "x" * 24)))
    (left,) = place.service.notes_left.values()
    assert Stamp.of_filename(left.name) is None
    assert len(left.name) <= 255


def test_a_word_that_no_name_can_hold_is_refused_before_it_is_sent() -> None:
    place = Place()
    with pytest.raises(JournalError, match="read back"):
        place.run().put(note("a word with spaces"))
    assert place.service.writes["note"] == 0
