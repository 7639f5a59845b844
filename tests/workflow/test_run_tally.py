"""What a run has come to: a job that succeeded before its cancel came is a success like any other."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.event import Finished, Outcome
from reconciler.domain.lock import Lock
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Options, Step, StepId
from reconciler.domain.spec import ProjectSpec, Specs
from reconciler.planner import make_plan
from reconciler.workflow import CheckedSpecs, Setting
from reconciler.workflow.apply import RunTally, select_serving_jobs
from reconciler.workflow.plan import PreparedPlan
from tests.factories import a_job, a_model, desired, observed

WANTED = a_model(epochs=5)


def prepared(*jobs: RemoteJob) -> PreparedPlan:
    """A plan for one model over these jobs."""
    wanted, seen = desired(WANTED), observed(*jobs)
    here = Path("specs")
    return PreparedPlan(
        setting=Setting(root=here, workspace=here, home=here, environ={}),
        checked=CheckedSpecs(specs=Specs(root="specs", project=ProjectSpec()), measures={}),
        desired=wanted,
        observed=seen,
        lock=Lock(),
        options=Options(),
        plan=make_plan(wanted, seen),
    )


def cancelled(job: RemoteJob, status: str) -> Finished:
    """The end of a step that was to cancel a running job, and found it in this state."""
    step = Step(id=StepId("cancel"), action=Cancel(job=job, reason=CancelReason.ASKED))
    return Finished(step=step, outcome=Outcome.DONE, job=replace(a_job(WANTED, status, id=job.id), stamp=job.stamp))


@pytest.mark.parametrize(("status", "answers"), [("succeeded", True), ("cancelled", False), ("failed", False)])
def test_a_cancel_that_came_too_late_leaves_a_model_that_is_recorded(status: str, answers: bool) -> None:
    running = a_job(WANTED, "running", id="ftjob-7")
    tally = RunTally()
    tally.count(cancelled(running, status))
    assert (tally.cancelled == ["ftjob-7"]) is (status == "cancelled")
    found = select_serving_jobs(prepared(running), tally)
    assert [job.id for job in found.values()] == (["ftjob-7"] if answers else [])


def test_what_succeeded_of_another_version_or_of_no_spec_answers_for_nothing() -> None:
    tally = RunTally()
    for index, model in enumerate((a_model(epochs=3), a_model("gone"))):
        tally.count(cancelled(a_job(model, "running", id=f"ftjob-{index}"), "succeeded"))
    assert select_serving_jobs(prepared(), tally) == {}


def test_the_job_that_the_plan_kept_goes_before_a_twin() -> None:
    kept, twin = a_job(WANTED, id="ftjob-1", age=9), a_job(WANTED, "running", id="ftjob-2")
    tally = RunTally()
    tally.count(cancelled(twin, "succeeded"))
    assert select_serving_jobs(prepared(kept, twin), tally) == {WANTED.address: kept}
