"""What names things on the service is read again before something is removed: an approval may take an hour."""

from pathlib import Path

from msgspec.structs import replace

from reconciler.domain.event import Finished, Outcome
from reconciler.domain.observed import JobId, ModelId
from reconciler.domain.plan import Options, Promote, Step, StepId
from reconciler.specfile import read_lock, update_lock
from reconciler.testing import MemoryProvider
from reconciler.workflow import check_specs, locate_setting
from reconciler.workflow.apply import RunTally, find_change_of_names, record_lock
from reconciler.workflow.plan import PreparedPlan, prepare_plan
from tests.workflow.test_accounts import apply, workspace

__all__ = ["workspace"]


def prepare_to_prune(root: Path) -> PreparedPlan:
    provider = MemoryProvider()
    apply(root, provider)
    setting = locate_setting(root / "specs", {"RECONCILER_HOME": str(root / "home")})
    return prepare_plan(setting, check_specs(setting), Options(prune=True), provider)


def test_as_long_as_no_file_changes_there_is_no_change(workspace: Path) -> None:
    assert find_change_of_names(prepare_to_prune(workspace)) == ""


def test_a_model_that_another_environment_has_promoted_meanwhile_is_a_change(workspace: Path) -> None:
    prepared = prepare_to_prune(workspace)
    update_lock(workspace / "specs/models.prod.lock.yaml", lambda now: replace(now, entries=prepared.lock.entries))
    assert find_change_of_names(prepared) == "the lock files have changed since the plan was made"


def test_a_lock_file_in_conflict_is_a_change(workspace: Path) -> None:
    prepared = prepare_to_prune(workspace)
    (workspace / "specs/models.prod.lock.yaml").write_text("<<<<<<< HEAD\n")
    assert find_change_of_names(prepared) == "a lock file cannot be read now"


def test_another_file_that_names_a_model_now_is_a_change(workspace: Path) -> None:
    prepared = prepare_to_prune(workspace)
    (model,) = {entry.model for entry in prepared.lock.entries}
    (workspace / "deploy.yaml").write_text("note: nothing of ours\n")
    assert find_change_of_names(prepared) == ""
    (workspace / "deploy.yaml").write_text(f"model: {model}\n")
    assert find_change_of_names(prepared) == "files of the repository have changed since the plan was made"


def test_an_apply_that_was_interrupted_before_it_promoted_records_nothing_of_it(workspace: Path) -> None:
    prepared = prepare_to_prune(workspace)
    (entry,) = prepared.lock.entries
    path = workspace / "specs/models.lock.yaml"
    earlier = replace(entry, job=JobId("ftjob-earlier"), model=ModelId("ft:earlier"))
    update_lock(path, lambda now: replace(now, entries=(earlier,)))
    job = next(job for job in prepared.observed.jobs if job.id == entry.job)
    step = Step(id=StepId("promote:model/triage"), action=Promote(job=job, model=entry.model, instead_of=earlier.model))
    planned = replace(prepared, lock=read_lock(path), plan=replace(prepared.plan, steps=(step,)))
    for outcome, recorded in ((Outcome.STOPPED, earlier.model), (Outcome.DONE, entry.model)):
        tally = RunTally()
        tally.count(Finished(step=step, outcome=outcome, message=""))
        assert [each.model for each in record_lock(planned, tally).entries] == [recorded]
