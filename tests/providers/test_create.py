"""What is sent to create a job, and which answers are accepted."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import MalformedError
from reconciler.domain.observed import FileId, JobId, RemoteJob
from reconciler.providers.http import NewJob, marks_of
from reconciler.providers.http import wire as shared_wire
from reconciler.providers.http.files import check_upload
from reconciler.providers.http.metadata_jobs import check_created
from reconciler.providers.openai import dialect
from reconciler.providers.openai.dialect import suffix_of, write_job
from tests.factories import a_dataset, a_model

PROJECT = "acme"
MODEL = a_model(epochs=3)


def job(**members: Any) -> RemoteJob:
    whole = {"id": "ftjob-1", "status": "running", "metadata": marks_of(PROJECT, MODEL, ()), **members}
    return dialect.read_job(json.dumps(whole).encode(), PROJECT)


def written(model: Any = MODEL, **more: Any) -> dict[str, Any]:
    arguments = {"training": FileId("file-1"), "validation": None, "supersedes": (), "suffix_length": 64, **more}
    return write_job(NewJob(project=PROJECT, model=model, **arguments))


def test_the_body_of_a_create() -> None:
    recipe = replace(MODEL.recipe, seed=7)
    assert written(replace(MODEL, recipe=recipe), validation=FileId("file-2")) == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "validation_file": "file-2",
        "suffix": "triage",
        "seed": 7,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "metadata": marks_of(PROJECT, replace(MODEL, recipe=recipe), ()),
    }


def test_unset_settings_are_not_sent() -> None:
    body = written(a_model(), suffix_length=0)
    assert set(body) == {"model", "training_file", "method", "metadata"}
    assert body["method"] == {"type": "supervised"}


def test_extra_settings_are_passed_through_and_replace_none_of_ours() -> None:
    extra = json.dumps({"integrations": [1], "model": "other", "metadata": {"team": "x", "reconciler-project": "y"}})
    body = written(replace(MODEL, recipe=replace(MODEL.recipe, extra=extra)))
    assert body["integrations"] == [1]
    assert body["model"] == MODEL.recipe.base
    assert body["metadata"]["team"] == "x"
    assert body["metadata"]["reconciler-project"] == PROJECT


@pytest.mark.parametrize(
    ("name", "suffix", "length", "sent"),
    [
        ("triage", None, 64, "triage"),
        ("support-triage", None, 8, "support"),
        ("support-triage", None, 0, ""),
        ("triage", "mine", 2, "mine"),
    ],
)
def test_suffixes(name: str, suffix: str | None, length: int, sent: str) -> None:
    model = a_model(name)
    assert suffix_of(replace(model, recipe=replace(model.recipe, suffix=suffix)), length) == sent


@pytest.mark.parametrize(("member", "value"), [("filename", "other.jsonl"), ("bytes", 7), ("purpose", "batch")])
def test_an_upload_whose_answer_differs_is_not_accepted(member: str, value: Any) -> None:
    dataset = a_dataset()
    echo = {
        "id": "file-1",
        "filename": dataset.stamp.filename,
        "bytes": dataset.measure.size_bytes,
        "purpose": "fine-tune",
    }
    assert check_upload(shared_wire.read_file(json.dumps(echo).encode()), *dataset.file_key).id == "file-1"

    with pytest.raises(MalformedError, match=r"file-1.*instead of"):
        check_upload(shared_wire.read_file(json.dumps({**echo, member: value}).encode()), *dataset.file_key)


def test_a_job_whose_answer_lacks_its_stamp_is_not_accepted() -> None:
    file = FileId("file-1")
    assert check_created(job(training_file=file), MODEL, file).id == JobId("ftjob-1")
    for wrong in (job(metadata=None), job(metadata=marks_of(PROJECT, a_model("other"), ()))):
        with pytest.raises(MalformedError, match=r"ftjob-1.*marks"):
            check_created(wrong, MODEL, file)
    with pytest.raises(MalformedError, match="file-2"):
        check_created(job(training_file="file-2"), MODEL, file)
