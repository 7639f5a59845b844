"""A CI job's own identity instead of a key: the requests, the renewal, and tokens that are never shown."""

import json
import traceback
from typing import Any

import httpx
import msgspec
import pytest

from reconciler.domain.errors import DeniedError, ReconcilerError, UsageError
from reconciler.domain.observed import FileId
from reconciler.domain.ports import Refused
from reconciler.providers import PROFILES, describe_signing, open_provider
from reconciler.providers.http import read_endpoint
from reconciler.providers.http.workload_identity import Identity, TokenExchange, UnsignedError, read_identity
from tests.factories import a_model
from tests.providers.fake_service import FakeService
from tests.providers.fakes import Clock

OPENAI = PROFILES["openai"]
KEY = "canary-0123456789-key"
REQUEST_TOKEN = "canary-request-token"
STATEMENT = "canary.signed.statement"

JOB = {
    "OPENAI_IDENTITY_PROVIDER_ID": "idp_1",
    "OPENAI_SERVICE_ACCOUNT_ID": "sa_1",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://run-1.actions.githubusercontent.com/abc//idtoken?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
}


class Issuers(httpx.BaseTransport):
    """GitHub, OpenAI's exchange and a service behind them; records every request."""

    def __init__(self, service: httpx.BaseTransport | None = None, *, lasts: Any = 3600) -> None:
        self.service = service
        self.lasts = lasts
        self.wrong: dict[str, httpx.Response | Exception] = {}
        self.asked: list[httpx.Request] = []
        self.issued = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        host = request.url.host
        if host in self.wrong:
            wrong = self.wrong[host]
            if isinstance(wrong, Exception):
                raise wrong
            return httpx.Response(wrong.status_code, headers=wrong.headers, content=wrong.content)
        if host == "run-1.actions.githubusercontent.com":
            return httpx.Response(200, json={"count": 1, "value": STATEMENT})
        if host == "auth.openai.com":
            self.issued += 1
            token = {"access_token": f"canary-token-{self.issued}", "token_type": "Bearer", "expires_in": self.lasts}
            return httpx.Response(200, json=token)
        assert self.service is not None, f"no request should go to {host}"
        return self.service.handle_request(request)


def an_exchange(issuers: Issuers, clock: Clock) -> TokenExchange:
    identity = read_identity(JOB, has_key=False)
    assert identity is not None
    return TokenExchange(identity, lambda: issuers, clock)


def test_a_github_identity_is_exchanged_for_a_token() -> None:
    issuers = Issuers()
    assert an_exchange(issuers, Clock()).token() == "canary-token-1"

    vouching, exchanging = issuers.asked
    assert (vouching.method, vouching.headers["authorization"]) == ("GET", f"Bearer {REQUEST_TOKEN}")
    assert str(vouching.url) == f"{JOB['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=https%3A%2F%2Fapi.openai.com%2Fv1"
    assert (exchanging.method, str(exchanging.url)) == ("POST", "https://auth.openai.com/oauth/token")
    assert "authorization" not in exchanging.headers
    assert json.loads(exchanging.read()) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "subject_token": STATEMENT,
        "identity_provider_id": "idp_1",
        "service_account_id": "sa_1",
    }


def test_a_run_signs_with_the_token_and_sends_it_to_the_service_only() -> None:
    service = FakeService()
    issuers = Issuers(service.transport)
    provider = open_provider("openai", project="acme", environ=JOB, transport=issuers, sleep=lambda _: None)
    provider.observe()

    assert {request.headers["authorization"] for request in service.requests} == {"Bearer canary-token-1"}
    assert issuers.issued == 1
    for request in issuers.asked:
        if request.url.host != "api.openai.com":
            assert b"canary-token" not in request.read() + str(request.headers.raw).encode()


