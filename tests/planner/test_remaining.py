"""After a run, what was done is not left to do, and a trained model is kept for its job's state."""

import pytest
from msgspec.structs import replace

from reconciler.domain.observed import JobStatus
from reconciler.domain.plan import Keep, KeepReason, Plan, Train
from reconciler.planner import make_plan, remaining_plan
from tests.factories import a_job, a_model, desired, observed

MODEL = a_model()
PLAN = make_plan(desired(MODEL), observed(), provider="openai", version="1")
UPLOAD, TRAIN = (step.id for step in PLAN.steps)


def kept_after(status: str) -> tuple[Plan, Keep]:
    job = replace(a_job(MODEL), status=JobStatus(status))
    plan = remaining_plan(PLAN, {UPLOAD, TRAIN}, {job.id: job})
    (keep,) = plan.kept
    return plan, keep


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("succeeded", KeepReason.READY),
        ("running", KeepReason.TRAINING),
        ("queued", KeepReason.TRAINING),
        ("a new word", KeepReason.TRAINING),
        ("failed", KeepReason.FAILED),
        ("cancelled", KeepReason.CANCELLED),
    ],
)
def test_a_job_that_was_created_is_kept_for_its_state(status: str, why: KeepReason) -> None:
    plan, keep = kept_after(status)
    assert (plan.steps, keep.why) == ((), why)
    assert plan.is_settled == (why is KeepReason.READY)


def test_a_step_that_was_not_carried_out_is_left_to_do_without_what_was_done_before_it() -> None:
    (left,) = remaining_plan(PLAN, {UPLOAD}, {}).steps
    assert isinstance(left.action, Train)
    assert left.needs == ()
    assert not remaining_plan(PLAN, {UPLOAD}, {}).is_settled


def test_without_a_run_the_whole_plan_remains() -> None:
    assert remaining_plan(PLAN, set(), {}) == PLAN


def test_a_job_that_ran_before_is_kept_for_its_new_state() -> None:
    running = replace(a_job(MODEL), status=JobStatus("running"))
    plan = make_plan(desired(MODEL), observed(running), provider="openai", version="1")
    assert [keep.why for keep in plan.kept] == [KeepReason.TRAINING]
    ended = replace(running, status=JobStatus("failed"))
    assert [keep.why for keep in remaining_plan(plan, set(), {ended.id: ended}).kept] == [KeepReason.FAILED]


def test_an_older_version_that_has_ended_does_not_make_the_wanted_one_present() -> None:
    older = replace(a_job(MODEL), status=JobStatus("running"))
    busy = Keep(address=MODEL.address, why=KeepReason.BUSY, job=older.id, status=older.status)
    plan = replace(PLAN, steps=(), kept=(busy,))
    ended = replace(older, status=JobStatus("succeeded"))
    assert not remaining_plan(plan, set(), {ended.id: ended}).is_settled
