"""Plans as a whole: what they hold, in which order, and what may refuse them."""

import random
from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Part
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import FileId, JobId, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.plan import Cancel, Delete, KeepReason, Options, Plan, Promote, Train, Upload
from reconciler.domain.ports import Capabilities
from reconciler.domain.spec import Expect, OnChange, Policy
from reconciler.planner import GUARDS, make_plan
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed


def ids(plan: Plan) -> list[str]:
    return [str(step.id) for step in plan.steps]


def locked(job: str, model: str, *, service: str = "api.example.test") -> Lock:
    stamp = a_model().stamp
    return Lock(
        entries=(LockEntry(stamp=stamp, provider="openai", service=service, job=JobId(job), model=ModelId(model)),)
    )


def test_a_first_plan_uploads_then_trains() -> None:
    plan = make_plan(desired(a_model()), observed())
    short = a_dataset().measure.digest.short
    assert ids(plan) == [f"upload:dataset/tickets:{short}", "train:model/triage"]
    assert plan.steps[1].needs == (plan.steps[0].id,)
    assert [change.field for change in plan.steps[1].changes] == ["base", "training"]


def test_a_file_that_is_there_is_not_sent_again() -> None:
    assert ids(make_plan(desired(a_model()), observed(a_file()))) == ["train:model/triage"]


@pytest.mark.parametrize("broken", ["error", "deleted"])
def test_a_broken_file_is_sent_again(broken: str) -> None:
    plan = make_plan(desired(a_model()), observed(a_file(status=broken)))
    assert isinstance(plan.steps[0].action, Upload)


def test_a_file_of_the_right_name_and_another_size_is_not_ours_to_use() -> None:
    plan = make_plan(desired(a_model()), observed(replace(a_file(), size_bytes=7)))
    assert isinstance(plan.steps[0].action, Upload)


def test_one_dataset_for_five_models_is_sent_once() -> None:
    models = [a_model(f"model-{n}") for n in range(5)]
    plan = make_plan(desired(*models), observed())
    assert [type(step.action) for step in plan.steps] == [Upload, Train, Train, Train, Train, Train]


def test_both_sides_of_a_split_are_sent() -> None:
    model = a_model(validation=a_dataset(rows="held out", part=Part.VALIDATION))
    plan = make_plan(desired(model), observed())
    assert [str(step.action.address) for step in plan.steps] == [
        "dataset/tickets",
        "dataset/tickets.validation",
        "model/triage",
    ]
    assert set(plan.steps[2].needs) == {plan.steps[0].id, plan.steps[1].id}


def test_a_retrain_says_which_fields_changed_and_only_those() -> None:
    before, after = a_model(epochs=3), a_model(epochs=5, training=a_dataset(rows="one more", count=201))
    done = replace(a_job(before), facts=before.displayed_facts)
    (train,) = [step for step in make_plan(desired(after), observed(done)).steps if isinstance(step.action, Train)]
    assert [(change.field, change.before, change.after) for change in train.changes] == [
        ("hyperparameters.n_epochs", "3", "5"),
        ("training", f"{before.training.title} (200 rows)", f"{after.training.title} (201 rows)"),
    ]


def test_a_service_that_keeps_no_facts_still_gives_a_reason() -> None:
    done = replace(a_job(a_model(epochs=3)), facts=())
    (train,) = [step for step in make_plan(desired(a_model()), observed(done)).steps if isinstance(step.action, Train)]
    assert [change.field for change in train.changes] == ["digest"]


def test_the_order_of_inputs_changes_nothing() -> None:
    """The same state, listed in any order, gives the same plan to the byte."""
    models = [a_model(f"model-{n}", training=a_dataset(f"data-{n % 3}", rows=str(n % 3))) for n in range(8)]
    jobs = [a_job(model, "running" if n % 2 else "succeeded", id=f"ftjob-{n}") for n, model in enumerate(models[:4])]
    things: list[RemoteJob | RemoteFile] = [*jobs, a_file(a_dataset("data-1", rows="1"))]
    plans = set()
    for seed in range(5):
        random.Random(seed).shuffle(models)
        random.Random(seed).shuffle(things)
        plans.add(repr(make_plan(desired(*models), observed(*things))))
    assert len(plans) == 1


def test_a_superseded_job_is_cancelled_after_the_job_that_takes_its_place() -> None:
    wanted = a_model(epochs=5, on_change=OnChange.SUPERSEDE)
    plan = make_plan(desired(wanted), observed(a_job(a_model(epochs=3), "running"), a_file()))
    assert [type(step.action) for step in plan.steps] == [Train, Cancel]
    assert plan.steps[1].needs == (plan.steps[0].id,)


