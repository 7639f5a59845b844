"""The dialect on a service with jobs of other people, with lost replies, and on an unexpected service."""

from collections.abc import Callable

import httpx
import pytest
from msgspec.structs import replace

from reconciler.domain.errors import (
    DeniedError,
    MalformedError,
    NotFoundError,
    ProviderError,
    RejectedError,
    UsageError,
)
from reconciler.domain.observed import FileId, JobId, ModelId, RemoteJob
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done, Message, Refused, own_job
from reconciler.executor import MemoryJournal, OutcomeUnknownError, RunContext, create
from reconciler.providers import PROFILES, HttpProvider, open_provider
from reconciler.providers.http import Client, Credentials, Endpoint, Transports
from reconciler.providers.openai_legacy.dialect import DIALECT
from reconciler.providers.openai_legacy.labels import JobLabel, read_label
from tests.providers.fake_service import FakeService, Trouble, refusal
from tests.providers.fakes import Clock
from tests.providers.openai_legacy.factories import KEY, URL, intent, labels_in, opened, sent, wanted
from tests.providers.openai_legacy.fake import OldService

MODEL = wanted(epochs=3)
KEY_SET = {"OPENAI_API_KEY": "key-of-a-test"}


def started(service: OldService, *, project: str = "acme", epochs: int = 3, name: str = "triage") -> RemoteJob:
    model = wanted(name, epochs=epochs)
    outcome = opened(service, project).create_job(model, sent(service, model, project), None, ())
    assert isinstance(outcome, Done)
    return outcome.value


def drop_labels(service: OldService) -> None:
    """Delete all labels, as another user may do."""
    for file in [each for each in service.files.values() if each["filename"].startswith("reconciler.")]:
        del service.files[file["id"]]


@pytest.mark.parametrize("end", [None, "cancelled", "failed", "succeeded"])
def test_another_process_identifies_a_job_in_every_state(end: str | None) -> None:
    service = OldService()
    job = started(service)
    if end == "succeeded":
        service.finish(job.id)
    elif end:
        service.jobs[job.id]["status"] = end

    later = opened(service)
    assert [job.stamp for job in later.observe().jobs] == [MODEL.stamp]
    assert later.observe().contradictions == ()
    assert later.job(job.id).stamp == MODEL.stamp
    assert [job.id for job in later.jobs_of(MODEL.stamp)] == [job.id]


def test_one_label_remains_for_each_job() -> None:
    service = OldService()
    ids = [started(service, epochs=epochs).id for epochs in (1, 2, 3)]
    labels = [read_label(name, 0) for name in labels_in(service)]
    assert [label.job for label in labels if label] == ids


def test_the_label_of_a_refused_create_is_deleted() -> None:
    service = OldService()
    started(service)
    refused = opened(service).create_job(wanted("other"), FileId("file-none"), None, ())
    assert isinstance(refused, Refused)
    assert len(labels_in(service)) == 1


def test_another_project_s_jobs_are_not_ours() -> None:
    service = OldService()
    theirs = started(service, project="other")
    observed = opened(service).observe()
    assert (observed.jobs, observed.contradictions) == ((), ())
    assert theirs.training_file in observed.files_in_use
    with pytest.raises(NotFoundError, match="not a job of this project"):
        own_job(opened(service), theirs.id)
    assert isinstance(opened(service).cancel(theirs.id), Refused)
    assert service.jobs[theirs.id]["status"] == "pending"


def test_running_jobs_of_a_sweep_over_one_file_are_distinguished() -> None:
    service = OldService()
    jobs = [started(service, epochs=epochs, name=f"sweep-{epochs}") for epochs in (1, 2, 3)]
    assert [str(job.address) for job in opened(service).observe().jobs] == [f"model/sweep-{n}" for n in (1, 2, 3)]
    assert [opened(service).jobs_of(job.own_stamp) for job in jobs] == [(job,) for job in jobs]


def test_without_labels_a_finished_job_is_identified_by_its_model() -> None:
    service = OldService()
    model = service.finish(started(service).id)
    drop_labels(service)
    observed = opened(service).observe()
    assert [(job.model, job.is_of(MODEL.stamp)) for job in observed.jobs] == [(model, True)]
    assert [job.stamp for job in opened(service).jobs_of(MODEL.stamp)] == [MODEL.stamp]


def test_without_labels_a_running_job_on_our_file_stops_the_plan() -> None:
    service = OldService()
    job = started(service)
    drop_labels(service)
    observed = opened(service).observe()
    assert (observed.jobs, observed.contradictions) == ((), (job.id,))
    assert job.training_file in observed.files_in_use


def test_a_job_made_by_hand_on_a_foreign_file_is_ignored() -> None:
    service = OldService()
    job = service.add_tune(training=service.add_file("t.jsonl"))
    service.add_tune(status="failed", training=sent(service, MODEL))
    observed = opened(service).observe()
    assert (observed.jobs, observed.contradictions) == ((), ())
    with pytest.raises(NotFoundError):
        own_job(opened(service), JobId(job))