@pytest.mark.parametrize(
    ("lasts", "still", "over"), [(3600, 3299.0, 3301.0), (600, 299.0, 301.0), (60, 29.0, 31.0), (0.5, 0.2, 0.3)]
)
def test_a_token_is_replaced_before_it_expires(lasts: float, still: float, over: float) -> None:
    """It is replaced five minutes before its end, or at half of a short lifetime."""
    issuers, clock = Issuers(lasts=lasts), Clock()
    exchange = an_exchange(issuers, clock)
    exchange.token()
    clock.now = 1000.0 + still
    assert exchange.token() == "canary-token-1"
    clock.now = 1000.0 + over
    assert exchange.token() == "canary-token-2"
    assert set(exchange.secrets) == {REQUEST_TOKEN, STATEMENT, "canary-token-1", "canary-token-2"}


def test_a_token_that_cannot_be_replaced_is_used_to_its_end_and_no_longer() -> None:
    issuers, clock = Issuers(), Clock()
    exchange = an_exchange(issuers, clock)
    exchange.token()
    issuers.wrong["auth.openai.com"] = httpx.ConnectError("away")
    clock.now = 1000.0 + 3500.0
    assert exchange.token() == "canary-token-1"
    clock.now = 1000.0 + 3600.0
    with pytest.raises(UnsignedError):
        exchange.token()


WRONG: dict[str, httpx.Response | Exception] = {
    "refused": httpx.Response(401, json={"error": "invalid_grant", "error_description": f"bad {STATEMENT}"}),
    "redirected": httpx.Response(302, headers={"location": "https://evil.example.test"}),
    "away": httpx.ConnectError(f"no way with {REQUEST_TOKEN}"),
    "late": httpx.ReadTimeout("late"),
    "no JSON": httpx.Response(200, content=b"<html>"),
    "another shape": httpx.Response(200, json=[1]),
    "without a token": httpx.Response(200, json={"value": "", "access_token": "", "expires_in": 5}),
    "a token of two lines": httpx.Response(200, json={"value": "a\nX: 1", "access_token": "a\nX: 1", "expires_in": 5}),
    "a token that has expired": httpx.Response(200, json={"access_token": "abcdef", "expires_in": 0}),
    "a token without an end": httpx.Response(200, json={"access_token": "abcdef", "expires_in": True}),
    "far too large": httpx.Response(200, content=b'{"value": "' + b"a" * 100_000 + b'"}'),
    "very deep": httpx.Response(200, content=b"[" * 5000),
}


def test_a_token_that_is_to_last_for_ever_is_renewed_after_a_day() -> None:
    issuers, clock = Issuers(), Clock()
    issuers.wrong["auth.openai.com"] = httpx.Response(
        200, content=b'{"access_token": "canary-token-1", "expires_in": 1' + b"0" * 400 + b"}"
    )
    exchange = an_exchange(issuers, clock)
    asked = [exchange.token() and len(issuers.asked) for clock.now in (0.0, 80_000.0, 86_401.0)]
    assert asked == [2, 2, 4]


@pytest.mark.parametrize("host", ["run-1.actions.githubusercontent.com", "auth.openai.com"])
@pytest.mark.parametrize("name", WRONG)
def test_after_any_failed_exchange_nothing_is_sent_and_no_token_is_shown(name: str, host: str) -> None:
    service = FakeService()
    issuers = Issuers(service.transport)
    issuers.wrong[host] = WRONG[name]
    provider = open_provider("openai", project="acme", environ=JOB, transport=issuers, sleep=lambda _: None)
    with pytest.raises(DeniedError, match="no token for api") as caught:
        provider.observe()

    assert "docs/keyless.md" in caught.value.hint
    assert service.requests == []
    assert "evil.example.test" not in {request.url.host for request in issuers.asked}
    output = "".join(traceback.format_exception(caught.value))
    assert not any(secret in output for secret in (REQUEST_TOKEN, STATEMENT, "canary-token"))
    if name == "refused":
        assert "invalid_grant" in output


