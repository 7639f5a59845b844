"""What a failed call means, and what to do next."""

import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import DeniedError, MalformedError, RejectedError, TemporaryError
from reconciler.providers.http import error_of, is_final
from reconciler.providers.http.errors import network_error, read_complaint
from reconciler.providers.http.transport import RedirectError, TooLargeError
from tests.providers.fake_service import refusal
from tests.providers.fakes import anything


@pytest.mark.parametrize(
    ("response", "hint"),
    [
        (refusal(403, "winding down", code="training_not_available"), "repeating will not help.*found again"),
        (refusal(401, "bad key", code="invalid_api_key"), "OPENAI_API_KEY"),
        (refusal(403, "missing scope"), "OPENAI_API_KEY.*right"),
        (refusal(400, "x", code="model_not_available"), "choose a base"),
        (refusal(400, "Model x is not available for fine-tuning or does not exist."), "choose a base"),
        (refusal(429, "x", code="daily_rate_limit_exceeded"), "tomorrow"),
        (refusal(429, "x", code="insufficient_quota"), "credit"),
        (refusal(429, "x"), "minute"),
        (refusal(503, "x"), "run again"),
        (refusal(413, "x"), "^$"),
        (refusal(500, "x", code="store_unusable"), "machine where the service runs"),
        (refusal(507, "x", code="store_unusable"), "machine where the service runs"),
        (refusal(507, "x"), "no space left"),
        (httpx.Response(503, headers={"retry-after": "20"}), "20 seconds"),
    ],
)
def test_each_error_names_the_next_step(response: httpx.Response, hint: str) -> None:
    found = error_of(response, "OPENAI_API_KEY").hint
    assert re.search(hint, found), found


def test_a_file_that_is_too_large_is_to_be_split_and_nothing_else_is() -> None:
    page = httpx.Response(413, text="<html>Request Entity Too Large</html>")
    assert "split the dataset" in error_of(page, "K", is_upload=True).hint
    assert "split" not in error_of(page, "K").hint


def test_an_exhausted_quota_is_not_waited_for() -> None:
    spent = refusal(429, "x", code="project_spend_limit_exceeded")
    assert is_final(spent)
    assert isinstance(error_of(spent, "K"), DeniedError)
    assert not is_final(refusal(429, "x", code="slow_down"))
    assert not is_final(httpx.Response(429, text="<html>"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "no", "type": "t", "param": null, "code": 7}}', "no"),
        (b'{"error": "no"}', "no"),
        (b'{"message": "no"}', "no"),
        (b'{"detail": "no"}', "no"),
        (b'{"detail": [{"loc": 1}]}', ""),
        (b'{"error": null}', ""),
        (b'{"error": []}', ""),
        (b"[]", ""),
        (b"<html>gateway</html>", ""),
        (b"", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_bodies_that_servers_and_gateways_send(body: bytes, message: str) -> None:
    assert read_complaint(body).message == message
    message = str(error_of(httpx.Response(502, content=body), "K"))
    assert message.endswith("(HTTP 502, 7)" if b"7" in body else "(HTTP 502)")


def test_a_page_of_html_is_not_used_as_a_message() -> None:
    assert len(read_complaint(b'{"error": "' + b"x" * 100_000 + b'"}').message) <= 2000


@anything
@given(st.binary(max_size=60), st.integers(400, 599))
def test_any_refusal_is_an_error(body: bytes, status: int) -> None:
    assert error_of(httpx.Response(status, content=body), "K").status == status


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), TemporaryError),
        (httpx.ReadTimeout(""), TemporaryError),
        (TooLargeError("much"), MalformedError),
        (httpx.DecodingError("not gzip"), MalformedError),
        (RedirectError("a redirect"), RejectedError),
        (httpx.UnsupportedProtocol("elsewhere"), RejectedError),
    ],
)
def test_connection_failures_name_the_address(error: httpx.RequestError, kind: type[Exception]) -> None:
    found = network_error(error, "api.example.test")
    assert type(found) is kind
    assert "api.example.test" in str(found) or isinstance(error, RedirectError)
