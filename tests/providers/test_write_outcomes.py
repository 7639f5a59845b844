"""The outcome of a write: the decision table, row by row, and the words with which a service proves a refusal."""

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
from reconciler.providers.http.errors import Proof, classify_write, network_error, proves_refusal
from reconciler.providers.http.transport import RedirectError, TooLargeError
from reconciler.providers.openai.refusals import AZURE_PROOFS as AZURE
from reconciler.providers.openai.refusals import PROOFS as OPENAI
from reconciler.providers.openai_legacy.create import PROOFS as LEGACY
from tests.providers.fake_service import refusal


def sent(reply: httpx.Response | Exception, proofs: tuple[Proof, ...] | None = OPENAI) -> Write[str]:
    def send() -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    def read(body: bytes) -> str:
        if not body.startswith(b"{"):
            raise MalformedError("that is no job")
        return body.decode()

    return classify_write(send, read, lambda r: error_of(r, "A_KEY"), lambda e: network_error(e, "x.test"), proofs)


def redirect(status: int) -> RedirectError:
    error = RedirectError("a redirect")
    error.status = status
    return error


@pytest.mark.parametrize("status", [200, 201, 202])
def test_done(status: int) -> None:
    assert sent(httpx.Response(status, content=b"{}")) == Done("{}")


def error(status: int, kind: str, code: str | None, **more: object) -> httpx.Response:
    envelope = {"message": "no", "type": kind, "param": None, "code": code, **more}
    return httpx.Response(status, json={"error": envelope})


ROWS = [
    pytest.param(proofs, proof.status, kind, code, id=f"{name}-{proof.status}-{kind}-{code}")
    for name, proofs in (("openai", OPENAI), ("legacy", LEGACY), ("azure", AZURE))
    for proof in proofs
    for kind in sorted(proof.types)
    for code in sorted(proof.codes, key=str)
]
"""Every row of the two tables, each word on its own."""


@pytest.mark.parametrize(("proofs", "status", "kind", "code"), ROWS)
def test_the_words_of_a_table_prove_a_refusal(
    proofs: tuple[Proof, ...], status: int, kind: str, code: str | None
) -> None:
    outcome = sent(error(status, kind, code), proofs)
    assert isinstance(outcome, Refused)
    assert outcome.error.status == status


@pytest.mark.parametrize(("proofs", "status", "kind", "code"), ROWS)
def test_the_same_words_prove_nothing_when_anything_about_them_is_different(
    proofs: tuple[Proof, ...], status: int, kind: str, code: str | None
) -> None:
    """Gateways change the status, name codes of their own, leave a member out, or put the envelope somewhere else."""
    plain = {"message": "no", "type": kind, "param": None, "code": code}
    others = [
        error(status, kind, str(status)),
        error(status, "None", code),
        error(409 if status != 409 else 408, kind, code),
        error(503, kind, code),
        httpx.Response(status, json=plain),
        httpx.Response(status, json={"detail": {"error": plain}}),
        httpx.Response(status, json=[{"error": plain}]),
        *(httpx.Response(status, json={"error": {n: plain[n] for n in plain if n != left}}) for left in plain),
        httpx.Response(status, content=b"<html>no</html>"),
        httpx.Response(status),
    ]
    assert [sent(other, proofs) for other in others if isinstance(sent(other, proofs), Refused)] == []


def test_no_row_is_about_a_status_that_may_follow_an_effect() -> None:
    assert {proof.status for proof in (*OPENAI, *LEGACY, *AZURE)} <= {400, 401, 403, 404, 429}


def say_plainly(status: int, **members: object) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "no", **members}})


