"""Names of labels: a written name is read back, and no other name is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.domain.identity import NAME_PATTERN, Address, Kind, Stamp
from reconciler.domain.observed import FileId, JobId
from reconciler.providers.openai_legacy.labels import ECHOED, JobLabel, Request, project_key, read_label
from tests.factories import a_digest
from tests.providers.fakes import anything

NAMES = st.from_regex(NAME_PATTERN, fullmatch=True)
SETTINGS = st.dictionaries(
    st.sampled_from(ECHOED), st.integers(0, 9) | st.floats(0, 1) | st.text(max_size=3) | st.booleans(), max_size=7
)
BASE = Request(base="curie", training=FileId("file-1"), validation=None, settings={})


@anything
@given(NAMES, NAMES, SETTINGS, st.booleans())
def test_a_written_label_is_read_back(project: str, name: str, settings: dict[str, object], ours: bool) -> None:
    stamp = Stamp(Address(Kind.MODEL, name), a_digest(name))
    request = replace(BASE, settings=settings, has_our_suffix=ours)
    intent = JobLabel(project=project_key(project), stamp=stamp, request=request.text, created_at=7)
    named = JobLabel(project=project_key(project), stamp=stamp, job=JobId("ft-AF1WoRqd3aJAHsqc9NY7iL8F"), created_at=7)
    for label in (intent, named):
        assert read_label(label.filename, 7) == label
        assert len(label.filename.encode()) <= 255
        assert Stamp.of_filename(label.filename) is None, "a label is never taken for a dataset"
    assert intent.has_our_suffix == ours


@pytest.mark.parametrize(
    "filename",
    ["", "tickets-0123456789ab.jsonl", "reconciler.jsonl", "reconciler.x.y.v1.z.job.ft-1.jsonl", "\ud800"],
)
def test_other_file_names_are_not_labels(filename: str) -> None:
    assert read_label(filename, 0) is None


def test_a_shortened_or_lengthened_label_is_not_read() -> None:
    label = JobLabel(project=project_key("acme"), stamp=Stamp(Address(Kind.MODEL, "a"), a_digest()), job=JobId("ft-1"))
    for wrong in (label.filename[:-1], label.filename + "x", "x" + label.filename, label.filename.replace("v1", "1")):
        assert read_label(wrong, 0) is None


@anything
@given(SETTINGS, SETTINGS)
def test_a_job_matches_a_request_whose_settings_it_repeats(stated: dict[str, Any], filled: dict[str, Any]) -> None:
    """A default of the service is not a difference; a stated setting has to come back."""
    asked = replace(BASE, settings=stated)
    assert replace(BASE, settings={**filled, **stated}).answers(asked.text)


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, base="ada"),
        replace(BASE, training=FileId("file-2")),
        replace(BASE, training=None),
        replace(BASE, validation=FileId("file-1")),
        replace(BASE, settings={"n_epochs": 3}),
        replace(BASE, settings={}),
    ],
)
def test_a_job_with_other_files_or_settings_does_not_match(other: Request) -> None:
    assert not other.answers(replace(BASE, settings={"n_epochs": 4}).text)


def test_integers_are_equal_however_they_are_written() -> None:
    assert replace(BASE, settings={"n_epochs": 4.0}).answers(replace(BASE, settings={"n_epochs": 4}).text)


def test_the_form_of_labels_is_fixed() -> None:
    """Labels stay on services for years; a change of their form would lose the jobs that they name."""
    settings = {"n_epochs": 4, "learning_rate_multiplier": 0.1, "classification_positive_class": " yes"}
    assert replace(BASE, settings=settings).text == "457c8046599d0d"
    assert project_key("acme") == "78ed64532925"
