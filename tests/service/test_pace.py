"""Rate limits: counted, reported in the API's headers, and refused with its messages."""

from pathlib import Path

import pytest

from reconciler.service.middleware import duration_text
from tests.service.service_fixtures import NOW, Service, error_of, open_local

REMAINING = "x-ratelimit-remaining-requests"


def test_the_remaining_requests_are_counted_and_replenished(tmp_path: Path) -> None:
    time = [float(NOW)]
    service = open_local(tmp_path / "store", clock=lambda: time[0], requests_per_minute=3)

    answers = [service.client.get("/models") for _ in range(3)]

    assert [answer.headers[REMAINING] for answer in answers] == ["2", "1", "0"]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "3"
    assert [answer.headers["x-ratelimit-reset-requests"] for answer in answers] == ["20s", "40s", "1m0s"]
    refused = service.client.get("/models")
    status, error = error_of(refused)
    assert (status, error["code"], error["type"]) == (429, "rate_limit_exceeded", "requests")
    assert refused.headers["retry-after"] == "20"
    time[0] += 20
    assert service.client.get("/nowhere").headers[REMAINING] == "0"
    time[0] += 3600
    assert service.client.get("/models").headers[REMAINING] == "2"


def test_requests_without_a_key_do_not_count(tmp_path: Path) -> None:
    service = open_local(tmp_path / "store", api_key="key", requests_per_minute=1)

    for _ in range(3):
        assert service.client.get("/models").status_code == 401

    assert service.client.get("/models", headers={"authorization": "Bearer key"}).status_code == 200


def test_without_a_limit_there_are_no_headers(service: Service) -> None:
    assert not [name for name in service.client.get("/models").headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0ms"), (0.012, "12ms"), (1, "1s"), (59, "59s"), (360, "6m0s")])
def test_durations_have_the_form_of_the_api(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
