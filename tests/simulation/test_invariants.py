"""The oracles see what they are for: a world with a promise broken on purpose does not pass."""

import pytest

from reconciler.domain.ports import Intent
from reconciler.executor.context import MemoryJournal
from tests.simulation.exhaustive import Schedule
from tests.simulation.faults import Fate, Knobs, Planned
from tests.simulation.history import History, played
from tests.simulation.invariants import RunBook
from tests.simulation.scenarios import SCENARIOS, A, turn
from tests.simulation.services import Door


class Forgetful(MemoryJournal):
    """A journal that tells every run that its note is the only one."""

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        return intent


def with_two(given: tuple[int, ...], *, forgetful: bool) -> list[str]:
    history = History(Door.PORT, Planned(), choose=Schedule(given).choose)
    if forgetful:
        history.shelf.notes = Forgetful()
    history.play(turn(A), appliers=2)
    history.settle(turn(A))
    return history.ledger.violations


def test_without_a_journal_two_appliers_make_two_jobs_and_the_oracle_says_so() -> None:
    schedules = [tuple(int(digit) for digit in f"{number:012b}") for number in range(0, 4096, 37)]
    assert any("live jobs" in fault for given in schedules for fault in with_two(given, forgetful=True))
    assert not any(with_two(given, forgetful=False) for given in schedules)


@pytest.mark.parametrize("door", Door)
def test_what_is_touched_of_others_is_seen(door: Door) -> None:
    history = History(door, Planned())
    theirs = next(job for job in history.ground.jobs() if job.stamp is None)
    history.ledger.sending(RunBook("run1"), "cancel", theirs.id)
    assert "which no plan of its names" in history.ledger.violations[0]
    history.ledger.violations.clear()
    if door is Door.PORT:
        history.memory.foreign.clear()
    else:
        history.ground.set_status(theirs.id, "cancelled")
    history.settle(turn(A))
    assert any(theirs.id in fault for fault in history.ledger.violations)


def test_a_second_send_a_strange_job_and_other_rows_are_seen() -> None:
    history = History(Door.OPENAI, Planned())
    book = RunBook("run1")
    for _ in range(2):
        sent = history.ledger.sending(book, "train", "model/triage")
    history.ledger.effect(sent, lambda: history.service.add_job(metadata=None))
    assert any("twice" in fault for fault in history.ledger.violations)
    assert any("does not name" in fault for fault in history.ledger.violations)

    played(history, SCENARIOS["one"]())
    history.ledger.violations.clear()
    file = next(
        file for file in history.ground.files() if file.filename.startswith("tickets") and file.content != b"{}\n"
    )
    history.service.contents[file.id] = b"other rows\n"
    made = next(job for job in history.ground.jobs() if job.stamp)
    book.trains = frozenset({str(made.stamp)})
    marks = history.service.jobs[made.id]["metadata"]
    again = history.ledger.sending(book, "train", "again")
    history.ledger.effect(again, lambda: history.service.add_job(metadata=marks, training_file=file.id))
    faults = " ".join(history.ledger.violations)
    assert "other rows" in faults
    assert "live jobs" in faults


def test_a_world_that_does_not_come_to_rest_is_seen() -> None:
    """Somebody who takes the job away before every look keeps us at work for ever."""
    history = History(Door.PORT, Planned())
    span = history.capabilities.settle_seconds
    for number in range(1, 40):
        history.stage.time.after(number * span - 1, history.memory.jobs.clear)
    history.settle(turn(A))
    assert any("not quiet" in fault for fault in history.ledger.violations)
    assert any("writes after the quiet" in fault for fault in history.ledger.violations)


def test_an_effect_beyond_every_bound_makes_twins_that_the_next_plan_takes_away() -> None:
    """The weaker promise: what broke shows, one job stays, and a run cancels only what a plan names."""
    plain = played(History(Door.PORT, Planned()), SCENARIOS["one"]())
    key = next(key for key in plain.ledger.boundaries if " train " in key)
    history = History(Door.PORT, Planned({key: Fate.TOO_LATE}), within_bounds=False, knobs=Knobs(too_late=1.0))
    history.play(turn(A))
    bounds = history.capabilities
    history.stage.time.pass_until(history.stage.time.now + bounds.intent_seconds)
    history.play(turn(A))
    history.settle(turn(A))
    assert history.ledger.violations == []
    assert [verb for verb, _ in history.ledger.effects] == ["upload", "train", "train", "cancel"]