def test_going_back_moves_the_pointer_and_nothing_else() -> None:
    """A lock that names another model than the one that answers the specs now is set right, at no cost."""
    plan = make_plan(desired(a_model()), observed(a_job(a_model())), lock=locked("ftjob-9", "ft:other"))
    (step,) = plan.steps
    assert isinstance(step.action, Promote)
    assert (step.action.job, step.action.instead_of) == (a_job(a_model()), "ft:other")


def test_a_lock_of_another_service_moves_nothing() -> None:
    plan = make_plan(
        desired(a_model()), observed(a_job(a_model())), lock=locked("ftjob-9", "ft:other", service="elsewhere")
    )
    assert plan.is_empty


@pytest.mark.parametrize("status", ["running", "succeeded"])
def test_what_no_spec_names_is_kept_and_listed(status: str) -> None:
    plan = make_plan(desired(a_model()), observed(a_job(a_model()), a_job(a_model("gone"), status, id="ftjob-2")))
    assert plan.is_empty
    assert [(str(keep.address), keep.why) for keep in plan.kept] == [
        ("model/gone", KeepReason.ORPHAN),
        ("model/triage", KeepReason.READY),
    ]


def test_pruning_cancels_what_runs_and_deletes_what_answers() -> None:
    gone = [a_job(a_model("gone"), "running", id="ftjob-2"), a_job(a_model("gone", epochs=2), id="ftjob-3")]
    plan = make_plan(desired(a_model()), observed(a_job(a_model()), *gone), options=Options(prune=True))
    assert [type(step.action) for step in plan.steps] == [Cancel, Delete]
    assert plan.steps[1].needs == (plan.steps[0].id,)


def test_pruning_spares_a_model_that_another_is_built_on() -> None:
    base = a_job(a_model("gone"), id="ftjob-2")
    on_top = a_model(base=str(base.model))
    plan = make_plan(desired(on_top), observed(a_job(on_top), base), options=Options(prune=True))
    assert plan.is_empty
    assert [keep.why for keep in plan.kept] == [KeepReason.ORPHAN, KeepReason.READY]


def test_pruning_takes_files_only_when_a_job_of_ours_used_them_and_none_does_now() -> None:
    """A file's name does not name its project; a file that no job of ours used may belong to another project."""
    old = a_model("gone", training=a_dataset("old", rows="old"))
    job = replace(a_job(old, "failed", id="ftjob-2"), training_file=a_file(id="file-2").id)
    files = [a_file(old.training, id="file-2"), a_file(a_dataset("theirs", rows="theirs"), id="file-3")]
    seen = observed(a_job(a_model()), job, *files)
    plan = make_plan(desired(a_model()), seen, options=Options(prune=True))
    assert [step.action.thing for step in plan.steps if isinstance(step.action, Delete)] == ["file-2"]

    for spelling in (files[0].id, files[0].id.upper(), f"provider/{files[0].id}", f"gateway:{files[0].id}"):
        busy = replace(seen, files_in_use=frozenset({FileId(spelling)}))
        assert make_plan(desired(a_model()), busy, options=Options(prune=True)).is_empty, spelling


def test_pruning_leaves_files_of_datasets_that_still_have_a_spec() -> None:
    old = a_model("gone", training=a_dataset("old", rows="old"))
    job = replace(a_job(old, "failed", id="ftjob-2"), training_file=a_file(id="file-2").id)
    wanted = replace(desired(a_model()), declared=("old",))
    plan = make_plan(wanted, observed(job, a_file(old.training, id="file-2")), options=Options(prune=True))
    assert not [step for step in plan.steps if isinstance(step.action, Delete)]


def test_a_target_plans_that_model_only_and_says_so() -> None:
    models = [a_model("one"), a_model("two")]
    plan = make_plan(desired(*models), observed(a_file()), options=Options(target=frozenset({"two"})))
    assert ids(plan) == ["train:model/two"]
    assert any("partial" in warning for warning in plan.warnings)


def many(count: int) -> list[str]:
    return [f"model-{n:02}" for n in range(count)]


def refused(plan: Plan) -> list[str]:
    return [refusal.policy for refusal in plan.refused]


def test_an_empty_tree_over_things_we_own_is_refused() -> None:
    assert refused(make_plan(desired(), observed(a_job()))) == ["empty-specs"]
    assert refused(make_plan(desired(), observed())) == []


