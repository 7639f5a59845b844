"""The outcome of a write: the decision table, row by row."""

from collections.abc import Callable

import httpx
import pytest

from reconciler.domain.errors import (
    DeniedError,
    MalformedError,
    NotFoundError,
    ProviderError,
    RejectedError,
    TemporaryError,
)
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.providers.http import error_of
from reconciler.providers.http.errors import classify_write, network_error
from reconciler.providers.http.transport import RedirectError, TooLargeError
from tests.providers.fake_service import refusal


def sent(reply: httpx.Response | Exception) -> Write[str]:
    def send() -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    def read(body: bytes) -> str:
        if not body.startswith(b"{"):
            raise MalformedError("that is no job")
        return body.decode()

    return classify_write(send, read, lambda r: error_of(r, "A_KEY"), lambda e: network_error(e, "api.example.test"))


def redirect(status: int) -> RedirectError:
    error = RedirectError("a redirect")
    error.status = status
    return error


@pytest.mark.parametrize("status", [200, 201, 202])
def test_done(status: int) -> None:
    assert sent(httpx.Response(status, content=b"{}")) == Done("{}")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(400, "no"), RejectedError),
        (refusal(401, "no"), DeniedError),
        (refusal(402, "no"), DeniedError),
        (refusal(403, "no"), DeniedError),
        (refusal(404, "no"), NotFoundError),
        (refusal(405, "no"), RejectedError),
        (refusal(410, "no"), NotFoundError),
        (refusal(413, "no"), RejectedError),
        (refusal(415, "no"), RejectedError),
        (refusal(422, "no"), RejectedError),
        (refusal(429, "no", code="rate_limit_exceeded"), TemporaryError),
        (refusal(429, "no", code="daily_rate_limit_exceeded"), TemporaryError),
        (refusal(429, "no", code="insufficient_quota"), DeniedError),
        (httpx.Response(429, text="<html>"), TemporaryError),
        (httpx.ConnectError("refused"), TemporaryError),
        (httpx.ConnectError("[Errno -2] Name or service not known"), TemporaryError),
        (httpx.ConnectTimeout("late"), TemporaryError),
        (httpx.PoolTimeout("late"), TemporaryError),
        (httpx.UnsupportedProtocol("elsewhere"), RejectedError),
        (redirect(301), RejectedError),
        (redirect(302), RejectedError),
        (redirect(307), RejectedError),
        (redirect(308), RejectedError),
    ],
)
def test_refused(reply: httpx.Response | Exception, kind: type[ProviderError]) -> None:
    outcome = sent(reply)
    assert isinstance(outcome, Refused)
    assert type(outcome.error) is kind


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(204),
        refusal(408, "slow"),
        refusal(409, "busy"),
        refusal(425, "early"),
        httpx.Response(499),
        refusal(500, "broken"),
        httpx.Response(502, text="<html>bad gateway</html>"),
        refusal(503, "overloaded"),
        httpx.Response(504),
        httpx.Response(599),
        redirect(303),
        httpx.ReadTimeout("late"),
        httpx.WriteTimeout("late"),
        httpx.ReadError("reset"),
        httpx.WriteError("broken pipe"),
        httpx.CloseError("closing"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.LocalProtocolError("Too little data for declared Content-Length"),
        httpx.DecodingError("not gzip"),
        TooLargeError("much"),
    ],
)
def test_unknown(reply: httpx.Response | Exception) -> None:
    outcome = sent(reply)
    assert isinstance(outcome, Unknown)
    assert outcome.why


def test_every_refusal_holds_the_message_of_the_service() -> None:
    response = refusal(400, "n_epochs is too large", code="invalid_value", param="n_epochs")
    response.headers["x-request-id"] = "req-9"
    outcome = sent(response)
    assert isinstance(outcome, Refused)
    error = outcome.error
    assert "n_epochs is too large" in str(error)
    assert (error.status, error.code, error.param, error.request_id) == (400, "invalid_value", "n_epochs", "req-9")


def test_an_exception_outside_the_connection_is_raised() -> None:
    """Rows that could not be read are not an answer of the service, so there is no outcome."""

    def send() -> httpx.Response:
        raise OSError("the disk is gone")

    explain: Callable[[object], ProviderError] = lambda _: ProviderError("never asked")  # noqa: E731 (typed)
    with pytest.raises(OSError, match="the disk is gone"):
        classify_write(send, lambda body: body, explain, explain)
