"""Intents: every run respects those of other runs, and its own after a restart."""

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import JournalError
from reconciler.domain.event import Outcome, Progress
from reconciler.domain.identity import Address, Kind, Stamp
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done, Intent, Write
from reconciler.domain.renames import NameMap
from reconciler.executor import (
    MemoryJournal,
    OutcomeUnknownError,
    RunContext,
    StepFailedError,
    StepRefusedError,
    create,
    execute,
)
from reconciler.executor.context import StoppedError
from reconciler.executor.intents import clear_finished_intents
from reconciler.providers import with_renames
from reconciler.testing import MemoryProvider
from tests.factories import LONG_AGO, a_job, a_model
from tests.simulation import Sandbox, outcomes, real_dataset

MODEL = a_model(training=real_dataset())
TRAIN = Train(model=MODEL)
THEIRS = Intent(stamp=MODEL.stamp, owner="another run", at=float(LONG_AGO))


class Survivor(MemoryJournal):
    """A journal that outlives runs, and knows which of them are dead."""

    def __init__(self, *dead: str) -> None:
        super().__init__()
        self.dead = set(dead)

    def is_abandoned(self, intent: Intent) -> bool:
        return intent.owner in self.dead


def ready(sandbox: Sandbox, journal: MemoryJournal) -> RunContext:
    """A context for which only the create is left to do."""
    sandbox.service.upload(MODEL.training, iter([b"x" * MODEL.training.measure.size_bytes]))
    sandbox.service.writes.clear()
    context = sandbox.context()
    context.journal = journal
    context.remember(sandbox.service.observe(), (MODEL.training,))
    return context


def test_the_intent_of_another_run_is_respected_until_it_ends() -> None:
    """Nothing says that its writer is dead: it may send until its whole age has passed."""
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    started = sandbox.clock.now
    assert not create(TRAIN, context).adopted
    # 25 seconds of age by the service's clock, and then 10 of quiet.
    assert sandbox.clock.now - started >= 25
    assert sandbox.service.writes["train"] == 1


@pytest.mark.parametrize("wrong_by", [3600.0, 86400.0, -3600.0])
def test_a_wrong_date_of_the_service_makes_the_intent_of_another_run_no_older(wrong_by: float) -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    context.provider = Wrong(sandbox.service, wrong_by)  # type: ignore[assignment]  # the same port, by delegation
    journal.put(THEIRS)
    started = sandbox.clock.now
    sandbox.clock.after(20, lambda: sandbox.service.put(a_job(MODEL, "queued", id="ftjob-theirs")))
    assert create(TRAIN, context).job.id == "ftjob-theirs"
    assert sandbox.service.writes["train"] == 0
    assert sandbox.clock.now - started >= 20


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 86400.0])
def test_nothing_is_sent_while_a_wrong_date_hides_how_long_this_machine_stood_still(jump: float) -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    wrong = Wrong(sandbox.service, 0.0)
    context.provider = wrong  # type: ignore[assignment]  # the same port, by delegation
    recorded = journal.put

    def put(intent: Intent, instead_of: Intent | None = None) -> Intent:
        wrong.wrong_by += jump
        return recorded(intent, instead_of)

    journal.put = put  # type: ignore[method-assign]  # the journal of this test
    with pytest.raises(StepFailedError):
        create(TRAIN, context)
    assert sandbox.service.writes["train"] == 0


class Wrong:
    """A service whose answers bear a wrong date."""

    def __init__(self, inner: MemoryProvider, wrong_by: float) -> None:
        self.inner, self.wrong_by = inner, wrong_by

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def service_time(self) -> float:
        return (self.inner.service_time() or 0.0) + self.wrong_by


class TakenBefore(MemoryJournal):
    """A journal whose note is taken over right after it was written."""

    def open_intents(self) -> tuple[Intent, ...]:
        mine = next(iter(super().open_intents()))
        if mine.owner != THEIRS.owner and mine.job is None:
            super().put(THEIRS, instead_of=mine)
        return super().open_intents()


def test_the_journal_is_read_once_more_and_nothing_is_sent_under_the_intent_of_another_run() -> None:
    sandbox = Sandbox()
    context = ready(sandbox, TakenBefore())
    sandbox.clock.after(5, lambda: sandbox.service.put(a_job(MODEL, "queued", id="ftjob-theirs")))
    assert create(TRAIN, context).job.id == "ftjob-theirs"
    assert sandbox.service.writes["train"] == 0


