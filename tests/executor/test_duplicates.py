"""Several live jobs of one stamp: one is kept, by a rule that every run shares, and the others go while it lives."""

from collections.abc import Callable
from itertools import permutations

import pytest

from reconciler.domain.event import Event, Finished, Outcome
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Plan
from tests.factories import a_job, a_model
from tests.simulation import World, outcomes, real_dataset

MODEL = a_model(training=real_dataset())


def twins(*jobs: RemoteJob) -> World:
    world = World()
    world.service.put(*jobs)
    return world


def job(number: int, status: str = "running", age: int = 0) -> RemoteJob:
    return a_job(MODEL, status, id=f"ftjob-{number}", age=age)


def cancels(plan: Plan) -> list[tuple[str, str | None]]:
    actions = [step.action for step in plan.steps if isinstance(step.action, Cancel)]
    assert all(action.reason is CancelReason.DUPLICATE for action in actions)
    return [(action.job.id, action.kept) for action in actions]


def messages(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Finished)]


@pytest.mark.parametrize(
    ("jobs", "kept"),
    [
        ((job(1, age=9), job(2, age=5), job(3)), "ftjob-1"),
        ((job(1), job(2), job(3)), "ftjob-1"),
        ((job(1, age=9), job(2, "succeeded"), job(3, "queued")), "ftjob-2"),
        ((job(1, "paused", age=9), job(2, "some-new-word"), job(3, "failed", age=20)), "ftjob-1"),
        ((job(1, "cancelled", age=9), job(2, "queued", age=5), job(3, "running")), "ftjob-2"),
    ],
)
def test_the_same_job_is_kept_whatever_order_they_come_in(jobs: tuple[RemoteJob, ...], kept: str) -> None:
    """The first of: has succeeded, was made earlier, has the smaller id."""
    going = [(each.id, kept) for each in jobs if each.status.is_active and each.id != kept]
    for ordered in permutations(jobs):
        assert cancels(twins(*ordered).plan(MODEL)) == going


def test_an_apply_leaves_one_and_the_next_plan_is_empty() -> None:
    world = twins(job(1, age=9), job(2), job(3))
    assert outcomes(world.apply(MODEL)) == [Outcome.DONE, Outcome.DONE]
    alive = [each.id for each in world.service.jobs.values() if each.status.is_active]
    assert alive == ["ftjob-1"]
    assert world.plan(MODEL).is_empty
    assert world.service.writes == {"cancel": 2}


def fails(world: World) -> None:
    world.service.fail(JobId("ftjob-1"), "server_error", "no")


def is_cancelled(world: World) -> None:
    world.service.move(JobId("ftjob-1"), "cancelled")


def vanishes(world: World) -> None:
    world.service.forget(JobId("ftjob-1"))


def changes_hands(world: World) -> None:
    world.service.put(a_job(a_model("somebody-elses"), "running", id="ftjob-1"))


def loses_its_model(world: World) -> None:
    world.service.forget(world.service.finish(JobId("ftjob-1")))


@pytest.mark.parametrize("happens", [fails, is_cancelled, vanishes, changes_hands, loses_its_model])
def test_a_duplicate_is_left_alone_when_the_one_to_keep_lives_no_more(
    happens: Callable[[World], None],
) -> None:
    world = twins(job(1, age=9), job(2))
    plan = world.plan(MODEL)
    happens(world)
    events = world.carry_out(plan, MODEL)
    assert outcomes(events) == [Outcome.DONE]
    assert "ftjob-1" in messages(events)[0]
    assert "not cancelled" in messages(events)[0]
    assert world.service.writes["cancel"] == 0
    assert world.service.jobs[JobId("ftjob-2")].status.is_active


def test_a_duplicate_goes_when_the_one_to_keep_has_succeeded_meanwhile() -> None:
    world = twins(job(1, age=9), job(2))
    plan = world.plan(MODEL)
    world.service.finish(JobId("ftjob-1"))
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.DONE]
    assert str(world.service.jobs[JobId("ftjob-2")].status) == "cancelled"


def test_a_duplicate_that_has_succeeded_meanwhile_is_left_as_it_is() -> None:
    world = twins(job(1, age=9), job(2))
    plan = world.plan(MODEL)
    world.service.finish(JobId("ftjob-2"))
    assert outcomes(world.carry_out(plan, MODEL)) == [Outcome.DONE]
    assert world.service.writes["cancel"] == 0
