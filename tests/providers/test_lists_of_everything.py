"""Objects of any service are read into values; a missing, null or malformed member is None, never a guess."""

import json
import time
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import (
    FileId,
    JobDetails,
    JobError,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.providers import open_provider
from reconciler.providers.http import wire as shared_wire
from reconciler.providers.openai import dialect
from tests.factories import a_digest
from tests.providers.fake_service import FakeService

read_file = partial(shared_wire.read_file, reader=shared_wire.LENIENT)
read_job = partial(dialect.read_job, reader=shared_wire.LENIENT)
read_model = partial(shared_wire.read_model, reader=shared_wire.LENIENT)
READERS = (read_file, lambda body: read_job(body, "acme"), read_model)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_missing_values_are_unknown() -> None:
    assert read_file(body(id="file-1")) == RemoteFile(id=FileId("file-1"))
    assert read_job(body(id="ftjob-1", error={}, metadata=None), "acme") == RemoteJob(id=JobId("ftjob-1"))
    assert read_model(body(id="m")) == RemoteModel(id=ModelId("m"))


def test_zero_is_a_value() -> None:
    assert read_file(body(id="file-1", bytes=0, created_at=0)) == RemoteFile(
        id=FileId("file-1"), size_bytes=0, created_at=0
    )
    assert read_job(body(id="ftjob-1", trained_tokens=0, seed=0), "acme").trained_tokens == 0


def test_a_job_is_read_with_all_its_members() -> None:
    found = read_job(
        body(
            id="ftjob-1",
            status="failed",
            created_at=1,
            finished_at=2,
            model="base",
            method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": "auto"}}},
            hyperparameters={"n_epochs": 3},
            result_files=["file-r", 7],
            error={"code": "server_error", "message": "sorry", "param": None},
            metadata={"team": "red"},
        ),
        "acme",
    )
    assert (found.status, found.status.is_terminal) == (JobStatus("failed"), True)
    assert (found.details.method, found.details.hyperparameters) == ("dpo", (("beta", "0.1"), ("n_epochs", "auto")))
    assert (found.details.result_files, found.details.metadata) == ((FileId("file-r"),), (("team", "red"),))
    assert found.error == JobError(message="sorry", code="server_error")


def test_hyperparameters_are_read_from_their_earlier_place() -> None:
    assert read_job(body(id="j", hyperparameters={"n_epochs": 3}), "acme").details.hyperparameters == (
        ("n_epochs", "3"),
    )


def test_objects_with_our_stamp_and_project_are_ours() -> None:
    marks = {
        "reconciler-project": "acme",
        "reconciler-address": "model/triage",
        "reconciler-digest": str(a_digest()),
    }
    ours, theirs = (read_job(body(id="j", metadata=marks), project) for project in ("acme", "other"))
    assert (str(ours.stamp), ours.details.project) == (f"model/triage@{a_digest().short}", "acme")
    assert (theirs.stamp, theirs.details.project) == (None, "acme")


def test_a_stamp_in_a_file_name_counts_for_training_files_only() -> None:
    name = f"tickets-{'a' * 12}.jsonl"
    assert read_file(body(id="f", filename=name, purpose="fine-tune")).stamp
    assert read_file(body(id="f", filename=name, purpose="assistants")).stamp is None


@pytest.mark.parametrize("read", READERS, ids=["file", "job", "model"])
@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b'{"id": ""}', b'{"id": 7}'])
def test_an_object_without_an_id_is_malformed(read: Any, wrong: bytes) -> None:
    with pytest.raises(MalformedError):
        read(wrong)


MEMBERS = sorted(
    {name for noun in (RemoteFile, RemoteJob, RemoteModel, JobDetails) for name in noun.__struct_fields__}
    | {"bytes", "model", "fine_tuned_model", "status_details", "owned_by", "created"}
)


@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING))
def test_a_malformed_member_loses_only_that_member(members: dict[str, Any]) -> None:
    for read in READERS:
        assert read(json.dumps({**members, "id": "x"}).encode()).id == "x"


def test_five_thousand_files_and_two_thousand_jobs_are_listed_in_reasonable_time() -> None:
    service = FakeService(page=100)
    for number in range(5000):
        service.add_file(f"report-{number}.pdf", purpose="assistants")
    for number in range(2000):
        service.add_job(suffix=f"job-{number}")
    provider = open_provider(
        "openai",
        project="acme",
        environ={"OPENAI_API_KEY": "key-of-the-list"},
        transport=service.transport,
        sleep=lambda _: None,
        clock=time.monotonic,
    )
    began = time.monotonic()
    files, jobs = provider.list_files(), provider.list_jobs()
    assert (len(files.items), len(jobs.items), files.list_warnings, jobs.list_warnings) == (5000, 2000, (), ())
    assert time.monotonic() - began < 20, "generous: it takes well under two seconds on a small machine"
