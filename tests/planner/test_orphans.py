"""What pruning leaves alone: all that a decision, a lock file, a spec or a job names, and what may have a new name."""

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Desired, Model
from reconciler.domain.lock import Lock, LockedDataset, LockEntry, Mentions
from reconciler.domain.observed import JobId, JobStatus, ModelId, Observed, RemoteJob, plain_id
from reconciler.domain.plan import Cancel, Delete, Keep, KeepReason, Options, Plan, Train
from reconciler.domain.spec import OnChange, ProjectSpec
from reconciler.planner import make_plan
from reconciler.workflow.lock import next_lock
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed

PRUNE = Options(prune=True)
STAYS = a_model("stays")
DONE = a_job(STAYS, id="ftjob-8")
GONE = a_job(a_model("gone"), id="ftjob-2")


def entry(model: Model, job: RemoteJob, *, service: str = "api.example.test", provider: str = "openai") -> LockEntry:
    made = job.model or ModelId("ft:none")
    datasets = tuple(LockedDataset(stamp=each.stamp, rows=each.measure.rows) for each in model.datasets)
    return LockEntry(stamp=model.stamp, provider=provider, service=service, job=job.id, model=made, datasets=datasets)


def plan_with_prune(wanted: Desired, seen: Observed, *, lock: Lock | None = None) -> Plan:
    return make_plan(wanted, seen, lock=lock or Lock(), options=PRUNE, provider="openai")


def list_removals(plan: Plan) -> list[str]:
    """Return what a plan cancels and deletes."""
    actions = [step.action for step in plan.steps]
    jobs = [str(action.job.id) for action in actions if isinstance(action, Cancel)]
    return jobs + [str(action.thing) for action in actions if isinstance(action, Delete)]


def find_keep(plan: Plan, name: str) -> Keep:
    (found,) = [keep for keep in plan.kept if keep.address.name == name]
    return found


def test_the_model_that_a_lock_entry_of_a_wanted_model_names_is_not_deleted() -> None:
    """The old name of a job is still on its stamp, although `moved` has left the specs."""
    new = a_model("new")
    old = a_job(a_model("old"), id="ftjob-2")
    plan = plan_with_prune(desired(new), observed(old), lock=Lock(entries=(entry(new, old),)))
    assert list_removals(plan) == []
    assert find_keep(plan, "new").why is KeepReason.READY
    assert [(keep.address.name, keep.model) for keep in plan.kept] == [("new", old.model)]


def test_the_file_of_a_job_that_is_kept_stays_although_its_dataset_has_another_name_now() -> None:
    """The rows are the same, so nothing is trained and nothing is sent: the file is all that shows them."""
    file = a_file(a_dataset("earlier-name"), id="file-2")
    job = replace(a_job(STAYS), training_file=file.id)
    plan = plan_with_prune(desired(STAYS), observed(job, file))
    assert list_removals(plan) == []


@pytest.mark.parametrize(
    "base",
    [
        "ft:whole",
        "FT:Whole",
        "provider/ft:whole",
        "ft:whole:ckpt-step-40",
        "Gateway:FT:whole:CKPT-step-40",
        "ft:b:acme:gone:9:ckpt-step-40",
        "provider/ft:b:Acme:gone:9:ckpt-step-40",
    ],
)
def test_a_model_that_the_job_of_another_project_is_built_on_stays(base: str) -> None:
    model = "ft:whole" if "whole" in base.casefold() else "ft:b:acme:gone:2"
    gone = replace(GONE, model=ModelId(model))
    seen = replace(observed(DONE, gone), bases_in_use=frozenset({base}))
    assert list_removals(plan_with_prune(desired(STAYS), seen)) == []
    assert "uses it as its base" in find_keep(plan_with_prune(desired(STAYS), seen), "gone").detail


def test_a_model_whose_checkpoint_a_spec_builds_on_stays() -> None:
    on_top = a_model("stays", base=f"{GONE.model}:ckpt-step-40")
    assert list_removals(plan_with_prune(desired(on_top), observed(a_job(on_top, id="ftjob-8"), GONE))) == []


