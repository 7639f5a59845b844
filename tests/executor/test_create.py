"""Never two jobs: every end of a create, told apart."""

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import ProviderError, RejectedError, TemporaryError
from reconciler.domain.event import Finished, Outcome
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import Options, Train
from reconciler.domain.ports import Done, Intent
from reconciler.executor import OutcomeUnknownError, StepFailedError, create
from tests.factories import LONG_AGO, a_job, a_model
from tests.simulation import World, outcomes, real_dataset

MODEL = a_model(training=real_dataset())


def ready(world: World) -> None:
    """The file is there, so that only the create is left to do."""
    world.service.upload(MODEL.training, iter([b"x" * MODEL.training.measure.size_bytes]))
    world.service.writes.clear()


def started() -> World:
    world = World()
    ready(world)
    return world


def test_a_clear_answer_is_the_job() -> None:
    world = started()
    assert outcomes(world.apply(MODEL)) == [Outcome.DONE]
    assert world.service.writes["train"] == 1


def test_a_lost_reply_whose_job_is_there_is_adopted() -> None:
    world = started()
    world.service.lose_next_reply(effect=True)
    assert outcomes(world.apply(MODEL)) == [Outcome.ADOPTED]
    assert world.service.writes["train"] == 1
    assert len(world.service.jobs) == 1


@pytest.mark.parametrize("late", [1.0, 5.0, 9.0])
def test_a_lost_reply_whose_job_shows_late_is_adopted(late: float) -> None:
    """The list is looked at until the service's effect bound has passed."""
    world = started()
    world.service.lose_next_reply(effect=True, late_seconds=late)
    assert outcomes(world.apply(MODEL)) == [Outcome.ADOPTED]
    assert world.service.writes["train"] == 1


def test_a_lost_reply_without_a_job_is_unknown_and_nothing_is_sent_again() -> None:
    world = started()
    world.service.lose_next_reply(effect=False)
    events = world.apply(MODEL)
    assert outcomes(events) == [Outcome.UNKNOWN]
    assert world.service.writes["train"] == 1
    (ended,) = [event for event in events if isinstance(event, Finished)]
    assert "only after 25 seconds" in ended.hint


def test_running_again_after_an_unknown_outcome_gives_one_job() -> None:
    for effect in (True, False):
        world = started()
        world.service.lose_next_reply(effect=effect, late_seconds=60)
        assert outcomes(world.apply(MODEL)) == [Outcome.UNKNOWN]
        world.clock.sleep(100)
        world.apply(MODEL)
        assert len(world.service.jobs) == 1


def test_a_refusal_creates_nothing_and_leaves_no_intent() -> None:
    world = started()
    world.service.refuse_next(RejectedError("no", status=400))
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    with pytest.raises(RejectedError):
        create(Train(model=MODEL), context)
    assert context.journal.open_intents() == ()


def test_an_unknown_outcome_leaves_its_intent() -> None:
    world = started()
    world.service.lose_next_reply(effect=False)
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    with pytest.raises(OutcomeUnknownError):
        create(Train(model=MODEL), context)
    assert context.journal.open_intents() == (Intent(stamp=MODEL.stamp, owner="this run", at=float(LONG_AGO)),)


def test_a_job_that_turned_up_since_the_plan_is_adopted() -> None:
    """Somebody else applied the same commit meanwhile."""
    world = started()
    plan = world.plan(MODEL)
    world.apply(MODEL)
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.ADOPTED]
    assert world.service.writes["train"] == 1


def test_jobs_that_the_plan_knew_to_be_spent_are_not_adopted() -> None:
    world = started()
    world.service.put(a_job(MODEL, "failed", id="ftjob-77"))
    retry = Options(retry=frozenset({"triage"}))
    assert outcomes(world.apply(MODEL, options=retry)) == [Outcome.DONE]
    assert len(world.service.jobs) == 2


def test_a_job_that_failed_before_its_answer_came_is_adopted_and_not_paid_again() -> None:
    world = started()
    world.service.lose_next_reply(effect=True, late_seconds=5)
    world.clock.after(5, lambda: world.service.fail(JobId("ftjob-1"), "invalid_training_file", "bad rows"))
    assert outcomes(world.apply(MODEL)) == [Outcome.ADOPTED]
    assert world.service.writes["train"] == 1


def test_a_job_of_somebody_else_that_failed_since_the_plan_is_not_paid_again() -> None:
    world = started()
    plan = world.plan(MODEL)
    world.service.put(a_job(MODEL, "failed", id="ftjob-77"))
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.ADOPTED]
    assert world.service.writes["train"] == 0


def test_a_twin_that_failed_does_not_cost_us_our_job() -> None:
    world = started()
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    twin = a_job(MODEL, "failed", id="ftjob-twin", age=50)
    context.provider = TwinService(world, twin)  # type: ignore[assignment]  # the same port, by delegation
    assert create(Train(model=MODEL), context).job.id == "ftjob-1"
    assert world.service.writes["cancel"] == 0


class TwinService:
    """A service on which somebody else creates the same job in the moment in which we create ours."""

    def __init__(self, world: World, twin: RemoteJob) -> None:
        self.inner, self.twin = world.service, twin

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def create_job(self, *arguments: object) -> object:
        made = self.inner.create_job(*arguments)  # type: ignore[arg-type]  # handed on as they are
        self.inner.put(self.twin)
        return made


@pytest.mark.parametrize(("age", "kept"), [(50, "ftjob-twin"), (-50, "ftjob-1")])
def test_of_twins_the_older_one_stays_and_only_our_own_is_ever_cancelled(age: int, kept: str) -> None:
    world = started()
    twin = a_job(MODEL, "queued", id="ftjob-twin", age=age)
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    context.provider = TwinService(world, twin)  # type: ignore[assignment]  # the same port, by delegation
    assert create(Train(model=MODEL), context).job.id == kept
    assert str(world.service.jobs[JobId("ftjob-twin")].status) == "queued"
    ours = str(world.service.jobs[JobId("ftjob-1")].status)
    assert ours == ("cancelled" if kept == "ftjob-twin" else "queued")


class EchoingWrong(TwinService):
    """A service that answers with a job of another stamp."""

    def create_job(self, *arguments: object) -> object:
        return Done(replace(self.twin, stamp=a_model("other").stamp))


def test_an_answer_with_another_stamp_is_not_taken_for_ours() -> None:
    world = started()
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    context.provider = EchoingWrong(world, a_job(MODEL))  # type: ignore[assignment]  # the same port, by delegation
    with pytest.raises(StepFailedError, match="does not bear the stamp"):
        create(Train(model=MODEL), context)


class Away(TwinService):
    """A service whose lists cannot be read for a while."""

    def __init__(self, world: World, error: ProviderError, times: int) -> None:
        super().__init__(world, a_job(MODEL))
        self.error, self.times = error, times

    def jobs_of(self, stamp: object) -> object:
        if self.times:
            self.times -= 1
            raise self.error
        return self.inner.jobs_of(stamp)  # type: ignore[arg-type]  # handed on as it is

    def create_job(self, *arguments: object) -> object:
        return self.inner.create_job(*arguments)  # type: ignore[arg-type]  # handed on as they are


def test_nothing_is_sent_when_the_look_before_it_fails() -> None:
    world = started()
    context = world.context()
    context.remember(world.service.observe(), (MODEL.training,))
    context.provider = Away(world, TemporaryError("away"), times=1)  # type: ignore[assignment]  # by delegation
    with pytest.raises(TemporaryError):
        create(Train(model=MODEL), context)
    assert world.service.writes["train"] == 0
