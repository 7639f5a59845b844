"""Never two jobs: every outcome of a create."""

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import ProviderError, RejectedError, TemporaryError
from reconciler.domain.event import Finished, Outcome
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import Options, Train
from reconciler.domain.ports import Done, Intent
from reconciler.executor import OutcomeUnknownError, StepFailedError, create
from tests.factories import LONG_AGO, a_job, a_model
from tests.simulation import Sandbox, outcomes, real_dataset

MODEL = a_model(training=real_dataset())


def ready(sandbox: Sandbox) -> None:
    """The file is there, so that only the create is left to do."""
    sandbox.service.upload(MODEL.training, iter([b"x" * MODEL.training.measure.size_bytes]))
    sandbox.service.writes.clear()


def started() -> Sandbox:
    sandbox = Sandbox()
    ready(sandbox)
    return sandbox


def test_a_clear_answer_is_the_job() -> None:
    sandbox = started()
    assert outcomes(sandbox.apply(MODEL)) == [Outcome.DONE]
    assert sandbox.service.writes["train"] == 1


def test_a_lost_reply_whose_job_is_there_is_adopted() -> None:
    sandbox = started()
    sandbox.service.lose_next_reply(effect=True)
    assert outcomes(sandbox.apply(MODEL)) == [Outcome.ADOPTED]
    assert sandbox.service.writes["train"] == 1
    assert len(sandbox.service.jobs) == 1


@pytest.mark.parametrize("late", [1.0, 5.0, 9.0])
def test_a_lost_reply_whose_job_shows_late_is_adopted(late: float) -> None:
    """The list is looked at until the service's effect bound has passed."""
    sandbox = started()
    sandbox.service.lose_next_reply(effect=True, late_seconds=late)
    assert outcomes(sandbox.apply(MODEL)) == [Outcome.ADOPTED]
    assert sandbox.service.writes["train"] == 1


def test_a_lost_reply_without_a_job_is_unknown_and_nothing_is_sent_again() -> None:
    sandbox = started()
    sandbox.service.lose_next_reply(effect=False)
    events = sandbox.apply(MODEL)
    assert outcomes(events) == [Outcome.UNKNOWN]
    assert sandbox.service.writes["train"] == 1
    (ended,) = [event for event in events if isinstance(event, Finished)]
    assert "only after 25 seconds" in ended.hint


def test_running_again_after_an_unknown_outcome_gives_one_job() -> None:
    for effect in (True, False):
        sandbox = started()
        sandbox.service.lose_next_reply(effect=effect, late_seconds=60)
        assert outcomes(sandbox.apply(MODEL)) == [Outcome.UNKNOWN]
        sandbox.clock.sleep(100)
        sandbox.apply(MODEL)
        assert len(sandbox.service.jobs) == 1


def test_a_refusal_creates_nothing_and_leaves_no_intent() -> None:
    sandbox = started()
    sandbox.service.refuse_next(RejectedError("no", status=400))
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    with pytest.raises(RejectedError):
        create(Train(model=MODEL), context)
    assert context.journal.open_intents() == ()


def test_an_unknown_outcome_leaves_its_intent() -> None:
    sandbox = started()
    sandbox.service.lose_next_reply(effect=False)
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    with pytest.raises(OutcomeUnknownError):
        create(Train(model=MODEL), context)
    assert context.journal.open_intents() == (Intent(stamp=MODEL.stamp, owner="this run", at=float(LONG_AGO)),)


def test_a_job_that_turned_up_since_the_plan_is_adopted() -> None:
    """Another run applied the same commit meanwhile."""
    sandbox = started()
    plan = sandbox.plan(MODEL)
    sandbox.apply(MODEL)
    assert outcomes(sandbox.carry_out(plan, MODEL)) == [Outcome.ADOPTED]
    assert sandbox.service.writes["train"] == 1


def test_jobs_that_the_plan_knew_to_be_spent_are_not_adopted() -> None:
    sandbox = started()
    sandbox.service.put(a_job(MODEL, "failed", id="ftjob-77"))
    retry = Options(retry=frozenset({"triage"}))
    assert outcomes(sandbox.apply(MODEL, options=retry)) == [Outcome.DONE]
    assert len(sandbox.service.jobs) == 2