@pytest.mark.parametrize("named", ["ftjob-2", "FTJOB-2", "ft:gpt-4.1-mini-2025-04-14:acme:gone:2"])
@pytest.mark.parametrize("status", ["running", "succeeded"])
def test_what_another_file_of_the_repository_names_stays(status: str, named: str) -> None:
    job = replace(GONE, status=JobStatus(status))
    mentions = Mentions(files={plain_id(named): "deploy/values.yaml"})
    plan = make_plan(desired(STAYS), observed(DONE, job), mentions=mentions, options=PRUNE, provider="openai")
    assert list_removals(plan) == []
    assert find_keep(plan, "gone").detail.startswith("deploy/values.yaml names ")
    assert list_removals(plan_with_prune(desired(STAYS), observed(DONE, GONE))) == [GONE.model]


def test_a_file_and_the_model_of_a_checkpoint_that_another_file_names_stay() -> None:
    file = a_file(a_dataset("gone"), id="file-2")
    job = replace(GONE, training_file=file.id)
    checkpoint = f"{plain_id(str(GONE.model)).rpartition(':')[0]}:9:ckpt-step-40"
    for thing, removed in ((checkpoint, ["file-2"]), ("file-2", [GONE.model])):
        mentions = Mentions(files={thing: "specs-b/all.yaml"})
        plan = make_plan(desired(STAYS), observed(DONE, job, file), mentions=mentions, options=PRUNE, provider="openai")
        assert list_removals(plan) == removed


def test_a_search_that_was_not_whole_is_a_warning() -> None:
    mentions = Mentions(doubt="/work holds more than 200,000 files and directories")
    plan = make_plan(desired(STAYS), observed(DONE, GONE), mentions=mentions, options=PRUNE, provider="openai")
    assert any("were not searched" in each for each in plan.warnings)


def test_what_only_the_name_of_a_model_says_is_ours_is_never_removed() -> None:
    by_name = replace(GONE, is_known_by_name=True)
    plan = plan_with_prune(desired(STAYS), observed(DONE, by_name))
    assert list_removals(plan) == []
    assert "may be another project's" in find_keep(plan, "gone").detail


@pytest.mark.parametrize("state", ["", "running", "failed", "cancelled"])
def test_nothing_is_deleted_while_a_new_name_has_no_model(state: str) -> None:
    new = a_model("new", epochs=5)
    jobs = [a_job(new, state, id="ftjob-9")] if state else []
    plan = plan_with_prune(desired(STAYS, new), observed(DONE, GONE, *jobs))
    assert list_removals(plan) == []
    assert "model/new may be its new name" in find_keep(plan, "gone").detail
    finished = observed(DONE, GONE, a_job(new, id="ftjob-9"))
    assert list_removals(plan_with_prune(desired(STAYS, new), finished)) == [GONE.model]


@pytest.mark.parametrize("state", ["", "queued", "running", "failed", "cancelled"])
@pytest.mark.parametrize("old", ["queued", "running", "paused"])
def test_a_running_job_of_no_spec_stays_until_each_new_name_has_a_model(state: str, old: str) -> None:
    """A job that takes its place may fail, and the paid one would be gone."""
    new, running = a_model("new", epochs=5), a_job(a_model("gone"), old, id="ftjob-2")
    jobs = [a_job(new, state, id="ftjob-9")] if state else []
    plan = plan_with_prune(desired(new), observed(running, *jobs))
    assert list_removals(plan) == []
    assert "model/new may be its new name, and has no model yet" in find_keep(plan, "gone").detail
    finished = observed(running, a_job(new, id="ftjob-9"))
    assert list_removals(plan_with_prune(desired(new), finished)) == ["ftjob-2"]


def test_the_cancel_of_an_orphan_needs_every_job_that_the_plan_creates() -> None:
    changed, running = a_model("stays", epochs=5), a_job(a_model("gone"), "running", id="ftjob-2")
    plan = plan_with_prune(desired(changed), observed(DONE, running))
    assert list_removals(plan) == ["ftjob-2"]
    trains = tuple(step.id for step in plan.steps if isinstance(step.action, Train))
    assert [step.needs for step in plan.steps if isinstance(step.action, Cancel)] == [trains]


