"""What every journal promises, whatever it is made of."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.observed import JobId
from reconciler.domain.ports import Intent, Journal
from tests.journal.stores import STORES, Open, elsewhere, note

THREADS = 4


@pytest.fixture(params=sorted(STORES))
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    make: Callable[[Path], Open] = STORES[request.param]
    return make(tmp_path)


def owners(journal: Journal) -> list[str]:
    return sorted(intent.owner for intent in journal.open_intents())


def test_a_new_journal_is_empty(open_store: Open) -> None:
    journal = open_store()
    assert journal.open_intents() == ()
    journal.clear(note("nobody"))
    assert not journal.is_abandoned(note("nobody"))
    assert journal.open_intents() == ()


def test_every_run_reads_a_note_until_it_is_cleared(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    assert mine.put(note("mine")) == note("mine")
    assert theirs.open_intents() == mine.open_intents() == (note("mine"),)
    assert not theirs.is_abandoned(note("mine")), "its writer lives"
    mine.clear(note("mine"))
    assert theirs.open_intents() == mine.open_intents() == ()


def test_the_second_of_two_runs_gets_the_note_of_the_first(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    mine.put(note("mine"))
    assert theirs.put(note("theirs")) == note("mine")
    assert owners(mine) == ["mine"]


def test_each_stamp_has_a_note_of_its_own(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    mine.put(note("mine"))
    assert theirs.put(elsewhere(note("theirs"))) == elsewhere(note("theirs"))
    mine.clear(note("mine"))
    assert theirs.open_intents() == (elsewhere(note("theirs")),)


def test_a_note_is_taken_over_only_by_a_run_that_names_it_exactly(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    mine.put(note("mine", at=1000.0))
    assert theirs.put(note("theirs"), instead_of=note("mine", at=1001.0)) == note("mine", at=1000.0)
    assert theirs.put(note("theirs"), instead_of=note("mine", at=1000.0)) == note("theirs")
    assert owners(mine) == ["theirs"]
    assert mine.put(replace(note("mine"), job=JobId("ftjob-1")), instead_of=note("mine")) == note("theirs")


def test_a_note_to_replace_may_be_missing(open_store: Open) -> None:
    mine = open_store()
    assert mine.put(note("mine"), instead_of=note("gone")) == note("mine")


def test_only_the_present_note_is_cleared(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    mine.put(note("mine"))
    theirs.put(note("theirs"), instead_of=note("mine"))
    mine.clear(note("mine"))
    assert owners(theirs) == ["theirs"]


def test_a_run_adds_the_answer_to_its_note_and_every_run_reads_it(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    before = replace(note("mine"), excluded_jobs=(JobId("ftjob-0"),))
    after = replace(before, job=JobId("ftjob-abc_1"))
    mine.put(before)
    assert mine.put(after, instead_of=before) == after
    read = theirs.put(note("theirs"))
    assert (read.owner, read.job, read.at) == (after.owner, after.job, after.at)
    mine.clear(after)
    assert theirs.open_intents() == ()


def test_a_note_without_a_time_is_read_as_one(open_store: Open) -> None:
    mine, theirs = open_store(), open_store()
    mine.put(replace(note("mine"), at=None))
    assert theirs.open_intents()[0].at is None


def test_of_many_concurrent_runs_one_wins_and_all_get_its_note(open_store: Open) -> None:
    journals = [open_store() for _ in range(THREADS)]
    barrier = threading.Barrier(THREADS)
    heard: list[tuple[Intent, Intent]] = []

    def run(number: int) -> None:
        intent = note(f"run{number}")
        barrier.wait(10)
        heard.append((intent, journals[number].put(intent)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(heard) == THREADS
    assert len({lies.owner for _, lies in heard}) == 1
    assert [mine for mine, lies in heard if mine == lies] == [heard[0][1]]
    assert owners(journals[0]) == [heard[0][1].owner]


def test_steps_of_one_run_write_concurrently(open_store: Open) -> None:
    """No note is lost because another one was written at the same moment."""
    journal = open_store()
    intents = [note("mine"), elsewhere(note("mine"))]
    barrier = threading.Barrier(len(intents))
    won: list[Intent] = []

    def step(intent: Intent) -> None:
        barrier.wait(10)
        won.append(journal.put(intent))

    threads = [threading.Thread(target=step, args=(intent,)) for intent in intents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert set(won) == set(intents)
    assert set(journal.open_intents()) == set(intents)
