"""Which carrier a plan relies on, and jobs that may be ours without their marks."""

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import find_differences
from reconciler.domain.identity import Address, Kind
from reconciler.domain.observed import ClaimedJob, FileId, JobDetails, JobId
from reconciler.domain.plan import Options
from reconciler.planner import make_plan
from reconciler.providers import find_profile
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed

MODEL = a_model()
BARE = replace(a_job(MODEL, "running", id="ftjob-bare"), stamp=None, facts=(), training_file=a_file().id)


@pytest.mark.parametrize(("profile", "carrier"), [("openai", "metadata"), ("openai-legacy", "names of small files")])
def test_before_the_first_job_a_plan_says_which_carrier_it_relies_on(profile: str, carrier: str) -> None:
    capabilities = find_profile(profile).capabilities
    first = make_plan(desired(MODEL), observed(), provider=profile, capabilities=capabilities)
    assert [warning for warning in first.warnings if "keeps our marks" in warning and carrier in warning]
    later = make_plan(desired(MODEL), observed(a_job(a_model("other"))), provider=profile, capabilities=capabilities)
    assert not [warning for warning in later.warnings if "keeps our marks" in warning]


def test_the_built_in_service_is_proven() -> None:
    plan = make_plan(desired(MODEL), observed(), capabilities=find_profile("local").capabilities)
    assert not [warning for warning in plan.warnings if "keeps our marks" in warning]


@pytest.mark.parametrize("name", ["triage", "sorter"])
def test_a_plan_names_the_note_of_a_create_in_flight_under_today_s_and_an_old_name(name: str) -> None:
    seen = replace(observed(a_file()), noted=((MODEL.stamp, Address(Kind.MODEL, name)),))
    (warning,) = (each for each in make_plan(desired(MODEL), seen).warnings if "journal" in each)
    assert warning.startswith("model/triage: the journal notes a create of this version")
    assert ("as model/sorter" in warning) == (name == "sorter")
    kept = replace(seen, jobs=(a_job(MODEL, "running"),))
    assert not [each for each in make_plan(desired(MODEL), kept).warnings if "journal" in each]


def test_a_plan_that_creates_a_job_says_that_the_journal_could_not_be_read() -> None:
    seen = replace(observed(a_file()), journal_doubt="the journal of a service cannot be used: no route")
    (warning,) = (each for each in make_plan(desired(MODEL), seen).warnings if "no route" in each)
    assert "reconciler journal list" in warning
    kept = replace(seen, jobs=(a_job(MODEL, "running"),))
    assert not [each for each in make_plan(desired(MODEL), kept).warnings if "no route" in each], (
        "no create rests on it"
    )


@pytest.mark.parametrize("known", ["by the journal", "by its file"])
def test_a_job_that_may_be_ours_refuses_the_plan_until_a_person_decides(known: str) -> None:
    claim = ClaimedJob(stamp=MODEL.stamp, job=JobId("ftjob-bare"), doubt="without the metadata that was sent")
    seen = observed(a_file())
    seen = replace(seen, claimed=(claim,)) if known == "by the journal" else replace(seen, unmarked=(BARE,))
    (refusal,) = make_plan(desired(MODEL), seen).refused
    assert refusal.policy == "unmarked-job"
    assert "ftjob-bare" in refusal.what
    assert "--replace triage" in refusal.hint
    decided = make_plan(desired(MODEL), seen, options=Options(replace=frozenset({"triage"})))
    assert decided.refused == ()
    assert decided.trains[0].excluded_jobs == ("ftjob-bare",)
    adopted = replace(seen, jobs=(a_job(MODEL, "running", id="ftjob-bare"),))
    assert make_plan(desired(MODEL), adopted).refused == ()


WANTED = a_model(base="gpt-4o-mini-2024-07-18", epochs=3)
SEEDED = replace(WANTED, recipe=replace(WANTED.recipe, seed=5, suffix="triage"))


@pytest.mark.parametrize(
    "shown",
    [
        {"details": JobDetails(seed=99)},
        {"details": JobDetails(hyperparameters=(("n_epochs", "4"),))},
        {"details": JobDetails(hyperparameters=(("epochs", "3"),))},
        {"details": JobDetails(suffix="tria")},
        {"validation_file": FileId("file-unknown")},
        {"base": "provider/gpt-4o-mini-2024-07-18"},
        {"base": "GPT-4o-mini"},
        {"base": "gpt-4o-mini@20240718"},
        {"base": ""},
        {"training_file": FileId(a_file().id.upper())},
        {"training_file": FileId(f"provider/{a_file().id}")},
        {"training_file": FileId(f"gateway:{a_file().id}")},
    ],
    ids=str,
)
def test_what_an_echo_changes_makes_no_job_certainly_anothers(shown: dict[str, Any]) -> None:
    bare = replace(BARE, **{"base": SEEDED.recipe.base, **shown})
    (refusal,) = make_plan(desired(SEEDED), replace(observed(a_file()), unmarked=(bare,))).refused
    assert refusal.policy == "unmarked-job"
    assert ("; it shows" in refusal.what) == bool(list(find_differences(SEEDED, bare, {a_file().id}, ())))


@pytest.mark.parametrize(
    "shown",
    [{"base": "gpt-4.1-mini"}, {"base": "gpt-4o"}, {"training_file": FileId("file-2")}, {"training_file": None}],
    ids=str,
)
def test_a_job_on_another_base_or_on_other_rows_is_everyday_use(shown: dict[str, Any]) -> None:
    bare = replace(BARE, **{"base": SEEDED.recipe.base, **shown})
    assert not make_plan(desired(SEEDED), replace(observed(a_file()), unmarked=(bare,))).refused


@pytest.mark.parametrize("stated", ["1" + "0" * 400, "9" * 5000, "1e999", "NaN", "-Infinity"])
def test_a_number_that_no_float_holds_is_another_number(stated: str) -> None:
    model = a_model(epochs=3)
    job = replace(a_job(model), details=JobDetails(hyperparameters=(("n_epochs", stated),)))
    assert any("n_epochs" in each for each in find_differences(model, job, (), ()))


def test_a_job_on_the_same_rows_under_an_older_name_of_the_dataset_may_be_ours_too() -> None:
    renamed = a_model(training=a_dataset("letters"))
    assert renamed.stamp == MODEL.stamp
    seen = replace(observed(a_file(), a_file(a_dataset("letters"), id="file-2")), unmarked=(BARE,))
    assert [each.policy for each in make_plan(desired(renamed), seen).refused] == ["unmarked-job"]
    others = replace(observed(a_file(a_dataset(rows="others"))), unmarked=(BARE,))
    assert not make_plan(desired(renamed), others).refused