def test_a_model_that_is_trained_again_keeps_no_orphan() -> None:
    """Its older version answers, so it is no new name."""
    changed = a_model("stays", epochs=5)
    assert list_removals(plan_with_prune(desired(changed), observed(DONE, GONE))) == [GONE.model]


def test_a_suspended_model_keeps_an_orphan_only_of_the_same_recipe_and_rows() -> None:
    template = replace(a_model("new", epochs=5), is_suspended=True)
    assert list_removals(plan_with_prune(desired(STAYS, template), observed(DONE, GONE))) == [GONE.model]
    renamed = replace(a_model("new"), is_suspended=True)
    assert list_removals(plan_with_prune(desired(STAYS, renamed), observed(DONE, GONE))) == []


@pytest.mark.parametrize("status", ["failed", "cancelled", "succeeded"])
def test_nothing_is_superseded_while_the_wanted_version_is_held(status: str) -> None:
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    held = a_job(wanted, status, id="ftjob-9", answers=False)
    plan = make_plan(desired(wanted), observed(a_job(a_model(epochs=3), "running"), held, models=()))
    assert plan.is_empty
    assert find_keep(plan, "triage").why in {KeepReason.FAILED, KeepReason.CANCELLED, KeepReason.MISSING}


def test_a_superseded_job_that_is_still_there_names_the_job_that_took_its_place() -> None:
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    older = a_job(a_model(epochs=3), "running")
    plan = make_plan(desired(wanted), observed(older, a_job(wanted, "running", id="ftjob-9")))
    (step,) = plan.steps
    assert isinstance(step.action, Cancel)
    assert step.action.kept == "ftjob-9"


def test_nothing_is_removed_without_a_project_name() -> None:
    unnamed = replace(desired(STAYS), project=ProjectSpec(is_stated=False))
    (refusal,) = plan_with_prune(unnamed, observed(DONE, GONE)).refused
    assert (refusal.policy, refusal.guard) == ("project-name", "")
    assert "“kind: Project” with “name: default”" in refusal.hint
    assert make_plan(unnamed, observed(DONE, GONE)).refused == ()
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    superseding = replace(desired(wanted), project=ProjectSpec(is_stated=False))
    refused = make_plan(superseding, observed(a_job(a_model(epochs=3), "running"))).refused
    assert [each.policy for each in refused] == ["project-name"]


def names(count: int, prefix: str = "model") -> list[str]:
    return [f"{prefix}-{n:02}" for n in range(count)]


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("renamed", [3, 4, 12])
def test_renames_without_moved_are_a_bulk_change(renamed: int, is_locked: bool) -> None:
    before = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(12)]
    entries = tuple(entry(a_model(name), job) for name, job in zip(names(12), before, strict=True))
    now = [*names(renamed, "other"), *names(12)[renamed:]]
    plan = make_plan(desired(*map(a_model, now)), observed(*before), lock=Lock(entries=entries if is_locked else ()))
    assert [each.policy for each in plan.refused] == (["bulk-change"] if renamed > 3 else [])
    if renamed > 3:
        assert f"{renamed} of 12 known models" in plan.refused[0].what
        assert "moved" in plan.refused[0].what


@pytest.mark.parametrize("status", ["queued", "running", "paused", "failed", "cancelled"])
@pytest.mark.parametrize("locked", [0, 6])
@pytest.mark.parametrize("renamed", [3, 4, 12])
def test_renames_of_models_that_have_not_succeeded_are_a_bulk_change(renamed: int, locked: int, status: str) -> None:
    """Their jobs are paid for, or were: the same again under new names is paid a second time."""
    done = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(locked)]
    rest = [a_job(a_model(name), status, id=f"ftjob-{name}") for name in names(12)[locked:]]
    entries = tuple(entry(a_model(name), job) for name, job in zip(names(locked), done, strict=True))
    now = [*names(renamed, "other"), *names(12 - renamed)]
    wanted = desired(*map(a_model, now))
    plan = make_plan(wanted, observed(*done, *rest), lock=Lock(entries=entries))
    assert [each.policy for each in plan.refused] == (["bulk-change"] if renamed > 3 else [])
    if renamed > 3:
        assert f"{renamed} of 12 known models" in plan.refused[0].what
        assert "moved" in plan.refused[0].what