def test_an_empty_service_under_a_lock_is_refused() -> None:
    assert refused(make_plan(desired(a_model()), observed(), lock=locked("ftjob-1", "ft:x"))) == ["empty-remote"]


@pytest.mark.parametrize("field", ["list_warnings", "contradictions"])
def test_a_list_that_looks_cut_or_marks_that_disagree_are_refused(field: str) -> None:
    seen: Observed = replace(observed(), **{field: ("something is odd",)})
    (refusal,) = make_plan(desired(a_model()), seen).refused
    assert "something is odd" in refusal.what


def test_a_change_of_many_known_models_is_refused() -> None:
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in many(10)]
    changed = desired(*(a_model(name, epochs=2 if n < 4 else None) for n, name in enumerate(many(10))))
    assert refused(make_plan(changed, observed(*known, a_file()))) == ["bulk-change"]
    fewer = desired(*(a_model(name, epochs=2 if n < 3 else None) for n, name in enumerate(many(10))))
    assert refused(make_plan(fewer, observed(*known, a_file()))) == []


def test_many_new_models_are_no_bulk_change() -> None:
    assert refused(make_plan(desired(*map(a_model, many(20))), observed())) == []


@pytest.mark.parametrize(("bound", "says"), [(1, ["max_new_jobs"]), (2, []), (None, [])])
def test_more_jobs_than_the_policy_allows_are_refused(bound: int | None, says: list[str]) -> None:
    wanted = desired(a_model("one"), a_model("two"), policy=Policy(max_new_jobs=bound))
    plan = make_plan(wanted, observed())
    assert refused(plan) == says
    assert len(plan.trains) == 2


@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_can_be_allowed_by_name_and_then_takes_nothing_away(guard: str) -> None:
    known = [a_job(a_model(name), id=f"ftjob-{name}") for name in many(10)]
    gone = replace(observed(a_job(a_model("other"), id="ftjob-9")), gone=(JobId("ftjob-1"),))
    expecting = desired(a_model())
    sandboxes = {
        "identity": (
            replace(expecting, project=replace(expecting.project, expect=Expect(host=("api.example.test",)))),
            replace(observed(), host="127.0.0.1"),
            Lock(),
        ),
        "other-account": (
            desired(a_model()),
            observed(),
            Lock(
                entries=tuple(
                    replace(each, provider="local", service="elsewhere/org-a")
                    for each in locked("ftjob-1", "ft:x").entries
                )
            ),
        ),
        "amnesia": (desired(a_model()), gone, locked("ftjob-1", "ft:x")),
        "empty-specs": (desired(), observed(a_job()), Lock()),
        "empty-remote": (desired(a_model()), observed(), locked("ftjob-1", "ft:x")),
        "cut-list": (desired(a_model()), replace(observed(), list_warnings=("odd",)), Lock()),
        "contradictions": (desired(a_model()), replace(observed(), contradictions=("ftjob-3",)), Lock()),
        "bulk-change": (desired(*(a_model(name, epochs=2) for name in many(10))), observed(*known), Lock()),
        "unknown-cost": (desired(a_model(), policy=Policy(max_cost_usd=Decimal(20))), observed(), Lock()),
        "shared-project": (
            desired(a_model(), policy=Policy(prune=True)),
            observed(a_job(a_model()), replace(a_job(a_model("gone"), id="ftjob-2"), origin="aaaaaaaaaaaa")),
            Lock(),
        ),
    }
    wanted, seen, lock = sandboxes[guard]
    refusing = make_plan(wanted, seen, lock=lock, origin="bbbbbbbbbbbb")
    allowing = make_plan(wanted, seen, lock=lock, options=Options(allow=frozenset({guard})), origin="bbbbbbbbbbbb")
    assert refused(refusing) == [guard]
    assert refused(allowing) == []
    assert refusing.steps == allowing.steps


def test_bases_that_end_or_are_not_pinned_or_not_known_are_warned_of() -> None:
    bases = frozenset({"gpt-4.1-mini-2025-04-14"})
    seen = replace(observed(), retiring=((ModelId("gpt-4.1-mini-2025-04-14"), "2027-01-14"),))
    wanted = desired(a_model("one"), a_model("two", base="gpt-4.1-mini"), a_model("three", base="llama"))
    plan = make_plan(wanted, seen, provider="openai", capabilities=Capabilities(bases=bases))
    assert plan.warnings == (
        "model/one: base model gpt-4.1-mini-2025-04-14 shuts down on 2027-01-14",
        "model/three: base model llama is not known to openai; the service decides",
        "model/two: base model gpt-4.1-mini is an alias; pin it as gpt-4.1-mini-2025-04-14",
    )


