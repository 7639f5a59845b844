"""To which model a job belongs: every row of the decision table, and the rules for all rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobId, JobStatus, ModelId, RemoteFile
from reconciler.providers.openai_legacy.identity import FOREIGN, UNCLEAR, Verdict, is_of, judge
from reconciler.providers.openai_legacy.labels import JobLabel, project_key, suffix_of
from reconciler.providers.openai_legacy.wire import Tune
from tests.providers.fakes import anything
from tests.providers.openai_legacy.factories import KEY, intent, wanted

MODEL, OTHER = wanted(epochs=4), wanted("letters", epochs=4)
LONG = wanted("a-name-that-is-too-long-for-any-suffix")
THEIRS = project_key("other")
LENGTH = 40


def ours_file(file: str = "file-1") -> RemoteFile:
    filename = MODEL.training.stamp.filename
    stamp = Stamp.of_filename(filename)
    return RemoteFile(id=FileId(file), filename=filename, size_bytes=1, created_at=1, stamp=stamp)


def tune(status: str = "running", *, model: str | None = None, at: int = 100, **more: Any) -> Tune:
    return Tune(
        id=JobId("ft-1"),
        status=JobStatus(status),
        created_at=at,
        updated_at=at,
        base="curie",
        model=ModelId(model) if model else None,
        **{"training": (ours_file(),), "settings": {"n_epochs": 4, "prompt_loss_weight": 0.01}, **more},
    )


def made(suffix: str) -> str:
    return f"curie:ft-acme:{suffix}-2022-02-15-04-21-04"


def named(stamp: Stamp = MODEL.stamp, project: str = KEY, job: str = "ft-1") -> JobLabel:
    return JobLabel(project=project, stamp=stamp, job=JobId(job))


def judged(job: Tune, *labels: JobLabel) -> Verdict:
    return judge(job, labels, KEY, LENGTH)


EVERY = ("pending", "running", "succeeded", "failed", "cancelled", "pondering")
OURS = suffix_of(MODEL.stamp, LENGTH)


@pytest.mark.parametrize("status", EVERY)
def test_a_label_with_its_id_identifies_a_job_in_every_state(status: str) -> None:
    assert judged(tune(status), named()) == Verdict(stamp=MODEL.stamp)
    assert judged(tune(status), named(project=THEIRS)) == FOREIGN
    assert judged(tune(status), named(), intent(OTHER)) == Verdict(stamp=MODEL.stamp), "surer than any intent"


def test_a_label_and_the_model_s_name_must_agree() -> None:
    assert judged(tune("succeeded", model=made(OURS)), named()) == Verdict(stamp=MODEL.stamp)
    assert judged(tune("succeeded", model=made("my-own")), named()) == Verdict(stamp=MODEL.stamp), "a recipe's suffix"
    another = wanted("letters", epochs=5).stamp
    denied = tune("succeeded", model=made(suffix_of(another, LENGTH)))
    verdict = judged(denied, named())
    assert verdict == Verdict(is_unclear=True, may_be=frozenset({MODEL.stamp}))
    assert not any(is_of(denied, verdict, stamp, LENGTH) for stamp in (MODEL.stamp, another)), "it belongs to no model"


@pytest.mark.parametrize("status", EVERY)
def test_the_intent_of_a_request_identifies_its_job(status: str) -> None:
    assert judged(tune(status), intent(MODEL)) == Verdict(stamp=MODEL.stamp)
    assert judged(tune(status), intent(MODEL, project=THEIRS)) == FOREIGN


@pytest.mark.parametrize(
    "job",
    [
        tune(settings={"n_epochs": 5}),
        tune(settings={}),
        tune(training=(ours_file("file-2"),)),
        tune(validation=(ours_file("file-2"),)),
        tune(at=9),
    ],
)
def test_an_intent_of_another_or_a_later_request_is_ignored(job: Tune) -> None:
    assert judged(job, intent(MODEL, at=10)) == UNCLEAR


def test_an_intent_of_another_base_is_ignored() -> None:
    assert judged(tune(), intent(wanted(epochs=4, base="ada"))) == UNCLEAR


@pytest.mark.parametrize(("status", "unclear"), [(each, each not in {"failed", "cancelled"}) for each in EVERY])
def test_intents_of_two_models_leave_a_job_unclear_while_it_matters(status: str, unclear: bool) -> None:
    both = Verdict(is_unclear=True, may_be=frozenset({MODEL.stamp, OTHER.stamp}))
    assert judged(tune(status), intent(MODEL), intent(OTHER)) == (both if unclear else FOREIGN)


def test_intents_of_two_models_are_distinguished_by_the_model_s_name() -> None:
    job = tune("succeeded", model=made(OURS))
    assert judged(job, intent(MODEL), intent(OTHER)) == Verdict(stamp=MODEL.stamp)
    assert judged(tune("succeeded", model=made("by-hand")), intent(MODEL), intent(OTHER)) == FOREIGN


def test_a_suffix_in_the_recipe_does_not_invalidate_its_intent() -> None:
    own = intent(MODEL)
    assert own.request
    own = replace(own, request=f"{int(own.request[:2], 16) | 0x80:02x}{own.request[2:]}")
    # The digest covers the stated settings; the origin of the suffix is stored separately.
    assert not own.has_our_suffix
    assert judged(tune("succeeded", model=made("my-own")), own) == Verdict(stamp=MODEL.stamp)
    by_name = Verdict(stamp=replace_digest(MODEL.stamp), is_by_name=True)
    assert judged(tune("succeeded", model=made(OURS)), own) == by_name


def replace_digest(stamp: Stamp) -> Stamp:
    """The stamp as a model's name carries it."""
    return replace(stamp, digest=replace(stamp.digest, hex=stamp.digest.short))


