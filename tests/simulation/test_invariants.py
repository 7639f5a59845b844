"""The invariants find what they are for: a history with a promise broken on purpose does not pass."""

import pytest

from reconciler.domain.ports import Intent
from reconciler.executor import MemoryJournal
from tests.simulation.exhaustive import Schedule
from tests.simulation.faults import CallOutcome, Knobs, Planned
from tests.simulation.history import History, played
from tests.simulation.invariants import RunRecord
from tests.simulation.scenarios import SCENARIOS, A, turn
from tests.simulation.services import ServiceVariant


class Forgetful(MemoryJournal):
    """A journal that tells every run that its note is the only one."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Intent] = []

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        self.written.append(intent)
        return intent

    def open_intents(self) -> tuple[Intent, ...]:
        return tuple(self.written)


def with_two(given: tuple[int, ...], *, forgetful: bool) -> list[str]:
    history = History(ServiceVariant.PORT, Planned(), choose=Schedule(given).choose)
    if forgetful:
        history.shared.notes = Forgetful()
    history.play(turn(A), appliers=2)
    history.settle(turn(A))
    return history.invariants.violations


def test_without_a_journal_two_appliers_make_two_jobs_and_the_invariants_say_so() -> None:
    schedules = [tuple(int(digit) for digit in f"{number:012b}") for number in range(0, 4096, 37)]
    assert any("live jobs" in fault for given in schedules for fault in with_two(given, forgetful=True))
    assert not any(with_two(given, forgetful=False) for given in schedules)


@pytest.mark.parametrize("variant", ServiceVariant)
def test_what_is_touched_of_others_is_seen(variant: ServiceVariant) -> None:
    history = History(variant, Planned())
    theirs = next(job for job in history.state.jobs() if job.stamp is None)
    history.invariants.sending(RunRecord("run1"), "cancel", theirs.id)
    assert "which no plan of its names" in history.invariants.violations[0]
    history.invariants.violations.clear()
    if variant is ServiceVariant.PORT:
        history.memory.foreign.clear()
    else:
        history.state.set_status(theirs.id, "cancelled")
    history.settle(turn(A))
    assert any(theirs.id in fault for fault in history.invariants.violations)


def test_a_second_send_a_strange_job_and_other_rows_are_seen() -> None:
    history = History(ServiceVariant.OPENAI, Planned())
    record = RunRecord("run1")
    for _ in range(2):
        sent = history.invariants.sending(record, "train", "model/triage")
    history.invariants.effect(sent, lambda: history.service.add_job(metadata=None))
    assert any("twice" in fault for fault in history.invariants.violations)
    assert any("does not name" in fault for fault in history.invariants.violations)

    played(history, SCENARIOS["one"]())
    history.invariants.violations.clear()
    file = next(
        file for file in history.state.files() if file.filename.startswith("tickets") and file.content != b"{}\n"
    )
    history.service.contents[file.id] = b"other rows\n"
    made = next(job for job in history.state.jobs() if job.stamp)
    record.trains = frozenset({str(made.stamp)})
    marks = history.service.jobs[made.id]["metadata"]
    again = history.invariants.sending(record, "train", "again")
    history.invariants.effect(again, lambda: history.service.add_job(metadata=marks, training_file=file.id))
    faults = " ".join(history.invariants.violations)
    assert "other rows" in faults
    assert "live jobs" in faults


def test_a_simulation_that_does_not_come_to_rest_is_seen() -> None:
    """Jobs that are removed before every look keep us at work for ever."""
    history = History(ServiceVariant.PORT, Planned())
    span = history.capabilities.settle_seconds
    for number in range(1, 40):
        history.scheduler.time.after(number * span - 1, history.memory.jobs.clear)
    history.settle(turn(A))
    assert any("not quiet" in fault for fault in history.invariants.violations)
    assert any("writes after the quiet" in fault for fault in history.invariants.violations)


def test_an_effect_beyond_every_bound_makes_twins_that_the_next_plan_takes_away() -> None:
    """The weaker promise: what broke shows, one job stays, and a run cancels only what a plan names."""
    plain = played(History(ServiceVariant.PORT, Planned()), SCENARIOS["one"]())
    key = next(key for key in plain.invariants.boundaries if " train " in key)
    history = History(
        ServiceVariant.PORT, Planned({key: CallOutcome.TOO_LATE}), within_bounds=False, knobs=Knobs(too_late=1.0)
    )
    history.play(turn(A))
    bounds = history.capabilities
    history.scheduler.time.pass_until(history.scheduler.time.now + bounds.intent_seconds)
    history.play(turn(A))
    history.settle(turn(A))
    assert history.invariants.violations == []
    assert [verb for verb, _ in history.invariants.effects] == ["upload", "train", "train", "cancel"]