def test_a_job_that_failed_before_its_answer_came_is_adopted_and_not_paid_again() -> None:
    sandbox = started()
    sandbox.service.lose_next_reply(effect=True, late_seconds=5)
    sandbox.clock.after(5, lambda: sandbox.service.fail(JobId("ftjob-1"), "invalid_training_file", "bad rows"))
    assert outcomes(sandbox.apply(MODEL)) == [Outcome.ADOPTED]
    assert sandbox.service.writes["train"] == 1


def test_a_job_of_another_run_that_failed_since_the_plan_is_not_paid_again() -> None:
    sandbox = started()
    plan = sandbox.plan(MODEL)
    sandbox.service.put(a_job(MODEL, "failed", id="ftjob-77"))
    assert outcomes(sandbox.carry_out(plan, MODEL)) == [Outcome.ADOPTED]
    assert sandbox.service.writes["train"] == 0


def test_a_twin_that_failed_does_not_cost_us_our_job() -> None:
    sandbox = started()
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    twin = a_job(MODEL, "failed", id="ftjob-twin", age=50)
    context.provider = TwinService(sandbox, twin)  # type: ignore[assignment]  # the same port, by delegation
    assert create(Train(model=MODEL), context).job.id == "ftjob-1"
    assert sandbox.service.writes["cancel"] == 0


class TwinService:
    """A service on which another run creates the same job at the same moment."""

    def __init__(self, sandbox: Sandbox, twin: RemoteJob) -> None:
        self.inner, self.twin = sandbox.service, twin

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def create_job(self, *arguments: object) -> object:
        made = self.inner.create_job(*arguments)  # type: ignore[arg-type]  # handed on as they are
        self.inner.put(self.twin)
        return made


@pytest.mark.parametrize(("age", "kept"), [(50, "ftjob-twin"), (-50, "ftjob-1")])
def test_of_twins_the_older_one_stays_and_only_our_own_is_ever_cancelled(age: int, kept: str) -> None:
    sandbox = started()
    twin = a_job(MODEL, "queued", id="ftjob-twin", age=age)
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    context.provider = TwinService(sandbox, twin)  # type: ignore[assignment]  # the same port, by delegation
    assert create(Train(model=MODEL), context).job.id == kept
    assert str(sandbox.service.jobs[JobId("ftjob-twin")].status) == "queued"
    ours = str(sandbox.service.jobs[JobId("ftjob-1")].status)
    assert ours == ("cancelled" if kept == "ftjob-twin" else "queued")


class EchoingWrong(TwinService):
    """A service that answers with a job of another stamp."""

    def create_job(self, *arguments: object) -> object:
        return Done(replace(self.twin, stamp=a_model("other").stamp))


def test_an_answer_with_another_stamp_is_not_taken_for_ours() -> None:
    sandbox = started()
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    context.provider = EchoingWrong(sandbox, a_job(MODEL))  # type: ignore[assignment]  # the same port, by delegation
    with pytest.raises(StepFailedError, match="does not bear the stamp"):
        create(Train(model=MODEL), context)


class Away(TwinService):
    """A service whose lists cannot be read for a while."""

    def __init__(self, sandbox: Sandbox, error: ProviderError, times: int) -> None:
        super().__init__(sandbox, a_job(MODEL))
        self.error, self.times = error, times

    def jobs_of(self, stamp: object) -> object:
        if self.times:
            self.times -= 1
            raise self.error
        return self.inner.jobs_of(stamp)  # type: ignore[arg-type]  # handed on as it is

    def create_job(self, *arguments: object) -> object:
        return self.inner.create_job(*arguments)  # type: ignore[arg-type]  # handed on as they are


def test_nothing_is_sent_when_the_look_before_it_fails() -> None:
    sandbox = started()
    context = sandbox.context()
    context.remember(sandbox.service.observe(), (MODEL.training,))
    context.provider = Away(sandbox, TemporaryError("away"), times=1)  # type: ignore[assignment]  # by delegation
    with pytest.raises(TemporaryError):
        create(Train(model=MODEL), context)
    assert sandbox.service.writes["train"] == 0