def test_a_service_that_states_a_code_and_a_message_alone_is_known_by_that_code_alone() -> None:
    assert isinstance(sent(say_plainly(400, code="invalidPayload"), AZURE), Refused)
    for other in (
        say_plainly(400, code="404"),
        say_plainly(400, code=None),
        say_plainly(400),
        say_plainly(500, code="invalidPayload"),
        say_plainly(400, code="invalidPayload", type="invalid_request_error"),
        say_plainly(400, code="invalidPayload", param=None),
        # The codes of its gateway, which may have passed the request on.
        *(say_plainly(status, code=str(status)) for status in (401, 403, 404, 429)),
    ):
        assert isinstance(sent(other, AZURE), Unknown)
    assert isinstance(sent(say_plainly(400, code="invalidPayload"), OPENAI), Unknown)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(400, "no"), RejectedError),
        (refusal(401, "no", code="invalid_api_key"), DeniedError),
        (refusal(403, "no", code="training_not_available"), DeniedError),
        (refusal(404, "no"), NotFoundError),
        (error(429, "requests", "rate_limit_exceeded"), TemporaryError),
        (refusal(429, "no", code="daily_rate_limit_exceeded"), TemporaryError),
        (error(429, "insufficient_quota", "insufficient_quota"), DeniedError),
        (httpx.ConnectError("refused"), TemporaryError),
        (httpx.ConnectError("[Errno -2] Name or service not known"), TemporaryError),
        (httpx.ConnectTimeout("late"), TemporaryError),
        (httpx.PoolTimeout("late"), TemporaryError),
        (httpx.UnsupportedProtocol("elsewhere"), RejectedError),
    ],
)
def test_refused(reply: httpx.Response | Exception, kind: type[ProviderError]) -> None:
    outcome = sent(reply)
    assert isinstance(outcome, Refused)
    assert type(outcome.error) is kind


FOREIGN = [
    *(httpx.Response(status, text="<html>sorry</html>") for status in (400, 401, 403, 404, 405, 410, 413, 422, 429)),
    *(httpx.Response(status) for status in (400, 403, 404, 418, 429, 451)),
    httpx.Response(404, json={"detail": "Not Found"}),
    httpx.Response(429, json={"message": "API rate limit exceeded"}),
    httpx.Response(429, json={"error": "too many requests"}),
    error(429, "None", "429"),
    error(400, "invalid_request_error", "400"),
    error(403, "forbidden", None),
    refusal(402, "no"),
    refusal(405, "no"),
    refusal(410, "no"),
    refusal(413, "no"),
    refusal(415, "no"),
    refusal(422, "no"),
    refusal(429, "no"),
]
"""Answers of gateways, in their own words or in ours."""


@pytest.mark.parametrize("reply", FOREIGN, ids=lambda reply: f"{reply.status_code}-{reply.text[:24]}")
def test_what_a_gateway_says_proves_nothing_and_is_repeated_in_words(reply: httpx.Response) -> None:
    outcome = sent(reply)
    assert isinstance(outcome, Unknown)
    assert f"HTTP {reply.status_code}" in outcome.why
    assert "does not prove" in outcome.why
    assert "split" not in outcome.why
    assert "dataset" not in outcome.why


@pytest.mark.parametrize("reply", FOREIGN, ids=lambda reply: f"{reply.status_code}-{reply.text[:24]}")
def test_where_a_repeat_costs_nothing_the_same_is_reported_at_once(reply: httpx.Response) -> None:
    assert isinstance(sent(reply, None), Refused)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_proves_nothing_about_a_create(status: int) -> None:
    assert isinstance(sent(redirect(status)), Unknown)
    assert isinstance(sent(redirect(status), None), Unknown if status == 303 else Refused)


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
@pytest.mark.parametrize("proofs", [OPENAI, None], ids=["table", "upload"])
def test_unknown(reply: httpx.Response | Exception, proofs: tuple[Proof, ...] | None) -> None:
    outcome = sent(reply, proofs)
    assert isinstance(outcome, Unknown)
    assert outcome.why


def test_a_body_that_is_nested_without_end_proves_nothing() -> None:
    assert not proves_refusal(httpx.Response(400, content=b"[" * 100_000), OPENAI)


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
        classify_write(send, lambda body: body, explain, explain, OPENAI)
