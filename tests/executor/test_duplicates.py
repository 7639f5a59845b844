"""Several live jobs of one stamp: one is kept, by a rule that every run shares, and the others go while it lives."""

from collections.abc import Callable
from itertools import permutations

import pytest

from reconciler.domain.event import Event, Finished, Outcome
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Plan
from tests.factories import a_job, a_model
from tests.simulation import Sandbox, outcomes, real_dataset

MODEL = a_model(training=real_dataset())


def twins(*jobs: RemoteJob) -> Sandbox:
    sandbox = Sandbox()
    sandbox.service.put(*jobs)
    return sandbox


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
    sandbox = twins(job(1, age=9), job(2), job(3))
    assert outcomes(sandbox.apply(MODEL)) == [Outcome.DONE, Outcome.DONE]
    alive = [each.id for each in sandbox.service.jobs.values() if each.status.is_active]
    assert alive == ["ftjob-1"]
    assert sandbox.plan(MODEL).is_empty
    assert sandbox.service.writes == {"cancel": 2}


def fails(sandbox: Sandbox) -> None:
    sandbox.service.fail(JobId("ftjob-1"), "server_error", "no")


def is_cancelled(sandbox: Sandbox) -> None:
    sandbox.service.move(JobId("ftjob-1"), "cancelled")


def vanishes(sandbox: Sandbox) -> None:
    sandbox.service.forget(JobId("ftjob-1"))


def changes_hands(sandbox: Sandbox) -> None:
    sandbox.service.put(a_job(a_model("somebody-elses"), "running", id="ftjob-1"))


def loses_its_model(sandbox: Sandbox) -> None:
    sandbox.service.forget(sandbox.service.finish(JobId("ftjob-1")))


@pytest.mark.parametrize("happens", [fails, is_cancelled, vanishes, changes_hands, loses_its_model])
def test_a_duplicate_is_left_alone_when_the_one_to_keep_lives_no_more(
    happens: Callable[[Sandbox], None],
) -> None:
    sandbox = twins(job(1, age=9), job(2))
    plan = sandbox.plan(MODEL)
    happens(sandbox)
    events = sandbox.carry_out(plan, MODEL)
    assert outcomes(events) == [Outcome.DONE]
    assert "ftjob-1" in messages(events)[0]
    assert "not cancelled" in messages(events)[0]
    assert sandbox.service.writes["cancel"] == 0
    assert sandbox.service.jobs[JobId("ftjob-2")].status.is_active


def test_a_duplicate_goes_when_the_one_to_keep_has_succeeded_meanwhile() -> None:
    sandbox = twins(job(1, age=9), job(2))
    plan = sandbox.plan(MODEL)
    sandbox.service.finish(JobId("ftjob-1"))
    assert outcomes(sandbox.carry_out(plan, MODEL)) == [Outcome.DONE]
    assert str(sandbox.service.jobs[JobId("ftjob-2")].status) == "cancelled"


def test_a_duplicate_that_has_succeeded_meanwhile_is_left_as_it_is() -> None:
    sandbox = twins(job(1, age=9), job(2))
    plan = sandbox.plan(MODEL)
    sandbox.service.finish(JobId("ftjob-2"))
    assert outcomes(sandbox.carry_out(plan, MODEL)) == [Outcome.DONE]
    assert sandbox.service.writes["cancel"] == 0