@pytest.mark.parametrize(("status", "counts"), [("running", True), ("failed", False)])
def test_beside_a_lock_file_a_failed_job_of_another_recipe_is_no_rename(status: str, counts: bool) -> None:
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(10)]
    lock = Lock(entries=tuple(entry(a_model(name), job) for name, job in zip(names(10), known, strict=True)))
    old = [a_job(a_model(name, epochs=7), status, id=f"ftjob-{name}") for name in names(12, "orphan")]
    wanted = desired(*map(a_model, [*names(10), *names(12, "other")]))
    assert bool(make_plan(wanted, observed(*known, *old), lock=lock).refused) == counts


def test_orphans_do_not_make_a_change_smaller() -> None:
    orphans = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(90, "orphan")]
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(10)]
    changed = desired(*(a_model(name, epochs=2) for name in names(10)))
    lock = Lock(entries=tuple(entry(a_model(name), job) for name, job in zip(names(10), known, strict=True)))
    plan = make_plan(changed, observed(*known, *orphans), lock=lock)
    assert [each.policy for each in plan.refused] == ["bulk-change"]
    assert "10 of 10 known models" in plan.refused[0].what


def test_new_models_beside_removed_ones_without_jobs_are_no_bulk_change() -> None:
    orphans = [a_job(a_model(name, epochs=7), id=f"ftjob-{name}") for name in names(20, "orphan")]
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(10)]
    lock = Lock(entries=tuple(entry(a_model(name), job) for name, job in zip(names(10), known, strict=True)))
    plan = make_plan(desired(*map(a_model, names(30))), observed(*known, *orphans), lock=lock)
    assert plan.refused == ()


def test_a_model_that_is_there_under_a_name_of_no_spec_is_paid_again_and_counts_as_a_rename() -> None:
    orphans = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(20, "orphan")]
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in names(10)]
    lock = Lock(entries=tuple(entry(a_model(name), job) for name, job in zip(names(10), known, strict=True)))
    plan = make_plan(desired(*map(a_model, names(30))), observed(*known, *orphans), lock=lock)
    assert [each.policy for each in plan.refused] == ["bulk-change"]


def test_every_orphan_has_one_decision_and_nothing_that_is_kept_is_removed() -> None:
    new = a_model("new")
    old = a_job(a_model("old"), id="ftjob-2")
    older = a_job(a_model("old", epochs=9), id="ftjob-3")
    plan = plan_with_prune(desired(new), observed(old, older), lock=Lock(entries=(entry(new, old),)))
    assert list_removals(plan) == [older.model]
    assert {keep.model for keep in plan.kept}.isdisjoint(list_removals(plan))
    assert JobId("ftjob-2") in {keep.job for keep in plan.kept}


def test_what_came_from_other_specs_of_the_same_project_name_is_warned_of_and_not_removed() -> None:
    theirs = replace(GONE, origin="aaaaaaaaaaaa")
    seen, wanted = observed(DONE, theirs), desired(STAYS)
    plan = make_plan(wanted, seen, options=PRUNE, origin="bbbbbbbbbbbb")
    assert [each.policy for each in plan.refused] == ["shared-project"]
    assert any("came from another repository" in each for each in plan.warnings)
    allowed = make_plan(
        wanted, seen, options=replace(PRUNE, allow=frozenset({"shared-project"})), origin="bbbbbbbbbbbb"
    )
    assert allowed.refused == ()
    plan = make_plan(wanted, seen, options=PRUNE, origin="")
    assert [each.policy for each in plan.refused] == ["shared-project"]


@pytest.mark.parametrize("origin", ["aaaaaaaaaaaa", "bbbbbbbbbbbb"])
def test_a_file_of_a_failed_job_of_other_specs_is_not_removed(origin: str) -> None:
    """The job has made no model, so the file is all that would go; the other specs may train on it again."""
    file = a_file(a_dataset("gone"), id="file-2")
    failed = replace(a_job(a_model("gone"), "failed", id="ftjob-2"), training_file=file.id, origin="aaaaaaaaaaaa")
    plan = make_plan(desired(STAYS), observed(DONE, failed, file), options=PRUNE, origin=origin)
    assert list_removals(plan) == ["file-2"]
    assert [each.policy for each in plan.refused] == ([] if origin == failed.origin else ["shared-project"])