def test_a_service_that_closes_is_warned_of_when_a_plan_would_create_jobs_there() -> None:
    """The day is known beforehand; what is there already is not in the way."""
    closing = Capabilities(closes_on="2027-01-06", retiring=(("gpt-4.1-mini-2025-04-14", "2027-01-14"),))
    plan = make_plan(desired(a_model("one"), a_model("two")), observed(), provider="openai", capabilities=closing)
    assert any("openai takes no new fine-tuning jobs from 2027-01-06" in each for each in plan.warnings)
    assert any("2 jobs of this plan" in each for each in plan.warnings)
    assert "model/one: base model gpt-4.1-mini-2025-04-14 shuts down on 2027-01-14" in plan.warnings
    kept = make_plan(desired(a_model()), observed(a_job(a_model())), provider="openai", capabilities=closing)
    assert not any("2027-01-06" in each for each in kept.warnings)
    assert not any("2027-01-06" in each for each in make_plan(desired(a_model()), observed()).warnings)


def test_what_the_service_says_of_a_base_is_newer_than_what_a_profile_knew() -> None:
    known = Capabilities(retiring=(("gpt-4.1-mini-2025-04-14", "2027-01-14"),))
    seen = replace(observed(), retiring=((ModelId("gpt-4.1-mini-2025-04-14"), "2027-03-01"),))
    (warning,) = make_plan(desired(a_model()), seen, capabilities=known).warnings
    assert warning.endswith("2027-03-01")


def test_a_job_whose_record_is_gone_moves_no_pointer() -> None:
    seen = observed(models=("ft:other",))
    plan = make_plan(desired(a_model()), seen, lock=locked("ftjob-9", "ft:other"))
    assert plan.is_empty
    assert [keep.why for keep in plan.kept] == [KeepReason.READY]


def test_suspending_a_model_moves_the_basis_of_the_specs() -> None:
    first = make_plan(desired(a_model()), observed())
    suspended = make_plan(desired(replace(a_model(), is_suspended=True)), observed())
    assert "specs" in first.basis.changed_inputs(suspended.basis)
    assert suspended.is_empty


def test_the_basis_says_which_input_moved() -> None:
    first = make_plan(desired(a_model()), observed())
    assert first.basis.changed_inputs(make_plan(desired(a_model()), observed()).basis) == ()
    assert first.basis.changed_inputs(make_plan(desired(a_model(epochs=2)), observed()).basis) == ("specs",)
    assert first.basis.changed_inputs(make_plan(desired(a_model()), observed(a_file())).basis) == ("service",)
    asked = make_plan(desired(a_model()), observed(), options=Options(prune=True))
    assert first.basis.changed_inputs(asked.basis) == ("options",)


def test_a_job_that_only_moves_on_its_way_makes_no_plan_stale() -> None:
    queued, running = (make_plan(desired(a_model()), observed(a_job(status=word))) for word in ("queued", "running"))
    done = make_plan(desired(a_model()), observed(a_job(status="succeeded")))
    assert queued.basis == running.basis
    assert queued.basis.changed_inputs(done.basis) == ("service",)


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (Options(replace=frozenset({"triage"})), "succeeded", "--replace does nothing: its model is there"),
        (Options(retry=frozenset({"triage"})), "succeeded", "--retry does nothing: its model is there"),
        (Options(replace=frozenset({"triage"})), "running", "--replace does nothing: its job is still training"),
        (Options(replace=frozenset({"triage"})), "failed", "--retry trains it again"),
        (Options(retry=frozenset({"triage"})), "failed", ""),
    ],
)
def test_a_request_that_does_nothing_is_warned_of(options: Options, status: str, says: str) -> None:
    plan = make_plan(desired(a_model()), observed(a_job(a_model(), status), a_file()), options=options)
    assert any(says in each for each in plan.warnings) if says else not plan.warnings
    assert plan.is_empty == bool(says)


def test_a_request_outside_of_the_target_is_not_dropped_in_silence() -> None:
    options = Options(target=frozenset({"triage"}), replace=frozenset({"other"}), retry=frozenset({"other", "triage"}))
    plan = make_plan(desired(a_model(), a_model("other")), observed(), options=options)
    idle = [each for each in plan.warnings if "does nothing" in each]
    assert idle == [f"model/other: {flag} does nothing: --target does not name it" for flag in ("--replace", "--retry")]