def test_on_a_service_without_a_clock_the_whole_age_is_waited_for() -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    context.provider = Silent(sandbox.service)  # type: ignore[assignment]  # the same port, by delegation
    journal.put(replace(THEIRS, at=None))
    started = sandbox.clock.now
    assert not create(TRAIN, context).adopted
    assert sandbox.clock.now - started >= 25


class Silent:
    """A service whose answers bear no date."""

    def __init__(self, inner: MemoryProvider) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def service_time(self) -> None:
        return None


def test_the_request_of_a_killed_run_is_waited_for_as_long_as_it_may_take_effect() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    started = sandbox.clock.now
    sandbox.clock.after(8, lambda: sandbox.service.put(a_job(MODEL, "queued", id="ftjob-late", age=0)))
    created = create(TRAIN, context)
    assert (created.job.id, created.adopted) == ("ftjob-late", True)
    assert sandbox.service.writes["train"] == 0
    assert sandbox.clock.now - started <= 10


@pytest.mark.parametrize("state", ["killed", "at work", "unknown outcome"])
def test_an_intent_under_an_old_name_counts_after_a_rename(state: str) -> None:
    sandbox, journal = Sandbox(), Survivor("another run" if state == "killed" else "nobody")
    context, old = ready(sandbox, journal), Address(Kind.MODEL, "sorter")
    context.names = NameMap(moved={old: MODEL.address}, declared=frozenset({MODEL.address}))
    context.provider = with_renames(sandbox.service, context.names)
    journal.put(replace(THEIRS, stamp=Stamp(old, MODEL.stamp.digest)))
    late = replace(a_job(MODEL, "queued", id="ftjob-late", age=0), stamp=Stamp(old, MODEL.stamp.digest))
    sandbox.clock.after(8, lambda: sandbox.service.put(late))
    created = create(TRAIN, context)
    assert (created.job.id, created.adopted) == ("ftjob-late", True)
    assert sandbox.service.writes["train"] == 0


def test_an_intent_under_an_old_name_is_taken_over_when_no_job_can_show_any_more() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context, old = ready(sandbox, journal), Address(Kind.MODEL, "sorter")
    context.names = NameMap(moved={old: MODEL.address}, declared=frozenset({MODEL.address}))
    journal.put(replace(THEIRS, stamp=Stamp(old, MODEL.stamp.digest)))
    started = sandbox.clock.now
    assert not create(TRAIN, context).adopted
    assert sandbox.clock.now - started == 10
    assert journal.open_intents() == ()


def test_a_doubtful_job_under_an_old_name_stops_the_create_after_a_rename() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context, old = ready(sandbox, journal), Address(Kind.MODEL, "sorter")
    context.names = NameMap(moved={old: MODEL.address}, declared=frozenset({MODEL.address}))
    journal.put(replace(THEIRS, stamp=Stamp(old, MODEL.stamp.digest), job=JobId("ftjob-bare"), doubt="without marks"))
    with pytest.raises(StepRefusedError, match="ftjob-bare"):
        create(TRAIN, context)
    assert sandbox.service.writes["train"] == 0
    assert [each.job for each in journal.open_intents()] == ["ftjob-bare"]


def test_without_an_effect_of_the_killed_run_the_job_is_created_after_the_wait() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    started = sandbox.clock.now
    assert not create(TRAIN, context).adopted
    assert sandbox.clock.now - started == 10
    assert journal.open_intents() == ()


def test_the_quiet_begins_when_the_writer_is_seen_to_be_dead() -> None:
    """What was quiet while it lived says nothing of what it sent at its end."""
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    started = sandbox.clock.now
    sandbox.clock.after(9, lambda: journal.dead.add("another run"))
    create(TRAIN, context)
    assert sandbox.clock.now - started >= 19


def test_an_intent_that_names_its_job_is_accepted_before_any_list_shows_the_job() -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    sandbox.service.list_lag_seconds = 1000
    theirs = sandbox.context()
    theirs.remember(sandbox.service.observe(), (MODEL.training,))
    theirs.files, theirs.journal, theirs.run = context.files, journal, "another run"
    assert not create(TRAIN, theirs).adopted
    assert journal.open_intents()[0].job == "ftjob-1", "no list has shown it, so the note stays"
    created = create(TRAIN, context)
    assert (created.job.id, created.adopted) == ("ftjob-1", True)
    assert sandbox.service.writes["train"] == 1