def test_a_job_that_may_belong_to_two_models_blocks_a_create_of_both() -> None:
    service = OldService()
    file = sent(service, MODEL)
    other = wanted("letters", epochs=3)
    for model in (MODEL, other):
        service.add_file(intent(model, file).filename, b"{}")
    job = service.add_tune(training=file, hyperparams={"n_epochs": 3})
    assert opened(service).observe().contradictions == (job,)
    for model in (MODEL, other):
        with pytest.raises(MalformedError, match=job):
            opened(service).jobs_of(model.stamp)


def test_the_error_of_the_last_failed_job_is_read_once() -> None:
    service = OldService()
    first, second = started(service), started(service)
    for job in (first, second):
        service.fail(job.id, f"{job.id} is broken")
    service.requests.clear()
    observed = opened(service).observe()
    assert [str(job.error) for job in observed.jobs] == ["None", f"{second.id} is broken"]
    assert [request.url.path for request in service.requests if "/fine-tunes/" in request.url.path] == [
        f"/v1/fine-tunes/{second.id}"
    ]


def test_events_continue_where_another_process_stopped() -> None:
    service = OldService()
    job = started(service)
    first = opened(service).events(job.id, None).items
    service.log(job.id, "Fine-tune started")
    service.log(job.id, "Fine-tune started")
    later = opened(service).events(job.id, first[-1].id).items
    assert [event.id for event in later] == [f"{job.id}:2", f"{job.id}:3"]
    assert opened(service).events(job.id, most=1).items == later[-1:]
    assert opened(service).events(job.id, "something else").items == first + later


def test_with_only_an_intent_the_label_with_the_job_s_id_is_searched() -> None:
    service = OldService()
    service.add_file(intent(wanted("letters", epochs=3), sent(service, MODEL)).filename, b"{}")
    provider = opened(service)
    provider.observe()
    assert provider.job(started(service).id).stamp == MODEL.stamp


def test_watching_a_job_asks_for_the_list_of_files_once() -> None:
    service = OldService()
    job = started(service)
    provider = opened(service)
    service.requests.clear()
    for _ in range(5):
        provider.job(job.id)
    assert sum(request.url.path == "/v1/files" for request in service.requests) == 1


def test_the_lists_of_a_service_mark_what_is_ours() -> None:
    service = OldService()
    ours = started(service)
    theirs = JobId(service.add_tune())
    held = {job.id: job.stamp for job in opened(service).list_jobs().items}
    assert held == {ours.id: MODEL.stamp, theirs: None}
    assert opened(service).job(ours.id).stamp == MODEL.stamp
    assert opened(service).job(theirs).stamp is None
    assert len(opened(service).list_files().items) == len(service.files)


def test_a_conversation_is_refused_and_a_single_question_is_a_prompt() -> None:
    service = OldService()
    model = ModelId(service.finish(started(service).id))
    assert "".join(opened(service).answer(model, (Message(role="user", content="my card"),))) == "my card"
    for messages in ((Message(role="system", content="be kind"), Message(role="user", content="hello")), ()):
        with pytest.raises(RejectedError, match="no conversation"):
            opened(service).answer(model, messages)


def test_a_server_of_today_is_reported() -> None:
    clock = Clock()
    provider = open_provider(
        "openai-legacy",
        project="acme",
        environ={**KEY_SET, "OPENAI_API_BASE": URL},
        transport=FakeService().transport,
        clock=clock,
        sleep=clock.sleep,
    )
    with pytest.raises(NotFoundError) as caught:
        provider.observe()
    assert "profile openai" in caught.value.hint


