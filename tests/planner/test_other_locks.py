"""What the lock files of other environments name is not pruned."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Desired, Model
from reconciler.domain.lock import Lock, LockEntry, OtherLock
from reconciler.domain.observed import JobStatus, ModelId, Observed
from reconciler.domain.plan import KeepReason, Plan, Train
from reconciler.domain.spec import OnChange
from reconciler.planner import make_plan
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed
from tests.planner.test_orphans import DONE, GONE, PRUNE, STAYS, entry, find_keep, list_removals


def beside(*entries: LockEntry) -> tuple[OtherLock, ...]:
    return (OtherLock(file="models.prod.lock.yaml", environment="prod", lock=Lock(entries=entries)),)


def plan_with_prune(wanted: Desired, seen: Observed, other_locks: Sequence[OtherLock] = ()) -> Plan:
    return make_plan(wanted, seen, other_locks=other_locks, options=PRUNE, provider="openai")


def test_what_another_environment_has_locked_is_kept_whole_and_named() -> None:
    newer = a_job(a_model("gone", epochs=9), "running", id="ftjob-3")
    other = beside(entry(a_model("gone"), GONE))
    plan = plan_with_prune(desired(STAYS), observed(DONE, GONE, newer), other_locks=other)
    assert list_removals(plan) == []
    found = find_keep(plan, "gone")
    assert found.detail == "models.prod.lock.yaml names it"
    assert "reconciler forget gone --env prod" in found.hint
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE, newer))) == ["ftjob-3", GONE.model]


def test_the_address_of_a_service_does_not_decide_whether_another_environment_names_it() -> None:
    other = beside(entry(a_model("gone"), GONE, service="127.0.0.1:8000"))
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE), other_locks=other)) == []


def test_the_lock_of_another_service_keeps_only_what_it_names_by_id() -> None:
    elsewhere = beside(entry(a_model("gone"), a_job(id="ftjob-7"), service="local", provider="local"))
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE), other_locks=elsewhere)) == [GONE.model]
    same = beside(entry(a_model("gone"), GONE, service="local", provider="local"))
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE), other_locks=same)) == []


def test_the_rows_that_a_lock_entry_of_another_environment_names_stay() -> None:
    old = a_model("gone", training=a_dataset("old", rows="old"))
    file = a_file(old.training, id="file-2")
    job = replace(a_job(old, id="ftjob-2"), training_file=file.id)
    seen = observed(DONE, job, file)
    assert list_removals(plan_with_prune(desired(STAYS), seen)) == [job.model, "file-2"] or list_removals(
        plan_with_prune(desired(STAYS), seen)
    ) == [
        "file-2",
        job.model,
    ]
    assert list_removals(plan_with_prune(desired(STAYS), seen, other_locks=beside(entry(old, job)))) == []


def test_other_lock_files_move_the_basis_only_where_something_is_pruned() -> None:
    other = beside(entry(a_model("gone"), GONE))
    seen, wanted = observed(DONE, GONE), desired(STAYS)
    assert plan_with_prune(wanted, seen).basis.changed_inputs(
        plan_with_prune(wanted, seen, other_locks=other).basis
    ) == ("lock",)
    assert make_plan(wanted, seen).basis == make_plan(wanted, seen, other_locks=other).basis


def test_a_lock_entry_for_a_checkpoint_keeps_the_model_of_its_job() -> None:
    named = entry(a_model("gone"), GONE, service="elsewhere", provider="compatible")
    checkpoint = beside(replace(named, model=ModelId("ft:checkpoint-of-gone")))
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE), other_locks=checkpoint)) == []
    running = replace(GONE, status=JobStatus("running"), model=None)
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, running), other_locks=checkpoint)) == []


DECLARED = ("prod", "stage")


def in_environment(name: str | None, *models: Model, declared: tuple[str, ...] = DECLARED) -> Desired:
    wanted = desired(*models)
    return replace(wanted, project=replace(wanted.project, environment=name, environments=declared))


@pytest.mark.parametrize("status", ["queued", "running", "succeeded"])
@pytest.mark.parametrize("made_in", ["prod", ""])
@pytest.mark.parametrize("declared", [DECLARED, ("stage",)])
def test_what_another_environment_made_is_not_removed(declared: tuple[str, ...], made_in: str, status: str) -> None:
    job = replace(a_job(a_model("gone"), status, id="ftjob-2"), environment=made_in)
    file = a_file(a_dataset(), id="file-2")
    job = replace(job, training_file=file.id)
    done = replace(DONE, environment="stage")
    plan = plan_with_prune(in_environment("stage", STAYS, declared=declared), observed(done, job, file))
    assert list_removals(plan) == []
    found = find_keep(plan, "gone")
    assert ("the environment prod made it" if made_in else "an apply without --env made it") in found.detail
    assert ("--env prod" in found.hint) == (made_in == "prod")
    assert ("name it there" in found.hint) == (made_in not in ("", *declared))
    own = replace(job, environment="stage")
    removed = list_removals(plan_with_prune(in_environment("stage", STAYS), observed(done, own)))
    assert removed == [own.model or own.id]


@pytest.mark.parametrize("made_in", ["prod", "", None])
def test_a_job_of_another_environment_is_not_superseded_and_the_plan_says_so(made_in: str | None) -> None:
    """There it may be the version that is wanted: each would cancel what the other has just paid for."""
    older = replace(a_job(a_model("stays", epochs=3), "running", id="ftjob-2"), environment=made_in)
    wanted = a_model("stays", epochs=5, on_change=OnChange.SUPERSEDE)
    plan = make_plan(in_environment("stage", wanted), observed(older))
    (train,) = [step.action for step in plan.steps if isinstance(step.action, Train)]
    assert (list_removals(plan), train.supersedes) == ([], ())
    (said,) = [each for each in plan.warnings if "not superseded" in each]
    assert "job ftjob-2 of another version is not superseded" in said
    assert "reconciler cancel ftjob-2" in said
    own = make_plan(in_environment("stage", wanted), observed(replace(older, environment="stage")))
    assert list_removals(own) == ["ftjob-2"]
    assert not [each for each in own.warnings if "not superseded" in each]


def test_a_twin_is_cancelled_whichever_environment_made_it() -> None:
    twin = replace(a_job(STAYS, "running", id="ftjob-9"), environment="prod")
    plan = make_plan(in_environment("stage", STAYS), observed(replace(DONE, environment="stage"), twin))
    assert list_removals(plan) == ["ftjob-9"]


def test_a_branch_whose_project_names_no_environment_removes_nothing_that_one_made() -> None:
    job = replace(a_job(a_model("gone"), "running", id="ftjob-2"), environment="prod")
    plan = plan_with_prune(desired(STAYS), observed(DONE, job))
    assert list_removals(plan) == []
    assert "the environment prod made it" in find_keep(plan, "gone").detail


def test_in_no_environment_its_own_jobs_are_removed() -> None:
    job = replace(a_job(a_model("gone"), "running", id="ftjob-2"), environment="")
    assert list_removals(plan_with_prune(in_environment(None, STAYS), observed(DONE, job))) == ["ftjob-2"]


@pytest.mark.parametrize(
    ("status", "advice"), [("running", "reconciler cancel ftjob-2"), ("succeeded", "delete it on the service")]
)
def test_a_job_that_says_nothing_is_kept_where_there_are_environments_unless_the_lock_names_it(
    status: str, advice: str
) -> None:
    job = a_job(a_model("gone"), status, id="ftjob-2")
    plan = plan_with_prune(in_environment("stage", STAYS), observed(DONE, job))
    assert list_removals(plan) == []
    found = find_keep(plan, "gone")
    assert "may belong to another environment" in found.detail
    assert advice in found.hint
    locked = make_plan(
        in_environment("stage", STAYS),
        observed(DONE, job),
        lock=Lock(entries=(entry(a_model("gone"), job),)),
        options=PRUNE,
        provider="openai",
    )
    assert list_removals(locked) == [job.model or job.id]
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, job))) == [job.model or job.id]


def test_the_environments_are_part_of_the_basis_only_where_something_is_pruned() -> None:
    seen, few, many = (
        observed(DONE),
        in_environment("stage", STAYS, declared=("stage",)),
        in_environment("stage", STAYS),
    )
    assert plan_with_prune(few, seen).basis.changed_inputs(plan_with_prune(many, seen).basis) == ("specs",)
    assert make_plan(few, seen).basis == make_plan(many, seen).basis


def test_what_a_plan_of_another_environment_cancelled_is_trained_again_without_a_request() -> None:
    """The lock file of the environment whose plan superseded it names the job, and no later job need do so."""
    cancelled = a_job(STAYS, "cancelled", id="ftjob-2")
    (kept,) = make_plan(desired(STAYS), observed(cancelled)).kept
    assert kept.why is KeepReason.CANCELLED
    other = OtherLock(file="models.stage.lock.yaml", environment="stage", lock=Lock(cancelled=(cancelled.id,)))
    plan = make_plan(desired(STAYS), observed(cancelled), other_locks=(other,))
    assert [step.id for step in plan.steps if isinstance(step.action, Train)] == ["train:model/stays"]
    without = make_plan(desired(STAYS), observed(cancelled))
    assert without.basis.changed_inputs(plan.basis) == ("lock",)


@pytest.mark.parametrize("made_in", ["prod", None])
def test_the_file_of_a_job_that_another_environment_made_stays(made_in: str | None) -> None:
    old = a_model("gone", training=a_dataset("old", rows="old"))
    file = a_file(old.training, id="file-2")
    job = replace(a_job(old, id="ftjob-2"), training_file=file.id, environment=made_in)
    seen = observed(replace(DONE, environment="stage"), job, file)
    assert list_removals(plan_with_prune(in_environment("stage", STAYS), seen)) == []
    own = observed(replace(DONE, environment="stage"), replace(job, environment="stage"), file)
    assert set(list_removals(plan_with_prune(in_environment("stage", STAYS), own))) == {job.model, "file-2"}
