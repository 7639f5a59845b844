"""The dialect on a service with objects of other people, and on one with wrong lists."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.domain.errors import MalformedError, NotFoundError, TemporaryError
from reconciler.domain.observed import FileId, JobId, ModelId
from reconciler.domain.ports import Done, Refused, Unknown, own_job
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http import marks_of
from tests.factories import a_dataset, a_model
from tests.providers.fake_service import FakeService, Trouble, refusal
from tests.providers.fakes import Bottom, Clock

PROJECT = "acme"
MODEL = a_model(epochs=3)


def opened(service: FakeService | httpx.BaseTransport, **environ: str) -> HttpProvider:
    clock = Clock()
    return open_provider(
        "openai",
        project=PROJECT,
        environ={"OPENAI_API_KEY": "key-of-a-test", **environ},
        transport=service.transport if isinstance(service, FakeService) else service,
        clock=clock,
        sleep=clock.sleep,
    )


def ours(**more: Any) -> dict[str, Any]:
    return {"metadata": marks_of(PROJECT, MODEL, ()), **more}


def test_objects_without_our_stamp_are_ignored() -> None:
    service = FakeService()
    service.add_job()
    service.add_job(metadata={"team": "x"})
    service.add_job(metadata=marks_of("other", MODEL, ()))
    mine = service.add_job(**ours())
    service.add_file("notes.jsonl")
    file = service.add_file(a_dataset().stamp.filename)

    observed = opened(service).observe()
    assert [job.id for job in observed.jobs] == [mine]
    assert [each.id for each in observed.files] == [file]
    assert (observed.contradictions, observed.list_warnings) == ((), ())


def test_a_job_of_another_project_is_not_found() -> None:
    service = FakeService()
    theirs = JobId(service.add_job(metadata=marks_of("other", MODEL, ())))
    with pytest.raises(NotFoundError, match="not a job of this project"):
        own_job(opened(service), theirs)


def test_files_of_any_job_are_in_use() -> None:
    service = FakeService()
    service.add_job(status="succeeded", training_file="file-theirs")
    service.add_job(**ours(training_file="file-living", validation_file="file-checking"))
    service.add_job(**ours(status="failed", training_file="file-done"))

    assert opened(service).observe().files_in_use == {"file-theirs", "file-living", "file-checking"}


def test_garbled_marks_are_a_contradiction_and_no_job_of_ours() -> None:
    service = FakeService()
    marks = marks_of(PROJECT, MODEL, ())
    half = service.add_job(metadata={"reconciler-project": PROJECT}, training_file="file-1", status="succeeded")
    odd = service.add_job(metadata={**marks, "reconciler-digest": "v1:short"})

    observed = opened(service).observe()
    assert observed.jobs == ()
    assert observed.contradictions == (half, odd)
    assert "file-1" in observed.files_in_use


def test_a_job_whose_file_is_not_the_one_it_names_is_a_contradiction() -> None:
    service = FakeService()
    right = service.add_file(MODEL.training.stamp.filename)
    wrong = service.add_file(a_dataset(rows="others").stamp.filename)
    good = service.add_job(**ours(training_file=right, status="succeeded"))
    bad = service.add_job(**ours(training_file=wrong, status="succeeded"))
    gone = service.add_job(**ours(training_file="file-deleted", status="succeeded"))

    observed = opened(service).observe()
    assert [job.id for job in observed.jobs] == [good, gone]
    assert observed.contradictions == (bad,)
    assert wrong in observed.files_in_use


def test_a_service_that_ignores_filters_changes_nothing() -> None:
    service = FakeService(knows_filters=False)
    service.add_job(**ours())
    service.add_job(metadata=marks_of(PROJECT, a_model(epochs=5), ()))
    service.add_job(metadata=marks_of("other", MODEL, ()))

    assert [job.id for job in opened(service).jobs_of(MODEL.stamp)] == ["ftjob-0001"]


def test_the_filter_goes_out_as_the_api_has_it() -> None:
    service = FakeService()
    opened(service).jobs_of(MODEL.stamp)
    query = service.requests[0].url.query.decode()
    assert f"metadata%5Breconciler-digest%5D=v1%3A{MODEL.stamp.digest.hex}" in query


def test_jobs_of_many_pages_are_all_read_oldest_first() -> None:
    service = FakeService(page=2)
    ids = [service.add_job(**ours()) for _ in range(7)]
    assert [job.id for job in opened(service).observe().jobs] == ids


def test_the_service_is_host_and_organisation() -> None:
    service = FakeService()
    assert opened(service).observe().service == "api.openai.com/org-fake"
    assert opened(service).observe().organization == "org-fake"
    elsewhere = opened(service, OPENAI_BASE_URL="http://127.0.0.1:8000/v1")
    assert elsewhere.observe().service == "127.0.0.1:8000/org-fake"


def test_the_local_service_is_the_same_wherever_it_listens() -> None:
    service = FakeService()
    inside = open_provider("local", project=PROJECT, environ={}, transport=service.transport)
    environ = {"RECONCILER_LOCAL_URL": "http://127.0.0.1:9000", "RECONCILER_LOCAL_KEY": "a-local-key"}
    served = open_provider("local", project=PROJECT, environ=environ, transport=service.transport)
    assert inside.observe().service == served.observe().service == "local/org-fake"


def test_retiring_models_are_listed_with_their_date() -> None:
    service = FakeService()
    service.models = {
        "old": {"id": "old", "shutdown_date": "2027-01-14"},
        "new": {"id": "new", "shutdown_date": None},
        "plain": {"id": "plain"},
    }
    observed = opened(service).observe()
    assert observed.models == {"old", "new", "plain"}
    assert observed.retiring == ((ModelId("old"), "2027-01-14"),)


class Lying(httpx.MockTransport):
    """A service whose list of jobs comes from another function."""

    def __init__(self, service: FakeService, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            is_list = request.method == "GET" and request.url.path.endswith("/fine_tuning/jobs")
            return answer(request) if is_list else service.handle(request)

        super().__init__(handle)


def always_the_same(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": [{"id": "ftjob-1"}, {"id": "ftjob-2"}], "has_more": True})


def half_readable(request: httpx.Request) -> httpx.Response:
    job = {"id": "ftjob-1", "created_at": "yesterday", **ours()}
    return httpx.Response(200, json={"data": [job], "has_more": False})


@pytest.mark.parametrize("answer", [always_the_same, half_readable])
def test_a_list_that_may_be_incomplete_is_doubtful_and_prevents_a_create(
    answer: Callable[[httpx.Request], httpx.Response],
) -> None:
    provider = opened(Lying(FakeService(), answer))
    doubts = provider.observe().list_warnings
    assert len(doubts) == 1
    assert "jobs" in doubts[0]
    with pytest.raises(MalformedError, match="jobs"):
        provider.jobs_of(MODEL.stamp)


def test_an_answer_that_is_not_a_list_is_an_error() -> None:
    provider = opened(Lying(FakeService(), lambda _: httpx.Response(200, text="<html>welcome</html>")))
    with pytest.raises(MalformedError):
        provider.observe()


def test_reads_are_repeated_and_creates_are_not() -> None:
    service = FakeService()
    file = FileId(service.add_file(MODEL.training.stamp.filename))
    asked: list[str] = []

    def fail(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(503)

    provider = opened(httpx.MockTransport(fail))
    with pytest.raises(TemporaryError):
        provider.job(JobId("ftjob-1"))
    assert asked == ["GET"] * 5

    asked.clear()
    assert isinstance(provider.create_job(MODEL, file, None, ()), Unknown)
    assert isinstance(provider.cancel(JobId("ftjob-1")), Unknown)
    assert asked == ["POST", "POST"]


def test_a_delete_with_a_lost_reply_is_done_when_the_file_is_missing() -> None:
    service = FakeService()
    file = FileId(service.add_file("x.jsonl"))
    service.troubles.append(Trouble(has_effect=True))
    assert opened(service).delete(file, is_model=False) == Done(None)


def test_a_delete_that_the_service_does_not_know_is_refused_when_the_file_is_still_there() -> None:
    service = FakeService()
    file = FileId(service.add_file("x.jsonl"))
    service.troubles.append(Trouble(has_effect=False, answer=lambda _: refusal(404, "Invalid URL (DELETE /v1/files)")))
    outcome = opened(service).delete(file, is_model=False)
    assert isinstance(outcome, Refused)
    assert f"there is no {file} to delete, and shows it all the same" in str(outcome.error)


def test_a_delete_is_unknown_when_nothing_says_whether_the_file_is_there() -> None:
    bottom = Bottom(refusal(404, "no such path"), refusal(403, "not for you"))
    environ = {"OPENAI_API_KEY": "key-of-a-test"}
    with open_provider("openai", project="acme", environ=environ, transport=bottom) as provider:
        outcome = provider.delete(FileId("file-1"), is_model=False)
    assert isinstance(outcome, Unknown)
    assert [request.method for request in bottom.asked] == ["DELETE", "GET"]


def test_the_outcome_of_deleting_a_file_in_processing_is_unknown() -> None:
    service = FakeService()
    file = FileId(service.add_file("x.jsonl"))
    service.troubles.append(Trouble(has_effect=False, answer=lambda _: refusal(409, "File is still processing.")))
    assert isinstance(opened(service).delete(file, is_model=False), Unknown)


def test_the_refusal_of_training_names_the_alternatives() -> None:
    service = FakeService()
    file = FileId(service.add_file(MODEL.training.stamp.filename))
    no = refusal(403, "The platform is winding down.", code="training_not_available")
    service.troubles.append(Trouble(has_effect=False, answer=lambda _: no))

    outcome = opened(service).create_job(MODEL, file, None, ())
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "training_not_available"
    assert "found again" in outcome.error.hint


def test_a_service_that_keeps_no_metadata_gives_no_job_of_ours() -> None:
    service = FakeService()
    file = FileId(service.add_file(MODEL.training.stamp.filename))
    forgotten = httpx.Response(200, json={"id": "ftjob-9", "status": "queued", "training_file": file})
    service.troubles.append(Trouble(has_effect=False, answer=lambda _: forgotten))

    outcome = opened(service).create_job(MODEL, file, None, ())
    assert isinstance(outcome, Done)
    assert (outcome.value.id, outcome.value.stamp) == ("ftjob-9", None)
    assert outcome.doubts == ("without the metadata that was sent",)


@pytest.mark.parametrize("odd", ["", ".", "..", "..."])
def test_an_id_that_would_change_the_path_is_never_sent(odd: str) -> None:
    service = FakeService()
    with pytest.raises(MalformedError):
        opened(service).job(JobId(odd))
    assert service.requests == []


def test_ids_stay_within_their_part_of_the_path() -> None:
    service = FakeService()
    provider = opened(service)
    for odd in ("a/../b", "a?b=c", "a#b", "a b", "ü"):
        with pytest.raises(NotFoundError):
            provider.file(FileId(odd))
    with pytest.raises(NotFoundError):
        provider.model(ModelId("ft:base:acme::1"))
    paths = [request.url.raw_path for request in service.requests]
    assert paths[0] == b"/v1/files/a%2F..%2Fb"
    assert paths[1] == b"/v1/files/a%3Fb%3Dc"
    assert paths[-1] == b"/v1/models/ft:base:acme::1"


def test_an_upload_is_one_streamed_form() -> None:
    service = FakeService()
    dataset = a_dataset()
    content = b"x" * dataset.measure.size_bytes
    blocks = (content[start : start + 7000] for start in range(0, len(content), 7000))

    assert isinstance(opened(service).upload(dataset, blocks), Done)
    (request,) = service.requests
    assert int(request.headers["content-length"]) == len(request.content)
    assert b'name="purpose"\r\n\r\nfine-tune\r\n' in request.content
    assert service.files["file-0001"]["filename"] == dataset.stamp.filename


def test_a_create_names_the_program_and_the_model() -> None:
    service = FakeService()
    file = FileId(service.add_file(MODEL.training.stamp.filename))
    opened(service).create_job(MODEL, file, None, ())
    (request,) = service.requests
    body = json.loads(request.content)
    assert body["suffix"] == "triage"
    assert body["metadata"]["reconciler-project"] == PROJECT
    assert request.headers["connection"] == "close"
    assert request.headers["user-agent"] == "finetune-reconciler"
