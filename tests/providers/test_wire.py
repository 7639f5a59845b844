"""JSON to values: in all known shapes, and in shapes that no service should send."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import JobError, RemoteJob
from reconciler.providers.http import marks_of, paging
from reconciler.providers.http import wire as shared_wire
from reconciler.providers.http.marks import is_garbled
from reconciler.providers.openai import dialect
from tests.factories import a_dataset, a_model
from tests.providers.fakes import anything

PROJECT = "acme"
MODEL = a_model(epochs=3)
READERS: tuple[Callable[[bytes], object], ...] = (
    paging.read_page,
    shared_wire.read_file,
    lambda body: dialect.read_job(body, PROJECT),
    dialect.read_event,
    dialect.read_checkpoint,
    shared_wire.read_model,
    shared_wire.read_deleted,
)


def job(**members: Any) -> RemoteJob:
    whole = {"id": "ftjob-1", "status": "running", "metadata": marks_of(PROJECT, MODEL, ()), **members}
    return dialect.read_job(json.dumps(whole).encode(), PROJECT)


def test_a_job_in_full() -> None:
    found = job(
        status="succeeded",
        created_at=1793000100,
        finished_at=1793003300,
        model="gpt-4.1-mini-2025-04-14",
        fine_tuned_model="ft:gpt-4.1-mini-2025-04-14:acme:triage:BxY12",
        training_file="file-1",
        validation_file="file-2",
        trained_tokens=150300,
        usage_metrics={"unheard": "of"},
    )
    assert found.stamp is not None
    assert found.stamp == MODEL.stamp
    assert found.facts == MODEL.displayed_facts
    assert (found.created_at, found.finished_at) == (1793000100, 1793003300)
    assert found.model == "ft:gpt-4.1-mini-2025-04-14:acme:triage:BxY12"
    assert found.trained_tokens == 150300
    assert found.files == ("file-1", "file-2")
    assert not found.status.is_active


@pytest.mark.parametrize("empty", [None, {}, {"code": None, "message": None, "param": None}, "", []])
def test_no_error_in_all_its_shapes(empty: Any) -> None:
    found = job(error=empty)
    assert found.stamp is not None
    assert found.error is None


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"code": "x", "message": "y", "param": "z"}, JobError(message="y", code="x", param="z")),
        ({"code": 7, "message": "y"}, JobError(message="y", code="7")),
        ({"code": "x"}, JobError(message="", code="x")),
        ("out of memory", JobError(message="out of memory")),
    ],
)
def test_errors_in_all_their_shapes(sent: Any, read: JobError) -> None:
    found = job(error=sent)
    assert found.stamp is not None
    assert found.error == read


def test_null_members_are_absent() -> None:
    names = (
        "created_at finished_at estimated_finish model fine_tuned_model training_file validation_file "
        "trained_tokens hyperparameters method seed integrations error"
    )
    absent = job()
    assert job(**dict.fromkeys(names.split())) == absent
    assert job(fine_tuned_model="", estimated_finish=0, finished_at=0, training_file="") == absent


def test_a_job_without_a_status_is_active() -> None:
    assert job(status=None).status.is_active
    assert job(status="").status.is_active


@pytest.mark.parametrize("metadata", [None, {}, [], "text", {"reconciler-project": 7}])
def test_metadata_of_others_in_all_its_shapes(metadata: Any) -> None:
    found = job(metadata=metadata)
    assert (found.stamp, is_garbled(found, PROJECT)) == (None, False)


def test_a_file_and_its_stamp() -> None:
    dataset = a_dataset()
    sent = {"id": "file-1", "bytes": 48213, "created_at": 1793000000, "expires_at": None, "purpose": "fine-tune"}
    file = shared_wire.read_file(json.dumps({**sent, "filename": dataset.stamp.filename}).encode())
    assert (file.purpose, file.size_bytes, file.status) == ("fine-tune", 48213, None)
    assert file.is_ready
    assert file.stamp is not None
    assert file.stamp.agrees(dataset.stamp)


def test_a_file_of_nulls() -> None:
    file = shared_wire.read_file(
        b'{"id":"file-1","bytes":null,"created_at":null,"filename":null,"status":null,"purpose":null}'
    )
    assert (file.filename, file.size_bytes, file.stamp, file.purpose) == ("", None, None, "")


def test_the_numbers_of_an_events_data_are_read() -> None:
    data = {"step": 3, "train_loss": 0.5, "valid_loss": None, "done": True, "usage": {"a": 1}, "name": "x"}
    event = dialect.read_event(json.dumps({"id": "ftevent-1", "data": data, "level": None}).encode())
    assert (event.level, event.message) == ("info", "")
    assert event.metrics == (("step", 3), ("train_loss", 0.5))


@pytest.mark.parametrize("data", ["null", "{}", "[]", '"text"', '{"step": 1e999}'.replace("1e999", "9" * 400)])
def test_data_without_numbers(data: str) -> None:
    assert dialect.read_event(f'{{"id":"ftevent-1","data":{data}}}'.encode()).metrics == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"id": 7}',
        b'{"id": null}',
        b'{"id": "x"',
        b'{"data": 7}',
        b'{"deleted": false}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_malformed(body: bytes) -> None:
    for read in READERS:
        with pytest.raises(MalformedError):
            read(body)


@pytest.mark.parametrize("entry", ["{}", '{"id": ""}', '{"id": null}', '{"id": 7}', "7", "null", "[]"])
def test_an_entry_without_an_id_is_counted_and_the_others_are_read(entry: str) -> None:
    page = paging.read_page(f'{{"data": [{{"id": "a", "created_at": 5}}, {entry}, {{"id": "b"}}]}}'.encode())
    assert [item_id for item_id, _ in page.items] == ["a", "b"]
    assert (page.nameless, page.made) == (1, (5, None))


def test_an_empty_page_may_be_null() -> None:
    assert paging.read_page(b'{"data": null}') == paging.Page(items=(), has_more=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        *("id", "status", "created_at", "finished_at", "model", "fine_tuned_model", "training_file", "trained_tokens"),
        *("error", "metadata", "data", "has_more", "filename", "bytes", "purpose", "level", "message"),
        *("fine_tuned_model_checkpoint", "step_number", "shutdown_date", "deleted"),
    ]
)


@anything
@given(st.dictionaries(MEMBERS, JSON, max_size=8) | JSON)
def test_any_json_is_read_or_called_malformed(value: Any) -> None:
    body = json.dumps(value).encode()
    for read in READERS:
        try:
            read(body)
        except MalformedError:
            continue


@anything
@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_called_malformed(body: bytes) -> None:
    for read in READERS:
        try:
            read(body)
        except MalformedError:
            continue
