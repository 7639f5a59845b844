"""Validation rows that change no weights: they leave the digest, and jobs of the older digests still count."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from reconciler.domain.cost import Per, PriceTable, Rate
from reconciler.domain.desired import Model, Part
from reconciler.domain.identity import Digest, Stamp
from reconciler.domain.lock import Lock, LockEntry
from reconciler.domain.observed import SUCCEEDED, JobId, ModelId, Observed, RemoteJob
from reconciler.domain.plan import KeepReason, Options, Plan, Train
from reconciler.domain.spec import Adoption
from reconciler.planner import make_plan
from reconciler.providers import PROFILE_NAMES, find_profile
from tests.factories import a_dataset, a_file, a_job, a_model, desired, observed

GOLDEN = {
    "no validation": (
        "v1:dad2ab3863373b291c05379936e0eb175fe8b11f9df615f1922245182f272af7",
        "v1:dad2ab3863373b291c05379936e0eb175fe8b11f9df615f1922245182f272af7",
    ),
    "validation": (
        "v1:c713fd348510621fc1eb03e07122e673ec703f2c741fab63a7735c65f59a37de",
        "v2:9324df6f4e5bcba7e3d74f42aae19a167634f26953ac6deb2ee7b77e79b44343",
    ),
    "validation and epochs": (
        "v1:e05b95b93a1dfe92bfcbf2d303b09331f16659ebb74fcec50b54a311c643ae4f",
        "v2:da4718f562fa25bcf4492bb45acae2c07de3343b4753e31a6ae773d7b5aab305",
    ),
}
"""Digests of models with validation rows that count, and of the same models where they are neutral."""


def make_validated_model(rows: str, *, neutral: bool = True, epochs: int | None = None) -> Model:
    """A model whose validation rows the word distinguishes."""
    held_out = a_dataset("held-out", rows, count=40)
    return replace(a_model(validation=held_out, epochs=epochs), validation_is_neutral=neutral)


def as_before(model: Model) -> Model:
    """The same model by the older rules, as an older program would stamp it."""
    return replace(model, validation_is_neutral=False)


def plan_beside(model: Model, *things: RemoteJob, lock: Lock | None = None, options: Options | None = None) -> Plan:
    return make_plan(desired(model), observed(*things), lock=lock or Lock(), options=options or Options())


def trains(plan: Plan) -> list[Train]:
    return [step.action for step in plan.steps if isinstance(step.action, Train)]


def test_neutral_validation_rows_are_not_in_the_digest_and_that_there_are_some_is() -> None:
    first, second = make_validated_model("one"), make_validated_model("two")
    assert first.stamp == second.stamp
    assert first.stamp.digest.version == "v2"
    assert first.stamp != a_model().stamp
    assert as_before(first).stamp != as_before(second).stamp


def test_a_model_without_validation_rows_keeps_its_digest() -> None:
    model = replace(a_model(), validation_is_neutral=True)
    assert model.stamps == (a_model().stamp,)
    assert model.stamp.digest.version == "v1"


@pytest.mark.parametrize("with_lock", [False, True])
def test_a_job_of_the_older_digest_is_not_trained_again(with_lock: bool) -> None:
    model = make_validated_model("one")
    done = a_job(as_before(model))
    entry = LockEntry(
        stamp=as_before(model).stamp,
        provider="openai",
        service="api.example.test",
        job=done.id,
        model=done.model or ModelId(""),
    )
    plan = plan_beside(model, done, lock=Lock(entries=(entry,)) if with_lock else None)
    assert [keep.why for keep in plan.kept] == [KeepReason.READY]
    assert not plan.steps
    # Under the older digest other validation rows were another model.
    assert trains(plan_beside(make_validated_model("two"), done))


def test_a_locked_model_of_the_older_digest_counts_when_its_job_is_gone() -> None:
    model = make_validated_model("one")
    entry = LockEntry(
        stamp=as_before(model).stamp,
        provider="openai",
        service="api.example.test",
        job=JobId("ftjob-9"),
        model=ModelId("ft:9"),
    )
    state = Observed(service="api.example.test", models=frozenset({ModelId("ft:9")}))
    plan = make_plan(
        desired(model), state, lock=Lock(entries=(entry,)), options=Options(allow=frozenset({"empty-remote"}))
    )
    assert [keep.why for keep in plan.kept] == [KeepReason.READY]


def test_an_adoption_by_the_older_digest_still_counts() -> None:
    model = make_validated_model("one")
    claim = Adoption(job=JobId("ftjob-1"), digest=as_before(model).stamp.digest)
    job = replace(a_job(as_before(model)), is_adopted=True)
    assert not plan_beside(replace(model, adopt=claim), job).steps
    assert plan_beside(replace(model, adopt=claim)).kept[0].why is KeepReason.MISSING


@pytest.mark.parametrize("status", ["succeeded", "running"])
def test_a_plan_says_that_the_validation_rows_changed_and_what_validating_anew_costs(status: str) -> None:
    before, after = make_validated_model("one", epochs=2), make_validated_model("two", epochs=2)
    job = replace(a_job(before, status), facts=before.displayed_facts)
    rate = Rate(bases=(before.recipe.base,), methods=("supervised",), usd=Decimal(25), per=Per.TOKENS)
    table = PriceTable(service="local", source="test", dated="2026-01-01", rates=(rate,))
    plan = make_plan(desired(after), observed(job), prices=(table,))
    assert not plan.steps
    (warning,) = [each for each in plan.warnings if "validation rows" in each]
    assert before.validation
    assert after.validation
    assert f"({before.validation.title} → {after.validation.title})" in warning
    assert "USD" in warning
    assert "model/triage: " in warning


def test_the_validation_file_of_a_job_tells_its_rows_where_no_facts_do() -> None:
    before, after = make_validated_model("one"), make_validated_model("two")
    assert before.validation
    file = a_file(before.validation, id="file-val")
    job = replace(a_job(before), facts=(), validation_file=file.id)
    plan = make_plan(desired(after), observed(job, file))
    assert any("validation rows changed" in each for each in plan.warnings)
    assert not any("validation" in each for each in make_plan(desired(before), observed(job, file)).warnings)
    unknown = replace(job, validation_file=None)
    assert not any("validation" in each for each in make_plan(desired(after), observed(unknown)).warnings)


def test_a_failure_with_other_validation_rows_says_nothing_of_todays() -> None:
    before, after = make_validated_model("broken"), make_validated_model("mended")
    failed = replace(a_job(before, "failed"), facts=before.displayed_facts)
    (train,) = trains(plan_beside(after, failed))
    assert train.excluded_jobs == (failed.id,)
    assert plan_beside(before, failed).kept[0].why is KeepReason.FAILED


def test_changed_training_rows_still_retrain() -> None:
    before = make_validated_model("one")
    after = replace(before, training=a_dataset(rows="others"))
    assert trains(plan_beside(after, a_job(before)))


def test_rows_of_a_split_are_neutral_on_both_sides_of_the_rule() -> None:
    held_out = a_dataset(rows="held out", part=Part.VALIDATION)
    model = replace(a_model(validation=held_out), validation_is_neutral=True)
    assert len(model.stamps) == 2
    assert model.bears(as_before(model).stamp)
    assert not model.bears(a_model().stamp)
    assert not model.bears(None)


def test_what_a_newer_program_stamped_is_refused_whatever_is_allowed() -> None:
    model = a_model()
    newer = Stamp(model.address, Digest("v3", "ab" * 32))
    everything = Options(allow=frozenset({"amnesia", "bulk-change", "contradictions"}))
    plan = make_plan(desired(model), observed(a_job(newer)), options=everything)
    (refusal,) = [each for each in plan.refused if each.policy == "newer-program"]
    assert "ftjob-1 (v3)" in refusal.what
    entry = LockEntry(stamp=newer, provider="openai", service="api.example.test", job=JobId("j"), model=ModelId("m"))
    locked = make_plan(desired(model), observed(a_job()), lock=Lock(entries=(entry,)))
    assert [each.policy for each in locked.refused] == ["newer-program"]
    elsewhere = replace(entry, service="another.example.test")
    assert not make_plan(desired(model), observed(a_job()), lock=Lock(entries=(elsewhere,))).refused


def test_no_service_says_of_reinforcement_that_validation_rows_are_neutral() -> None:
    for name in PROFILE_NAMES:
        assert set(find_profile(name).capabilities.neutral_methods) <= {"supervised", "dpo"}
    assert a_job().status == SUCCEEDED


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_digests_of_both_versions_do_not_change(name: str) -> None:
    models = {
        "no validation": a_model(),
        "validation": make_validated_model("one"),
        "validation and epochs": make_validated_model("two", epochs=3),
    }
    model = models[name]
    neutral = replace(model, validation_is_neutral=True)
    assert (str(as_before(model).stamp.digest), str(neutral.stamp.digest)) == GOLDEN[name]
