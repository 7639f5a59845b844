"""The same promises, held by the built-in service itself: its real application, driven in this program.

Its jobs run in a separate worker, so these tests check the promises from outside.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.errors import NotFoundError, RejectedError
from reconciler.domain.observed import FileId, JobId, ModelId, RemoteJob
from reconciler.domain.ports import Done, Message, Refused
from reconciler.providers import HttpProvider, open_provider
from reconciler.service import ServiceSettings, open_service
from reconciler.testing import dataset_of
from tests.contract.services import PROJECT
from tests.factories import a_model
from tests.service.service_fixtures import ECHO, dismiss, plain_rows, wait_until


@pytest.fixture
def local(tmp_path: Path) -> Iterator[HttpProvider]:
    store = tmp_path / "store"
    app = open_service(store, ServiceSettings(engines=ECHO))
    with open_provider("local", project=PROJECT, environ={}, app=app) as provider:
        yield provider
    dismiss(store)


def wanted(first: str = "hello", *, epochs: int | None = None) -> tuple[Model, bytes]:
    """A model of the engine for tests, and its rows; the first row tells the engine what to do."""
    content = plain_rows(first)
    model = a_model(base="test-echo", training=dataset_of(content), epochs=epochs)
    return model, content


def trained(local: HttpProvider, first: str = "hello") -> tuple[Model, RemoteJob]:
    model, content = wanted(first, epochs=3)
    uploaded = local.upload(model.training, iter([content[:100], content[100:]]))
    assert isinstance(uploaded, Done)
    created = local.create_job(model, uploaded.value.id, None, (JobId("ftjob-before"),))
    assert isinstance(created, Done)
    return model, created.value


def ended(local: HttpProvider, job: RemoteJob) -> RemoteJob:
    wait_until(lambda: local.job(job.id).status.is_terminal)
    return local.job(job.id)


def test_a_model_from_its_rows_to_its_answers(local: HttpProvider) -> None:
    model, job = trained(local)
    assert job.stamp == model.stamp
    assert job.facts == model.displayed_facts
    assert job.supersedes == ("ftjob-before",)

    done = ended(local, job)
    assert done.status.word == "succeeded", done.error
    assert done.model is not None
    assert ":triage:" in done.model, "the suffix is the model's name"
    assert local.model(done.model).id == done.model
    assert local.jobs_of(model.stamp) == (done,)

    seen = local.observe()
    assert (seen.jobs, seen.models >= {done.model}, seen.list_warnings, seen.contradictions) == ((done,), True, (), ())
    assert [file.filename for file in seen.files] == [model.training.stamp.filename]
    assert seen.service.startswith("local/")

    messages = (Message(role="user", content="question 4"),)
    assert "".join(local.answer(done.model, messages)) == "answer 1"
    assert "".join(local.complete(done.model, "something else")) == "something else"

    events = local.events(job.id, None).items
    assert events[0].message == f"Created fine-tuning job: {job.id}"
    assert local.events(job.id, events[2].id).items == events[3:]
    assert any(dict(event.metrics).get("step") == 3 for event in events)
    steps = [saved.step for saved in local.checkpoints(job.id).items]
    assert steps == sorted(steps) != []

    for _ in range(2):
        assert local.delete(done.model, is_model=True) == Done(None)
    assert done.model not in local.observe().models


def test_a_file_is_found_by_what_it_holds(local: HttpProvider) -> None:
    model, content = wanted()
    outcome = local.upload(model.training, iter([content]))
    assert isinstance(outcome, Done)
    assert local.find_file(model.training) == outcome.value == local.file(outcome.value.id)
    assert local.find_file(replace(model.training, measure=replace(model.training.measure, size_bytes=1))) is None
    assert local.delete(outcome.value.id, is_model=False) == Done(None)
    assert local.find_file(model.training) is None


def test_a_broken_source_leaves_nothing_behind(local: HttpProvider) -> None:
    model, content = wanted()

    def breaking() -> Iterator[bytes]:
        yield content[:100]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        local.upload(model.training, breaking())
    assert local.observe().files == ()
    assert local.find_file(model.training) is None


def test_a_living_job_is_cancelled_and_an_ended_one_is_not(local: HttpProvider, tmp_path: Path) -> None:
    _, job = trained(local, f"wait for {tmp_path / 'never'}")
    assert local.observe().files_in_use == {job.training_file}

    assert isinstance(local.cancel(job.id), Done)
    assert ended(local, job).status.word == "cancelled"
    assert isinstance(local.cancel(job.id), Refused)
    assert local.observe().files_in_use == frozenset()


def test_unsupported_requests_are_refused(local: HttpProvider) -> None:
    model, _ = wanted()
    foreign = local.create_job(
        replace(model, recipe=replace(model.recipe, base="gpt-4o")), FileId("file-none"), None, ()
    )
    assert isinstance(foreign, Refused)
    assert (foreign.error.status, foreign.error.code) == (400, "model_not_available")
    assert "choose a base" in foreign.error.hint

    missing = local.create_job(model, FileId("file-none"), None, ())
    assert isinstance(missing, Refused)
    assert isinstance(missing.error, RejectedError)
    assert missing.error.param == "training_file"
    assert local.jobs_of(model.stamp) == ()


def test_unknown_objects_are_not_found(local: HttpProvider) -> None:
    with pytest.raises(NotFoundError):
        local.job(JobId("ftjob-none"))
    with pytest.raises(NotFoundError):
        local.file(FileId("file-none"))
    with pytest.raises(NotFoundError):
        local.model(ModelId("ft:none:acme::1"))
    with pytest.raises(NotFoundError):
        list(local.answer(ModelId("ft:none:acme::1"), (Message(role="user", content="hello"),)))


def test_uploads_may_run_side_by_side(local: HttpProvider) -> None:
    contents = [plain_rows(f"word {number}") for number in range(8)]

    def upload(content: bytes) -> object:
        return local.upload(dataset_of(content, f"rows{len(content)}"), iter([content]))

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(upload, contents))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert len(local.observe().files) == len(contents)
