"""What is an id, and what is a name."""

import pytest

from reconciler.workflow.targets import is_id, is_job_id


@pytest.mark.parametrize("text", ["ftjob-AbC123", "ft-AbC123", "ftjob-1"])
def test_ids_of_jobs(text: str) -> None:
    assert is_id(text)
    assert is_job_id(text)


@pytest.mark.parametrize(
    "text", ["ft:gpt-4.1:acme::x", "ft:a:b:c:d:ckpt-step-9", "davinci:ft-acme-2023-01-01-10-00-00"]
)
def test_ids_of_models(text: str) -> None:
    assert is_id(text)
    assert not is_job_id(text)


@pytest.mark.parametrize("text", ["support-triage", "ftjobs", "gpt-4o", "", ":", "a :b", "ft-", "file-abc"])
def test_everything_else_is_a_name(text: str) -> None:
    assert not is_id(text)