def test_a_create_without_a_token_was_provably_not_sent() -> None:
    issuers = Issuers(FakeService().transport)
    issuers.wrong["auth.openai.com"] = httpx.ReadTimeout("late")
    provider = open_provider("openai", project="acme", environ=JOB, transport=issuers, sleep=lambda _: None)
    outcome = provider.create_job(a_model(), FileId("file-1"), None, ())
    assert isinstance(outcome, Refused)
    assert [request.url.host for request in issuers.asked if request.url.host == "api.openai.com"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://run-1.actions.githubusercontent.com/x?a=b",
        "https://actions.githubusercontent.com.example.test/x?a=b",
        "https://evilactions.githubusercontent.com/x?a=b",
        "https://example.test/.actions.githubusercontent.com?a=b",
        "https://user@run-1.actions.githubusercontent.com/x",
        "https://run-1.actions.githubusercontent.com:8443/x",
        "https://run-1.actions.githubusercontent.com/x#f",
        "https://run-1.actions.githubusercontent.com\\@example.test/x",
        "https://run-1.actions.githubusercontent.com/x y",
        "https://[::1/x",
    ],
)
def test_only_github_is_asked_for_an_identity(url: str) -> None:
    with pytest.raises(UsageError, match="ACTIONS_ID_TOKEN_REQUEST_URL") as caught:
        read_endpoint(OPENAI, {**JOB, "ACTIONS_ID_TOKEN_REQUEST_URL": url})
    assert REQUEST_TOKEN not in str(caught.value)


def test_identity_or_key_is_chosen_by_the_environment() -> None:
    """Identity is used where it is requested and GitHub provides it, else the key; neither replaces the other."""
    identity = "workload identity, as service account sa_1"
    outside = {name: value for name, value in JOB.items() if not name.startswith("ACTIONS_")}
    assert describe_signing(OPENAI, JOB) == identity
    assert describe_signing(OPENAI, {**JOB, "OPENAI_API_KEY": KEY}) == identity
    assert describe_signing(OPENAI, {**outside, "OPENAI_API_KEY": KEY}) == "the key in OPENAI_API_KEY"
    assert describe_signing(OPENAI, {"OPENAI_API_KEY": KEY}) == "the key in OPENAI_API_KEY"
    assert describe_signing(PROFILES["local"], JOB) == "none needed"
    with pytest.raises(DeniedError, match="vouches") as caught:
        describe_signing(OPENAI, outside)
    assert "id-token: write" in caught.value.hint


@pytest.mark.parametrize("missing", ["OPENAI_IDENTITY_PROVIDER_ID", "OPENAI_SERVICE_ACCOUNT_ID"])
def test_an_incomplete_identity_is_an_error(missing: str) -> None:
    environ = {**{name: value for name, value in JOB.items() if name != missing}, "OPENAI_API_KEY": KEY}
    with pytest.raises(UsageError, match=missing):
        describe_signing(OPENAI, environ)


@pytest.mark.parametrize(
    "url", ["https://gateway.example.test/v1", "http://127.0.0.1:9/v1", "https://api.openai.com:8443/v1"]
)
def test_a_token_is_for_the_services_own_host(url: str) -> None:
    with pytest.raises(DeniedError, match="OPENAI_API_KEY"):
        read_endpoint(OPENAI, {**JOB, "OPENAI_BASE_URL": url})


@pytest.mark.parametrize(
    "name", ["OPENAI_IDENTITY_PROVIDER_ID", "OPENAI_IDENTITY_AUDIENCE", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
)
def test_a_variable_of_two_lines_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        read_endpoint(OPENAI, {**JOB, name: "a\r\nX: 1"})


def test_no_secret_is_in_a_repr() -> None:
    identity = read_identity(JOB, has_key=False)
    assert isinstance(identity, Identity)
    assert REQUEST_TOKEN not in repr(identity)
    assert "githubusercontent" not in repr(identity)
    assert REQUEST_TOKEN not in repr(read_endpoint(OPENAI, JOB))


def test_a_token_that_the_service_repeats_is_not_shown() -> None:
    issuers = Issuers(httpx.MockTransport(_echo))
    provider = open_provider("openai", project="acme", environ=JOB, transport=issuers, sleep=lambda _: None)
    with pytest.raises(ReconcilerError) as caught:
        provider.observe()
    assert "canary-token" not in "".join(traceback.format_exception(caught.value))


def _echo(request: httpx.Request) -> httpx.Response:
    error = {"error": {"message": f"who is {request.headers['authorization']}?"}}
    return httpx.Response(401, content=msgspec.json.encode(error))
