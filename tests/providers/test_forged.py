"""Forged objects: never adopted, never counted, and reported where they claim to be ours."""

from typing import Any

import httpx
import pytest

from reconciler.domain.errors import DeniedError, MalformedError, NotFoundError
from reconciler.domain.observed import JobId
from reconciler.domain.plan import Options, Train, Upload
from reconciler.domain.ports import own_job
from reconciler.domain.spec import OnChange
from reconciler.planner import GUARDS, make_plan
from reconciler.providers.http import marks_of
from reconciler.providers.http.marks import ADDRESS, DIGEST, FACTS, PROJECT, SEAL, SUPERSEDES
from tests.factories import a_dataset, a_model, desired
from tests.providers.fake_service import FakeService, refusal
from tests.providers.test_provider import MODEL, Lying, opened, ours

OTHER = marks_of("other", a_model("other", epochs=5, training=a_dataset(rows="others")), [JobId("ftjob-9")])
MARKS = marks_of("acme", MODEL, [JobId("ftjob-8")])


def unsealed(marks: dict[str, str]) -> dict[str, str]:
    return {mark: value for mark, value in marks.items() if mark != SEAL}


def service_with(metadata: dict[str, Any], training: str = MODEL.training.stamp.filename) -> tuple[FakeService, JobId]:
    """A service that holds one succeeded job with these marks, on a file of this name."""
    service = FakeService(knows_filters=False)
    file = service.add_file(training)
    return service, JobId(service.add_job(metadata=metadata, status="succeeded", training_file=file))


def test_a_job_with_all_its_marks_is_ours() -> None:
    """The following tests change one mark of this job."""
    for marks in (MARKS, unsealed(MARKS)):
        service, job = service_with(marks)
        assert [each.id for each in opened(service).observe().jobs] == [job]
        assert [each.id for each in opened(service).jobs_of(MODEL.stamp)] == [job]
        assert opened(service).job(job).id == job


@pytest.mark.parametrize("mark", [PROJECT, ADDRESS, DIGEST, FACTS, SUPERSEDES, SEAL])
def test_a_job_with_one_foreign_mark_belongs_to_no_model(mark: str) -> None:
    service, job = service_with({**MARKS, mark: OTHER[mark]})
    provider = opened(service)
    observed = provider.observe()
    assert observed.jobs == ()
    assert observed.contradictions == (() if mark == PROJECT else (job,))
    assert provider.jobs_of(MODEL.stamp) == ()
    with pytest.raises(NotFoundError):
        own_job(provider, job)


@pytest.mark.parametrize("mark", [PROJECT, ADDRESS, DIGEST, FACTS, SUPERSEDES, SEAL])
@pytest.mark.parametrize("status", ["running", "succeeded", "failed"])
def test_no_plan_changes_a_forged_job_or_its_files_whatever_is_allowed(mark: str, status: str) -> None:
    """It is not a wanted job, an older version, a duplicate or an orphan; its file stays too."""
    service, job = service_with({**MARKS, mark: OTHER[mark]})
    service.jobs[job]["status"] = status
    observed = opened(service).observe()
    asked = Options(prune=True, retry=frozenset({MODEL.name}), allow=frozenset(GUARDS))
    for wanted in (MODEL, a_model(epochs=9, on_change=OnChange.SUPERSEDE), a_model("other", epochs=5)):
        plan = make_plan(desired(wanted), observed, options=asked)
        assert {type(step.action) for step in plan.steps} <= {Upload, Train}
        assert [(train.excluded_jobs, train.supersedes) for train in plan.trains] == [((), ())]
        assert plan.kept == ()
    unasked = make_plan(desired(MODEL), observed)
    assert [refusal.guard for refusal in unasked.refused] == ([] if mark == PROJECT else ["contradictions"])


def test_another_projects_marks_under_our_name_are_a_contradiction() -> None:
    service, job = service_with({**OTHER, PROJECT: "acme"})
    assert opened(service).observe().contradictions == (job,)


@pytest.mark.parametrize("filename", [a_dataset(rows="others").stamp.filename, "notes.jsonl"])
@pytest.mark.parametrize("marks", [MARKS, unsealed(MARKS)], ids=["sealed", "unsealed"])
def test_a_job_with_another_file_than_its_marks_name_belongs_to_no_model(filename: str, marks: dict[str, str]) -> None:
    """The same holds when only this job is read, without the list of files."""
    service, job = service_with(marks, training=filename)
    observed = opened(service).observe()
    assert (observed.jobs, observed.contradictions) == ((), (job,))
    assert opened(service).jobs_of(MODEL.stamp) == ()
    with pytest.raises(NotFoundError):
        own_job(opened(service), job)