def test_what_came_from_these_specs_is_removed() -> None:
    own = "aaaaaaaaaaaa"
    seen = observed(replace(DONE, origin=own), replace(GONE, origin=own))
    plan = make_plan(desired(STAYS), seen, options=PRUNE, origin=own)
    assert (plan.refused, list_removals(plan)) == ((), [GONE.model])
    assert not any("another repository" in each for each in plan.warnings)


def test_a_job_without_an_origin_beside_marked_ones_is_removed_only_where_the_lock_names_it() -> None:
    own = "aaaaaaaaaaaa"
    seen = observed(replace(DONE, origin=own), GONE)
    plan = make_plan(desired(STAYS), seen, options=PRUNE, origin=own)
    assert [each.policy for each in plan.refused] == ["shared-project"]
    lock = Lock(entries=(entry(a_model("gone"), GONE),))
    plan = make_plan(desired(STAYS), seen, lock=lock, options=PRUNE, provider="openai", origin=own)
    assert (plan.refused, list_removals(plan)) == ((), [GONE.model])


def test_a_job_of_other_specs_is_not_superseded_and_one_that_is_wanted_is_used() -> None:
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    older = replace(a_job(a_model(epochs=3), "running"), origin="aaaaaaaaaaaa")
    plan = make_plan(desired(wanted), observed(older), origin="bbbbbbbbbbbb")
    assert [each.policy for each in plan.refused] == ["shared-project"]
    same = replace(a_job(wanted), origin="aaaaaaaaaaaa")
    assert make_plan(desired(wanted), observed(same), origin="bbbbbbbbbbbb").warnings == ()


@pytest.mark.parametrize("options", [Options(), PRUNE])
def test_a_model_that_the_lock_file_alone_knows_is_listed_and_stays_in_it(options: Options) -> None:
    """An adopted job bears no mark of ours, and a service may forget an old job."""
    adopted = a_job(a_model("adopted"), id="ftjob-7")
    lock = Lock(entries=(entry(a_model("adopted"), adopted), entry(STAYS, DONE)))
    seen = observed(DONE, models=(str(DONE.model), str(adopted.model)))
    plan = make_plan(desired(STAYS), seen, lock=lock, options=options, provider="openai")
    assert (list_removals(plan), plan.refused) == ([], ())
    found = find_keep(plan, "adopted")
    assert (found.why, found.model, found.job) == (KeepReason.ORPHAN, adopted.model, adopted.id)
    assert "reconciler forget adopted" in found.hint
    assert not any("out of the lock file" in each for each in plan.warnings)
    assert next_lock(lock, desired(STAYS), seen, ()) == lock


def test_a_plan_says_what_an_apply_takes_out_of_the_lock_file() -> None:
    lock = Lock(entries=(entry(a_model("gone"), GONE), entry(STAYS, DONE)))
    plan = make_plan(desired(STAYS), observed(DONE, GONE), lock=lock, provider="openai")
    assert any("takes model/gone out of the lock file" in each for each in plan.warnings)
    left = next_lock(lock, desired(STAYS), observed(DONE, GONE), ())
    assert [each.address.name for each in left.entries] == ["stays"]
    assert not any("lock file" in each for each in make_plan(desired(STAYS), observed(DONE), lock=left).warnings)


def test_a_lock_entry_whose_model_is_gone_leaves_the_file_and_lists_nothing() -> None:
    lock = Lock(entries=(entry(a_model("gone"), GONE),))
    plan = make_plan(desired(STAYS), observed(DONE), lock=lock, provider="openai")
    assert [keep.address.name for keep in plan.kept] == ["stays"]
    assert any("takes model/gone out of the lock file" in each for each in plan.warnings)
    assert next_lock(lock, desired(STAYS), observed(DONE), ()).entries == ()
