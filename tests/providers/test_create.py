"""What is sent to create a job, and which answers are accepted."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.domain.desired import Model
from reconciler.domain.observed import FileId, RemoteJob
from reconciler.domain.ports import Done
from reconciler.providers.http import NewJob, marks_of
from reconciler.providers.http import wire as shared_wire
from reconciler.providers.http.files import check_upload
from reconciler.providers.http.metadata_jobs import check_created
from reconciler.providers.http.wire import LENIENT
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
def test_an_upload_whose_answer_differs_is_doubtful(member: str, value: Any) -> None:
    dataset = a_dataset()
    echo = {
        "id": "file-1",
        "filename": dataset.stamp.filename,
        "bytes": dataset.measure.size_bytes,
        "purpose": "fine-tune",
    }
    assert check_upload(shared_wire.read_file(json.dumps(echo).encode()), *dataset.file_key).doubts == ()

    answer = json.dumps({**echo, member: value}).encode()
    taken = check_upload(shared_wire.read_file(answer, LENIENT), *dataset.file_key)
    assert taken.value.id == "file-1"
    assert "instead of" in ", ".join(taken.doubts)


def request(model: Model = MODEL, **more: Any) -> NewJob:
    arguments = {"training": FileId("file-1"), "validation": None, "supersedes": (), "suffix_length": 64, **more}
    return NewJob(project=PROJECT, model=model, **arguments)


def answered(of: Model = MODEL, /, sent_suffix: str | None = None, **members: Any) -> Done[RemoteJob]:
    """What is made of the answer to a create, which repeats what was sent but for these members."""
    echo = {"model": of.recipe.base, "training_file": "file-1", "metadata": marks_of(PROJECT, of, ())}
    return check_created(job(**{**echo, **members}), request(of), sent_suffix)


MARKS = marks_of(PROJECT, MODEL, ())


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        {"team": "x"},
        {mark.upper(): value for mark, value in MARKS.items()},
        {mark.replace("-", "_"): value for mark, value in MARKS.items()},
        {mark: value.lower() for mark, value in MARKS.items() if mark == "reconciler-facts"},
        {mark: value[:40] for mark, value in MARKS.items()},
        {mark: value for mark, value in MARKS.items() if mark != "reconciler-digest"},
        {mark: value.upper() for mark, value in MARKS.items()},
        marks_of(PROJECT, a_model("other"), ()),
        marks_of("elsewhere", MODEL, ()),
        "as a text",
    ],
    ids=str,
)
def test_a_job_without_its_marks_is_kept_by_its_id_and_not_taken_for_ours(metadata: Any) -> None:
    """Services and gateways drop, rename, cut, lower-case or replace what they were sent."""
    taken = answered(metadata=metadata)
    assert (taken.value.id, taken.value.is_of(MODEL.stamp)) == ("ftjob-1", False)
    assert "metadata" in taken.doubts[0]


@pytest.mark.parametrize(
    ("members", "doubt"),
    [
        ({"training_file": "file-2"}, "the training file file-2 instead of file-1"),
        ({"validation_file": "file-2"}, "the validation file file-2 instead of none"),
        ({"model": "another-base"}, "the base another-base instead of"),
        ({"hyperparameters": {"n_epochs": 4}}, "n_epochs 4 instead of 3"),
        ({"hyperparameters": {"n_epochs": "auto"}}, "n_epochs auto instead of 3"),
        ({"hyperparameters": {"batch_size": 1}}, "no n_epochs instead of 3"),
        ({"seed": 8}, "the seed 8 instead of 7"),
        ({"suffix": "tri"}, "the suffix tri instead of Triage"),
        ({"suffix": "triage"}, "the suffix triage instead of Triage"),
    ],
    ids=str,
)
def test_what_an_answer_says_otherwise_than_was_sent_is_a_doubt(members: dict[str, Any], doubt: str) -> None:
    model = replace(MODEL, recipe=replace(MODEL.recipe, seed=7, suffix="Triage"))
    taken = answered(model, "Triage", **{"seed": 7, "suffix": "Triage", **members})
    assert [each for each in taken.doubts if each.startswith(doubt)]
    assert (taken.value.stamp is None) == ("training_file" in members)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"training_file": None},
        {"model": None},
        {"model": "GPT-4.1-mini-2025-04-14"},
        {"model": "gpt-4.1-mini-2025-04-14-snapshot"},
        {"hyperparameters": None},
        {"hyperparameters": {}},
        {"hyperparameters": {"n_epochs": 3.0, "batch_size": "auto"}},
        {"hyperparameters": {"n_epochs": "3"}},
        {"seed": None},
        {"seed": 77},
        {"status": 7, "created_at": "soon", "finished_at": [], "trained_tokens": {}},
    ],
    ids=str,
)
def test_what_a_service_leaves_out_or_fills_in_is_no_doubt(members: dict[str, Any]) -> None:
    body = json.dumps({"id": "ftjob-1", "metadata": MARKS, **members}).encode()
    taken = check_created(dialect.read_job(body, PROJECT, LENIENT), request(), None)
    assert taken.doubts == ()
    assert taken.value.is_of(MODEL.stamp)
