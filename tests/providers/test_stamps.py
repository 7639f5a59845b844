"""Our marks: written, read back, and distinguished from those of others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.observed import JobId, RemoteJob
from reconciler.providers.http import marks_of
from reconciler.providers.http.marks import (
    ADDRESS,
    DIGEST,
    ENVIRONMENT,
    FACTS,
    ORIGIN,
    PROJECT,
    SEAL,
    SUPERSEDES,
    Garbled,
    Marks,
    add_marks,
    names_file,
    read_marks,
    with_marks,
)
from tests.factories import a_dataset, a_model
from tests.providers.fakes import anything

MODEL = a_model(epochs=3)


def test_written_marks_are_read_back() -> None:
    marks = marks_of("acme", MODEL, [JobId("ftjob-8"), JobId("ftjob-9")])
    assert set(marks) == {
        "reconciler-project",
        "reconciler-address",
        "reconciler-digest",
        "reconciler-facts",
        "reconciler-supersedes",
        "reconciler-seal",
    }
    assert marks["reconciler-address"] == "model/triage"
    assert marks["reconciler-digest"].startswith("v1:")
    assert read_marks(marks, "acme") == Marks(
        stamp=MODEL.stamp, facts=MODEL.displayed_facts, supersedes=(JobId("ftjob-8"), JobId("ftjob-9"))
    )


def test_the_origin_is_read_back_and_decides_nothing_about_whose_a_job_is() -> None:
    marks = marks_of("acme", MODEL, (), "0123456789ab")
    assert with_marks(RemoteJob(id=JobId("ftjob-1")), marks, "acme").origin == "0123456789ab"
    for changed in ({**marks, ORIGIN: "of another"}, {each: marks[each] for each in marks if each != ORIGIN}):
        assert with_marks(RemoteJob(id=JobId("ftjob-1")), changed, "acme").stamp == MODEL.stamp
    assert marks_of("acme", MODEL, ()) == {each: marks[each] for each in marks if each != ORIGIN}


@pytest.mark.parametrize("environment", ["prod", "", None])
def test_the_environment_is_read_back_and_decides_nothing_about_whose_a_job_is(environment: str | None) -> None:
    marks = marks_of("acme", MODEL, (), "0123456789ab", environment)
    read = with_marks(RemoteJob(id=JobId("ftjob-1")), marks, "acme")
    assert (read.environment, read.stamp, read.origin) == (environment, MODEL.stamp, "0123456789ab")
    plain = marks_of("acme", MODEL, (), "0123456789ab")
    assert {name: text for name, text in marks.items() if name != ENVIRONMENT} == plain
    assert all(marks.values()), "a service may take no empty text"
    assert with_marks(RemoteJob(id=JobId("ftjob-1")), {**marks, ENVIRONMENT: "of another"}, "acme").stamp == MODEL.stamp


@pytest.mark.parametrize(("own", "fits"), [(9, True), (10, False)])
def test_the_environment_is_left_out_where_a_recipe_has_as_much_metadata_as_fits(own: int, fits: bool) -> None:
    marks = marks_of("acme", MODEL, (), "0123456789ab", "prod")
    assert len(marks) == 7
    merged = add_marks({f"key-{number}": "x" for number in range(own)} | {"reconciler-project": "theirs"}, marks)
    assert (len(merged), ENVIRONMENT in merged, merged["reconciler-project"]) == (16, fits, "acme")


def test_every_mark_fits_the_limits_of_metadata() -> None:
    """Facts that do not fit are left out; of superseded jobs, as many as fit are kept."""
    long = a_model("m" * 60, base="b" * 600)
    marks = marks_of("p" * 63, long, [JobId(f"ftjob-{number:030}") for number in range(100)])
    assert "reconciler-facts" not in marks
    assert all(len(key) <= 64 and len(value) <= 512 for key, value in marks.items())
    read = read_marks(marks, "p" * 63)
    assert isinstance(read, Marks)
    assert (read.stamp, read.facts, len(read.supersedes)) == (long.stamp, (), 13)


@pytest.mark.parametrize("project", ["other", "ACME", "", "acm"])
def test_another_project_is_not_ours(project: str) -> None:
    assert read_marks(marks_of("acme", MODEL, ()), project) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"reconciler-address": None},
        {"reconciler-address": "dataset/tickets"},
        {"reconciler-address": "model/Not A Name"},
        {"reconciler-address": 7},
        {"reconciler-digest": None},
        {"reconciler-digest": "v1:123"},
        {"reconciler-digest": "v1:0123456789ab"},
        {"reconciler-digest": ["v1"]},
    ],
)
def test_unreadable_marks_of_our_project_are_garbled(changed: dict[str, Any]) -> None:
    marks = {**marks_of("acme", MODEL, ()), **changed}
    assert isinstance(read_marks({key: value for key, value in marks.items() if value is not None}, "acme"), Garbled)


def unsealed() -> dict[str, str]:
    marks = marks_of("acme", MODEL, [JobId("ftjob-8")])
    return {mark: value for mark, value in marks.items() if mark != SEAL}


OTHER = marks_of("acme", a_model("other", epochs=5), [JobId("ftjob-9")])


@pytest.mark.parametrize("mark", [ADDRESS, DIGEST, FACTS, SUPERSEDES, SEAL])
def test_every_exchanged_or_missing_mark_is_noticed(mark: str) -> None:
    """Each mark is valid by itself, but the seal covers all of them together."""
    marks = marks_of("acme", MODEL, [JobId("ftjob-8")])
    assert isinstance(read_marks(marks, "acme"), Marks)
    assert OTHER[mark] != marks[mark]
    assert isinstance(read_marks({**marks, mark: OTHER[mark]}, "acme"), Garbled)
    if mark != SEAL:
        assert isinstance(read_marks({key: marks[key] for key in marks if key != mark}, "acme"), Garbled)


def test_marks_of_another_project_under_our_name_are_not_ours() -> None:
    assert isinstance(read_marks({**marks_of("other", MODEL, ()), PROJECT: "acme"}, "acme"), Garbled)


def test_marks_without_a_seal_are_accepted() -> None:
    read = read_marks(unsealed(), "acme")
    assert isinstance(read, Marks)
    assert read.stamp == MODEL.stamp


@pytest.mark.parametrize("facts", ["", "{", "[]", '{"base": 7}', "[" * 10_000, "\x00"])
def test_facts_that_cannot_be_read_are_only_left_out(facts: str) -> None:
    read = read_marks({**unsealed(), "reconciler-facts": facts}, "acme")
    assert isinstance(read, Marks)
    assert (read.stamp, read.facts) == (MODEL.stamp, ())


ODD = st.none() | st.integers() | st.text(max_size=20) | st.just("v1:" + "0" * 64) | st.just("model/triage")


@anything
@given(st.dictionaries(st.sampled_from([ADDRESS, DIGEST, FACTS, SUPERSEDES]), ODD))
def test_any_metadata_can_be_read(metadata: dict[str, Any]) -> None:
    assert isinstance(read_marks({**metadata, "reconciler-project": "acme"}, "acme"), Marks | Garbled)


def test_a_file_has_to_match_the_facts_that_name_it() -> None:
    marks = Marks(stamp=MODEL.stamp, facts=MODEL.displayed_facts)
    assert names_file(marks.facts, "training", MODEL.training.stamp.filename)
    assert not names_file(marks.facts, "training", a_dataset(rows="others").stamp.filename)
    assert names_file(marks.facts, "validation", "anything.jsonl")