def test_an_intent_that_names_a_job_of_another_stamp_stops_the_create_until_a_person_decides() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context = ready(sandbox, journal)
    sandbox.service.put(a_job(a_model("other"), id="ftjob-other"))
    journal.put(replace(THEIRS, job=JobId("ftjob-other")))
    with pytest.raises(StepRefusedError, match="ftjob-other"):
        create(TRAIN, context)
    assert sandbox.service.writes["train"] == 0
    sandbox.clock.sleep(1000)
    with pytest.raises(StepRefusedError, match="ftjob-other"):
        create(TRAIN, context)
    decided = replace(TRAIN, excluded_jobs=(JobId("ftjob-other"),))
    assert create(decided, context).job.id == "ftjob-1"
    assert journal.open_intents() == ()


def test_a_job_that_the_plan_counts_out_is_not_believed_either() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    context = ready(sandbox, journal)
    sandbox.service.put(a_job(MODEL, "failed", id="ftjob-9"))
    journal.put(replace(THEIRS, job=JobId("ftjob-9")))
    assert create(Train(model=MODEL, excluded_jobs=(JobId("ftjob-9"),)), context).job.id == "ftjob-1"


def test_a_note_that_is_taken_back_makes_way_at_once() -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    started = sandbox.clock.now
    sandbox.clock.after(3, lambda: journal.clear(THEIRS))
    assert not create(TRAIN, context).adopted
    assert sandbox.clock.now - started == 3


def test_asked_to_stop_while_heeding_a_note_nothing_is_sent_and_the_note_stays() -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    sandbox.stopped = True
    with pytest.raises(StoppedError):
        create(TRAIN, context)
    assert sandbox.service.writes["train"] == 0
    assert journal.open_intents() == (THEIRS,)


def test_waiting_for_an_intent_is_reported() -> None:
    sandbox, journal = Sandbox(), Survivor("another run")
    ready(sandbox, journal)
    journal.put(THEIRS)
    plan = sandbox.plan(MODEL)
    context = sandbox.context()
    context.journal = journal
    context.remember(sandbox.service.observe(), (MODEL.training,))
    messages = [event.message for event in execute(plan, context) if isinstance(event, Progress) and event.message]
    assert messages[0].startswith("another run is creating this job")
    assert messages[-1].startswith("created ftjob-1")


class Sleepy(MemoryJournal):
    """A journal after whose every note the machine is suspended for a while."""

    def __init__(self, sandbox: Sandbox, times: int) -> None:
        super().__init__()
        self.sandbox, self.times = sandbox, times

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        lies = super().put(intent, instead_of)
        if self.times:
            self.times -= 1
            self.sandbox.clock.sleep(6)
        return lies


def test_a_note_that_got_old_before_the_send_is_written_anew() -> None:
    sandbox = Sandbox()
    context = ready(sandbox, Sleepy(sandbox, times=1))
    assert not create(TRAIN, context).adopted
    assert sandbox.service.writes["train"] == 1


def test_where_every_look_takes_too_long_nothing_is_sent() -> None:
    sandbox = Sandbox()
    context = ready(sandbox, Sleepy(sandbox, times=100))
    with pytest.raises(StepFailedError, match="takes longer than 5 seconds"):
        create(TRAIN, context)
    assert sandbox.service.writes["train"] == 0
    assert context.journal.open_intents() == ()