def test_without_labels_the_model_s_name_identifies_a_job_as_far_as_it_is_long() -> None:
    job = tune("succeeded", model=made(OURS))
    assert judged(job) == Verdict(stamp=replace_digest(MODEL.stamp), is_by_name=True)
    assert is_of(job, judged(job), MODEL.stamp, LENGTH)
    assert not is_of(job, judged(job), OTHER.stamp, LENGTH)


def test_a_shortened_name_is_read_only_with_the_stamp() -> None:
    job = tune("succeeded", model=made(suffix_of(LONG.stamp, LENGTH)))
    assert judged(job) == UNCLEAR
    assert is_of(job, judged(job), LONG.stamp, LENGTH)
    assert not is_of(job, judged(job), MODEL.stamp, LENGTH)


@pytest.mark.parametrize(("status", "verdict"), [("running", UNCLEAR), ("failed", FOREIGN), ("cancelled", FOREIGN)])
def test_without_labels_a_running_job_on_our_file_is_unclear(status: str, verdict: Verdict) -> None:
    assert judged(tune(status)) == verdict
    assert judged(tune(status, training=(replace(ours_file(), stamp=None),))) == FOREIGN


def test_a_model_with_a_foreign_name_is_not_ours() -> None:
    assert judged(tune("succeeded", model=made("by-hand"))) == FOREIGN
    assert judged(tune("succeeded", model="curie:ft-acme-2022-02-15-04-21-04"), intent(MODEL)) == FOREIGN


LABELS = st.sampled_from(
    [
        named(),
        named(OTHER.stamp),
        named(project=THEIRS),
        named(OTHER.stamp, job="ft-2"),
        intent(MODEL),
        intent(MODEL, at=200),
        intent(OTHER),
        intent(OTHER, "file-2"),
        intent(LONG, project=THEIRS),
    ]
)
JOBS = st.builds(
    tune,
    st.sampled_from(EVERY),
    model=st.sampled_from([None, made(OURS), made("by-hand"), made(suffix_of(LONG.stamp, LENGTH))]),
    settings=st.sampled_from([{}, {"n_epochs": 4}, {"n_epochs": 5}]),
)


@anything
@given(JOBS, st.lists(LABELS, max_size=6))
def test_the_rules_that_hold_for_every_job(job: Tune, labels: list[JobLabel]) -> None:
    verdict = judged(job, *labels)
    assert not (verdict.stamp and verdict.is_unclear), "no plan depends on an unclear job"
    assert verdict == judged(job, *reversed(labels)), "the order of a list decides nothing"
    assert verdict == judged(job, *labels, *labels), "neither does a repeated label"
    known = {label.stamp for label in labels if label.project == KEY}
    assert verdict.may_be <= known
    if verdict.stamp and verdict.stamp not in known:
        assert job.model
        assert verdict.stamp.digest.short in job.model, "a stamp is read, never made up"
    if job.status.is_active and verdict == FOREIGN:
        assert any(label.project == THEIRS for label in labels), "what lives on our file is dropped only for cause"


@anything
@given(JOBS, st.lists(LABELS, max_size=6))
def test_no_job_belongs_to_two_projects(job: Tune, labels: list[JobLabel]) -> None:
    labelled = [label for label in labels if label.job == job.id or label.request]
    sides = [judge(job, labelled, key, LENGTH) for key in (KEY, THEIRS)]
    if labelled and all(side.stamp for side in sides):
        assert sides[0].stamp == sides[1].stamp, "only a model's name, which carries no project, is read by both"
        assert job.model
