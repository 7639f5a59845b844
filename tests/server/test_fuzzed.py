"""What generated requests have broken once: refused like anything else since."""

import pytest

from tests.server.rig import House, error_of


@pytest.mark.parametrize("role", [["user"], {"user": 1}, 3, None])
@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
def test_a_role_of_any_json_type_is_refused(house: House, path: str, field: str, role: object) -> None:
    body = {"model": "test-echo", field: [{"role": role, "content": "hello"}]}
    status, error = error_of(house.client.post(path, json=body))
    assert (status, error["param"]) == (400, f"{field}[0].role")


@pytest.mark.parametrize("kind", [["text"], {"text": 1}, 3, None])
@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
def test_a_part_of_any_json_type_is_refused(house: House, path: str, field: str, kind: object) -> None:
    part = {"type": kind, "text": "hello"}
    body = {"model": "test-echo", field: [{"role": "user", "content": [part]}]}
    assert error_of(house.client.post(path, json=body))[0] == 400