class Broken(MemoryJournal):
    """A journal that can be written to only so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        self.times -= 1
        if self.times < 0:
            raise JournalError("the disk is full", "make room")
        return super().put(intent, instead_of)

    def clear(self, intent: Intent) -> None:
        raise JournalError("the disk is full", "make room")


def test_where_no_word_can_be_left_nothing_is_sent() -> None:
    sandbox = Sandbox()
    context = ready(sandbox, Broken(0))
    plan = sandbox.plan(MODEL)
    assert outcomes(list(execute(plan, context))) == [Outcome.FAILED]
    assert sandbox.service.writes["train"] == 0


def test_a_job_that_exists_is_not_lost_over_its_note() -> None:
    sandbox = Sandbox()
    context = ready(sandbox, Broken(1))
    assert create(TRAIN, context).job.id == "ftjob-1"


def test_our_own_note_of_an_unclear_end_is_heeded_by_the_next_run() -> None:
    """The create takes effect long after its sender gave up on it, yet within the bounds."""
    sandbox, journal = Sandbox(), Survivor("this run")
    context = ready(sandbox, journal)
    sandbox.service.lose_next_reply(effect=True, late_seconds=19)
    with pytest.raises(OutcomeUnknownError):
        create(TRAIN, context)
    assert len(journal.open_intents()) == 1
    again = sandbox.context()
    again.files, again.journal, again.run = context.files, journal, "the next run"
    assert create(TRAIN, again).adopted
    assert sandbox.service.writes["train"] == 1


def test_the_note_is_held_until_the_list_shows_the_job() -> None:
    sandbox, journal = Sandbox(), Survivor()
    context = ready(sandbox, journal)
    sandbox.service.list_lag_seconds = 4
    context.provider = Lagging(sandbox.service, replace(sandbox.service.capabilities, list_lag_seconds=5.0))  # type: ignore[assignment]  # by delegation
    held: list[bool] = []
    sandbox.clock.after(1, lambda: held.append(bool(journal.open_intents())))
    create(TRAIN, context)
    assert held == [True]
    assert journal.open_intents() == ()


class Lagging:
    """A service with other bounds."""

    def __init__(self, inner: MemoryProvider, capabilities: object) -> None:
        self.inner, self.capabilities = inner, capabilities

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def test_two_creates_of_one_token_give_one_job() -> None:
    """For a service that takes a token; the token says the stamp and what the plan counts out."""
    sandbox = Sandbox(capabilities=replace(Sandbox().service.capabilities, takes_token=True))
    context = ready(sandbox, MemoryJournal())
    asked = Recording(sandbox.service)
    context.provider = asked  # type: ignore[assignment]  # the same port, by delegation
    create(TRAIN, context)
    create(replace(TRAIN, excluded_jobs=(JobId("ftjob-1"),)), context)
    assert len(set(asked.tokens)) == 2
    files = sandbox.service.files
    again = sandbox.service.create_job(MODEL, next(iter(files)), None, (), asked.tokens[0])
    assert isinstance(again, Done)
    assert again.value.id == "ftjob-1"


class Recording:
    """A service that remembers the tokens it was sent."""

    def __init__(self, inner: MemoryProvider) -> None:
        self.inner = inner
        self.tokens: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def create_job(self, *arguments: object) -> Write[RemoteJob]:
        self.tokens.append(str(arguments[-1]))
        return self.inner.create_job(*arguments)  # type: ignore[arg-type]  # handed on as they are


@pytest.mark.parametrize("dead", [True, False])
@pytest.mark.parametrize("lag", [0.0, 30.0])
def test_a_note_goes_when_its_job_was_seen_for_as_long_as_lists_may_lag(dead: bool, lag: float) -> None:
    """Then every list shows the job, whoever wrote the note, and whatever the service says of the time."""
    sandbox, journal = with_lag(lag), Survivor(*(["another run"] if dead else []))
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    sandbox.service.put(a_job(MODEL, "running"))
    clear_finished_intents(context)
    assert (journal.open_intents() == ()) is (lag == 0)
    sandbox.clock.sleep(lag + 1)
    clear_finished_intents(context)
    assert journal.open_intents() == ()


@pytest.mark.parametrize(("dead", "cleared"), [(True, True), (False, False)])
def test_a_note_without_a_job_goes_when_its_writer_is_dead_and_nothing_can_show_any_more(
    dead: bool, cleared: bool
) -> None:
    sandbox, journal = Sandbox(), Survivor(*(["another run"] if dead else []))
    context = ready(sandbox, journal)
    journal.put(THEIRS)
    sandbox.clock.sleep(1000)
    clear_finished_intents(context)
    assert journal.open_intents() == (THEIRS,), "this run has not watched it yet"
    sandbox.clock.sleep(sandbox.service.capabilities.settle_seconds)
    clear_finished_intents(context)
    assert (journal.open_intents() == ()) is cleared


def with_lag(lag: float) -> Sandbox:
    return Sandbox(capabilities=replace(Sandbox().service.capabilities, list_lag_seconds=lag))


def test_an_empty_journal_costs_no_request() -> None:
    sandbox = Sandbox()
    context = sandbox.context()
    context.provider = Deaf()  # type: ignore[assignment]  # nothing of it may be asked
    clear_finished_intents(context)


class Deaf:
    """A service that must not be asked anything."""

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        raise AssertionError(f"asked for {stamp}")


class Overtaken(MemoryJournal):
    """A journal whose note is taken over while its writer waits for an answer."""

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        if intent.job:
            super().put(THEIRS, instead_of=instead_of)
        return super().put(intent, instead_of)


def test_a_note_that_was_taken_over_meanwhile_is_not_ours_to_take_back() -> None:
    sandbox, journal = Sandbox(), Overtaken()
    assert not create(TRAIN, ready(sandbox, journal)).adopted
    assert journal.open_intents() == (THEIRS,)
