"""JSON of the old dialect: the forms of the API, the forms of its servers, and malformed answers."""

import json
from typing import Any

import pytest

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import FileId, JobId
from reconciler.providers.openai_legacy.wire import job_of, place_of, read_events, read_tune
from tests.providers.openai_legacy.factories import wanted

FILE = {"id": "file-T", "object": "file", "bytes": 9120, "created_at": 1, "filename": "t.jsonl", "purpose": "fine-tune"}
EVENT = {"object": "fine-tune-event", "created_at": 1660000000, "level": "info", "message": "Created fine-tune: ft-A1"}
TUNE = {
    "id": "ft-A1",
    "object": "fine-tune",
    "model": "curie",
    "created_at": 1660000000,
    "updated_at": 1660003600,
    "fine_tuned_model": "curie:ft-acme:triage-2022-08-09-00-06-40",
    "organization_id": "org-1",
    "status": "succeeded",
    "hyperparams": {"n_epochs": 4, "batch_size": None, "prompt_loss_weight": 0.01, "learning_rate_multiplier": 0.1},
    "training_files": [FILE],
    "validation_files": [],
    "result_files": [{**FILE, "id": "file-R", "filename": "compiled_results.csv", "purpose": "fine-tune-results"}],
    "events": [EVENT],
}


def body(**members: Any) -> bytes:
    return json.dumps({**TUNE, **members}).encode()


def test_a_job_in_the_form_of_the_api() -> None:
    tune = read_tune(body())
    job = job_of(tune, wanted().stamp)
    assert (job.id, job.base, job.training_file, job.validation_file) == ("ft-A1", "curie", "file-T", None)
    assert (job.status.word, job.created_at, job.finished_at) == ("succeeded", 1660000000, 1660003600)
    assert job.model == TUNE["fine_tuned_model"]
    assert tune.settings == {"n_epochs": 4, "prompt_loss_weight": 0.01, "learning_rate_multiplier": 0.1}
    held = job_of(tune, None)
    assert (held.stamp, held.details.result_files) == (None, ("file-R",))
    assert dict(held.details.hyperparameters)["n_epochs"] == "4"


@pytest.mark.parametrize("status", ["pending", "running", "created", "pondering"])
def test_a_running_job_has_no_finish_time(status: str) -> None:
    job = job_of(read_tune(body(status=status, fine_tuned_model=None)), wanted().stamp)
    assert job.status.is_active
    assert (job.finished_at, job.model) == (None, None)


@pytest.mark.parametrize("name", ["training_files", "validation_files", "result_files", "events", "hyperparams"])
def test_null_and_missing_members_are_none(name: str) -> None:
    read_tune(body(**{name: None}))
    read_tune(json.dumps({key: value for key, value in TUNE.items() if key != name}).encode())


def test_files_may_come_as_ids() -> None:
    tune = read_tune(body(training_files=["file-T"], result_files=["file-R"]))
    assert (tune.files, tune.results) == ((FileId("file-T"),), (FileId("file-R"),))


def test_the_error_of_a_failed_job_is_its_last_error_event() -> None:
    events = [{**EVENT, "level": "error", "message": "first"}, {**EVENT, "level": "error", "message": "last"}, EVENT]
    assert str(read_tune(body(status="failed", events=events)).error) == "last"
    assert read_tune(body(status="failed")).error is None
    assert read_tune(body(events=events)).error is None, "it succeeded all the same"


def test_events_are_identified_by_their_position() -> None:
    events = read_events(json.dumps({"data": [EVENT, {**EVENT, "level": None}]}).encode(), JobId("ft-A1"))
    assert [event.id for event in events] == ["ft-A1:1", "ft-A1:2"]
    assert [event.level for event in events] == ["info", "info"]
    assert [place_of(event.id, JobId("ft-A1")) for event in events] == [1, 2]


@pytest.mark.parametrize("event", [None, "", "ft-A1", "ft-A1:", "ft-A1:-1", "ft-A1:²", "ft-B:3", "3"])
def test_a_foreign_event_id_is_not_a_position(event: str | None) -> None:
    assert place_of(event, JobId("ft-A1")) == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", body(id=""), body(id=3), body(training_files=[3]), body(training_files=[""])],
)
def test_an_answer_that_is_not_a_job_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedError):
        read_tune(content)
