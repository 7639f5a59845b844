"""Regressions that generated requests found: such requests are refused like any other."""

import pytest

from tests.service.service_fixtures import Service, error_of


@pytest.mark.parametrize("role", [["user"], {"user": 1}, 3, None])
@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
def test_a_role_of_any_json_type_is_refused(service: Service, path: str, field: str, role: object) -> None:
    body = {"model": "test-echo", field: [{"role": role, "content": "hello"}]}
    status, error = error_of(service.client.post(path, json=body))
    assert (status, error["param"]) == (400, f"{field}[0].role")


@pytest.mark.parametrize("kind", [["text"], {"text": 1}, 3, None])
@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
def test_a_part_of_any_json_type_is_refused(service: Service, path: str, field: str, kind: object) -> None:
    part = {"type": kind, "text": "hello"}
    body = {"model": "test-echo", field: [{"role": "user", "content": [part]}]}
    assert error_of(service.client.post(path, json=body))[0] == 400


@pytest.mark.parametrize(
    "message",
    [
        "hello",
        {"role": "user"},
        {"role": ["user"], "content": "hello"},
        {"role": "user", "content": 3},
        {"role": "user", "content": {"type": ["input_text"], "text": "hello"}},
        {"role": "user", "content": [{"type": "input_text"}]},
        {"role": "user", "content": {"type": "input_image", "image_url": 1}},
        {"role": "user", "content": {"type": "input_audio"}},
        {"role": "user", "content": {"type": "input_audio", "input_audio": {"data": "", "format": "ogg"}}},
        {"type": "note", "role": "user", "content": "hello"},
    ],
)
def test_a_grader_with_an_invalid_message_is_refused(service: Service, message: object) -> None:
    grader = {"type": "score_model", "name": "g", "model": "m", "input": [message]}
    refused = service.client.post("/fine_tuning/alpha/graders/validate", json={"grader": grader})
    status, error = error_of(refused)
    assert (status, error["param"].startswith("grader.input[0]")) == (400, True)


def test_a_grader_with_messages_of_every_kind_is_returned(service: Service) -> None:
    parts = [
        "plain",
        {"type": "input_text", "text": "a"},
        {"type": "output_text", "text": "b"},
        {"type": "input_image", "image_url": "https://example.test/c.png", "detail": "low"},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    ]
    messages = [{"role": "developer", "content": part} for part in parts] + [{"role": "user", "content": parts}]
    grader = {"type": "score_model", "name": "g", "model": "m", "input": messages}
    assert service.post("/fine_tuning/alpha/graders/validate", {"grader": grader}) == {"grader": grader}