def test_a_file_that_is_missing_or_forbidden_does_not_invalidate_its_job() -> None:
    service = FakeService()
    service.add_job(**ours(training_file="file-gone"))
    assert len(opened(service).jobs_of(MODEL.stamp)) == 1

    def denying(request: httpx.Request) -> httpx.Response:
        return refusal(403, "not yours") if "/files/" in request.url.path else service.handle(request)

    assert len(opened(httpx.MockTransport(denying)).jobs_of(MODEL.stamp)) == 1


def test_the_name_of_a_file_is_requested_once() -> None:
    service, job = service_with(MARKS)
    provider = opened(service)
    for _ in range(3):
        provider.job(job)
        provider.jobs_of(MODEL.stamp)
    assert [request.url.path for request in service.requests].count("/v1/files/file-0001") == 1


def test_a_job_that_may_not_be_read_is_not_missing() -> None:
    def denying(request: httpx.Request) -> httpx.Response:
        return refusal(403, "you have no rights here")

    with pytest.raises(DeniedError):
        opened(httpx.MockTransport(denying)).job(JobId("ftjob-1"))


@pytest.mark.parametrize(
    "more",
    [{"purpose": "assistants"}, {"bytes": 7}, {"status": "error"}],
    ids=["purpose", "size", "broken"],
)
def test_a_file_of_our_name_with_another_size_or_purpose_is_not_used(more: dict[str, Any]) -> None:
    service, dataset = FakeService(), a_dataset()
    service.add_file(dataset.stamp.filename, **{"bytes": dataset.measure.size_bytes, **more})
    assert opened(service).find_file(dataset) is None
    if "purpose" in more:
        assert opened(service).observe().files == ()


def rows(*ids: str | None, made: int = 1) -> list[dict[str, Any]]:
    return [{"created_at": 1_790_000_000 + made, **({"id": each} if each else {})} for each in ids]


def answer_with(*pages: dict[str, Any]) -> Lying:
    asked: list[None] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(None)
        return httpx.Response(200, json=pages[(len(asked) - 1) % len(pages)])

    return Lying(FakeService(), answer)


FULL = [{"id": f"ftjob-{number}"} for number in range(100)]


@pytest.mark.parametrize(
    "pages",
    [
        [{"data": rows("a", "b"), "has_more": True}],
        [{"data": FULL, "has_more": False}],
        [{"data": FULL}],
        [{"data": rows("a"), "has_more": True}, {"data": [], "has_more": True}],
        [{"data": rows("a", "a"), "has_more": False}],
        [{"data": rows("a", None), "has_more": False}],
        [{"data": rows("a", "b"), "has_more": True}, {"data": rows("c", "a"), "has_more": True}],
        [
            {"data": [*rows("a", made=900), *rows("b", made=500)], "has_more": True},
            {"data": rows("c", made=700), "has_more": False},
        ],
    ],
    ids=["cursor", "full", "full-unsaid", "promised", "twice", "nameless", "backwards", "order"],
)
def test_a_list_that_may_be_incomplete_is_doubtful_and_prevents_a_create(pages: list[dict[str, Any]]) -> None:
    (doubt,) = opened(answer_with(*pages)).observe().list_warnings
    assert doubt.startswith("the list of jobs ")
    with pytest.raises(MalformedError, match="the list of jobs"):
        opened(answer_with(*pages)).jobs_of(MODEL.stamp)


def test_a_model_without_an_id_gives_a_warning() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/models"):
            return httpx.Response(200, json={"data": [{"object": "model"}]})
        return FakeService().handle(request)

    assert opened(httpx.MockTransport(handle)).observe().list_warnings == (
        "the list of models holds an entry without an id",
    )


def test_endless_lists_of_events_and_checkpoints_end_with_a_warning() -> None:
    of_both = {"message": "a line", "fine_tuned_model_checkpoint": "ft:base:acme::1", "step_number": 1}
    page = {"data": [{**row, **of_both} for row in rows(*map(str, range(100)))], "has_more": True}
    provider = opened(httpx.MockTransport(lambda _: httpx.Response(200, json=page)))
    for held in (provider.events(JobId("ftjob-1")), provider.checkpoints(JobId("ftjob-1"))):
        assert any("goes round in circles" in warning for warning in held.list_warnings)
    assert provider.events(JobId("ftjob-1"), most=10).list_warnings == ()
