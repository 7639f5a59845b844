"""What is not ours may be as odd as it likes: no plan of ours rests on it, so none stops at it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planner import make_plan
from reconciler.providers import HttpProvider, open_provider
from tests.factories import a_dataset, a_model, desired
from tests.providers.fake_service import FakeService, Json
from tests.providers.fakes import Clock, anything
from tests.providers.openai_legacy.fake import OldService
from tests.providers.test_provider import MODEL, opened, ours

ODD: tuple[object, ...] = ("soon", "2026-01-01T00:00:00Z", 1.5e300, -1, True, [], {}, [{"a": None}], {"b": 1}, None, "")
JOB_MEMBERS = (
    "created_at",
    "finished_at",
    "estimated_finish",
    "status",
    "fine_tuned_model",
    "trained_tokens",
    "error",
    "hyperparameters",
    "method",
    "seed",
    "suffix",
    "result_files",
    "metadata",
    "object",
    "organization_id",
)
FILE_MEMBERS = ("created_at", "bytes", "status", "status_details", "expires_at", "filename", "purpose", "object")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def assert_no_plan_stops(provider: HttpProvider) -> None:
    observed = provider.observe()
    assert observed.list_warnings == ()
    assert make_plan(desired(MODEL), observed).refused == ()
    assert provider.jobs_of(MODEL.stamp) == ()


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("member", JOB_MEMBERS)
def test_no_member_of_a_foreign_job_stops_a_plan(member: str, value: object) -> None:
    service = FakeService()
    service.add_job(**{"metadata": {"team": "x"}, member: value})
    assert_no_plan_stops(opened(service))


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("member", FILE_MEMBERS)
def test_no_member_of_a_foreign_file_stops_a_plan(member: str, value: object) -> None:
    service = FakeService()
    service.files[service.add_file("their.jsonl")] |= {member: value}
    assert_no_plan_stops(opened(service))


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("member", ["created", "owned_by", "shutdown_date", "object"])
def test_no_member_of_a_foreign_model_stops_a_plan(member: str, value: object) -> None:
    service = FakeService()
    service.models["theirs"] = {"id": "theirs", member: value}
    assert_no_plan_stops(opened(service))


@anything
@given(
    st.dictionaries(st.sampled_from((*JOB_MEMBERS, "model")), JSON),
    st.dictionaries(st.sampled_from(FILE_MEMBERS), JSON),
)
def test_no_combination_of_odd_members_stops_a_plan_but_those_that_may_be_ours(job: Json, file: Json) -> None:
    service = FakeService()
    service.add_job(**{**job, "metadata": None, "model": "base"})
    service.files[service.add_file("their.jsonl")] |= file
    assert_no_plan_stops(opened(service))


@pytest.mark.parametrize("member", ["training_file", "validation_file", "model"])
def test_what_a_foreign_job_uses_has_to_be_known(member: str) -> None:
    """A clean-up must not delete the file or the base of others."""
    service = FakeService()
    service.add_job(metadata=None, **{member: 7})
    assert opened(service).observe().list_warnings


@pytest.mark.parametrize(
    ("member", "value"), [("created_at", "soon"), ("status", 7), ("fine_tuned_model", []), ("training_file", 7)]
)
def test_what_decides_about_a_job_of_ours_has_to_be_known(member: str, value: object) -> None:
    service = FakeService()
    service.add_job(**ours(**{member: value}))
    assert opened(service).observe().list_warnings


@pytest.mark.parametrize("member", ["finished_at", "estimated_finish", "trained_tokens", "seed", "suffix", "error"])
def test_what_is_only_shown_of_a_job_of_ours_may_be_odd(member: str) -> None:
    service = FakeService()
    job = service.add_job(**ours(**{member: "soon" if member != "error" else 7}))
    observed = opened(service).observe()
    assert observed.list_warnings == ()
    assert [each.id for each in observed.jobs] == [job]


@pytest.mark.parametrize(("member", "value"), [("created_at", "soon"), ("bytes", "many"), ("status", 7)])
def test_what_decides_about_a_file_of_ours_has_to_be_known(member: str, value: object) -> None:
    service = FakeService()
    service.files[service.add_file(a_dataset().stamp.filename)] |= {member: value}
    assert opened(service).observe().list_warnings


def old(service: OldService) -> HttpProvider:
    clock = Clock()
    environ = {"OPENAI_API_KEY": "key-of-a-test", "OPENAI_API_BASE": "http://127.0.0.1:8000/v1"}
    return open_provider(
        "openai-legacy",
        project="acme",
        environ=environ,
        transport=service.transport,
        clock=clock,
        sleep=clock.sleep,
    )


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("member", ["created_at", "updated_at", "status", "hyperparams", "events", "result_files"])
def test_no_member_of_a_foreign_fine_tune_stops_a_plan(member: str, value: Any) -> None:
    service = OldService()
    file = service.add_file("their.jsonl", bytes="many", created_at="soon")
    service.add_tune(training=file, **{member: value})
    observed = old(service).observe()
    assert observed.list_warnings == ()
    assert old(service).jobs_of(a_model(base="curie").stamp) == ()


def test_a_fine_tune_on_our_file_without_a_time_may_be_ours() -> None:
    service = OldService()
    file = service.add_file(a_dataset().stamp.filename)
    service.add_tune(training=file, created_at="soon")
    assert old(service).observe().list_warnings