# ---- where it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environ",
    [
        {"OPENAI_API_BASE": URL},
        {"OPENAI_BASE_URL": URL},
        {"OPENAI_API_BASE": URL, "OPENAI_BASE_URL": f"{URL}/"},
        {"OPENAI_API_BASE": " ", "OPENAI_BASE_URL": URL},
    ],
)
def test_both_variables_for_the_address_are_read(environ: dict[str, str]) -> None:
    requests: list[httpx.Request] = []
    service = OldService()

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return service.handle(request)

    environ = {**KEY_SET, **environ, "OPENAI_ORG_ID": "org-x"}
    transport = httpx.MockTransport(answer)
    open_provider("openai-legacy", project="acme", environ=environ, transport=transport).observe()
    assert {str(request.url.copy_with(path="/", query=None)) for request in requests} == {"http://127.0.0.1:8000/"}
    assert {request.headers["openai-organization"] for request in requests} == {"org-x"}


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "OPENAI_API_BASE or OPENAI_BASE_URL must say where"),
        ({"OPENAI_API_BASE": URL, "OPENAI_BASE_URL": "https://api.example.test/v1"}, "name different servers"),
        ({"OPENAI_API_BASE": "http://api.example.test/v1"}, "OPENAI_API_BASE must be https"),
        ({"OPENAI_BASE_URL": "http://api.example.test/v1"}, "OPENAI_BASE_URL must be https"),
    ],
)
def test_an_unusable_address_is_a_usage_error(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_provider("openai-legacy", project="acme", environ={**KEY_SET, **environ})


def test_a_key_is_needed() -> None:
    with pytest.raises(DeniedError, match="OPENAI_API_KEY"):
        open_provider("openai-legacy", project="acme", environ={"OPENAI_API_BASE": URL})


# ---- lost replies -------------------------------------------------------------------------------------------------


def lost(request: httpx.Request) -> httpx.Response:
    return httpx.Response(502, text="<html>bad gateway</html>")


def run(provider: HttpProvider, file: FileId) -> str:
    """Run the apply protocol once; return how it ended."""
    clock = Clock()
    bench = RunContext(provider=provider, open_dataset=lambda _: iter(()), clock=clock, sleep=clock.sleep)
    bench.learn(MODEL.training, file)
    bench.journal = MemoryJournal()
    try:
        return "adopted" if create(Train(model=MODEL), bench).adopted else "done"
    except OutcomeUnknownError:
        return "unknown"
    except ProviderError as error:
        return type(error).__name__


@pytest.mark.parametrize("answer", [None, lost], ids=["reset", "bad gateway"])
@pytest.mark.parametrize("effect", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("write", range(4), ids=["intent", "create", "label", "tidying"])
def test_whichever_reply_is_lost_there_is_one_job_in_the_end(
    write: int, effect: bool, answer: Callable[[httpx.Request], httpx.Response] | None
) -> None:
    """Two independent processes run in turn, and then a third has nothing to do."""
    service = OldService()
    file = sent(service, MODEL)
    spare = SpareFirstWrites(write)
    service.spares = spare
    service.troubles = [Trouble(has_effect=effect, answer=answer)]

    first = run(opened(service), file)
    assert not service.troubles, "the reply was lost"
    assert len(service.jobs) <= 1
    expected = {0: "done" if effect else "TemporaryError", 1: "adopted" if effect else "unknown"}
    assert first == expected.get(write, "done")
    again = "adopted" if service.jobs else "done"
    assert run(opened(service), file) == again
    assert run(opened(service), file) == "adopted"
    assert len(service.jobs) == 1
    observed = opened(service).observe()
    assert ([job.stamp for job in observed.jobs], observed.contradictions) == ([MODEL.stamp], ())


class SpareFirstWrites:
    """Exempts the first writes from trouble; the next write gets it."""

    def __init__(self, first: int) -> None:
        self.left = first

    def __call__(self, request: httpx.Request) -> bool:
        self.left -= 1
        return self.left >= 0


def test_a_create_is_never_sent_without_its_intent() -> None:
    service = OldService()
    file = sent(service, MODEL)
    service.troubles = [Trouble(has_effect=False, answer=lambda _: refusal(400, "no more files"))]
    outcome = opened(service).create_job(MODEL, file, None, ())
    assert isinstance(outcome, Refused)
    assert "no more files" in str(outcome.error)
    assert service.jobs == {}


def test_an_answer_about_another_job_is_not_taken_for_ours() -> None:
    service = OldService()
    file = sent(service, MODEL)
    other = service.add_tune(training=file, model="davinci")
    service.spares = SpareFirstWrites(1)
    service.troubles = [Trouble(has_effect=False, answer=lambda _: httpx.Response(200, json=service.jobs[other]))]
    outcome = opened(service).create_job(MODEL, file, None, ())
    assert isinstance(outcome, Done)
    assert (outcome.value.id, outcome.value.stamp) == (other, None)
    assert outcome.doubts == ("the base davinci instead of curie", "n_epochs 4 instead of 3")
    assert not [name for name in service.files.values() if f".job.{other}." in name["filename"]], "it gets no label"


@pytest.mark.parametrize("length", [0, 12, 18, 40])
def test_the_length_of_a_suffix_is_a_capability(length: int) -> None:
    """Later servers take 18 characters and some may take none; labels identify the job in both cases."""
    service = OldService()
    model = wanted("support-triage", epochs=3)
    file = sent(service, model)
    profile = PROFILES["openai-legacy"]
    profile = replace(profile, capabilities=replace(profile.capabilities, suffix_length=length))
    transport = service.transport
    transports = Transports(reads=transport, writes=transport, creates=transport, uploads=transport, answers=transport)
    client = Client(Endpoint(url=httpx.URL(URL), credentials=Credentials()), transports, "OPENAI_API_KEY")
    provider = HttpProvider(client, DIALECT, profile, project="acme", sleep=lambda _: None)
    outcome = provider.create_job(model, file, None, ())
    assert isinstance(outcome, Done)
    assert len(service.asked[outcome.value.id]["suffix"] or "") <= length
    service.finish(outcome.value.id)
    assert [job.stamp for job in provider.jobs_of(model.stamp)] == [model.stamp]
    drop_labels(service)
    assert len(provider.jobs_of(model.stamp)) == (length >= 12)


def test_a_label_holds_no_secret_and_describes_itself() -> None:
    label = JobLabel(project=KEY, stamp=MODEL.stamp, job=JobId("ft-1"))
    content = label.content("acme").decode()
    assert content.count("\n") == 1
    assert all(word in content for word in ("acme", "model/triage", "job ft-1", "not for training"))
