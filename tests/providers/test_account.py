"""The account that a service reports in its headers, and a warning when its answers disagree."""

import httpx
import pytest

from reconciler.domain.errors import MalformedError
from reconciler.providers import HttpProvider, open_provider
from reconciler.providers.http.answer_headers import Account
from tests.factories import a_model
from tests.providers.fake_service import FakeService
from tests.providers.fakes import Clock
from tests.providers.openai_legacy.fake import OldService

STAMP = a_model().stamp
ENVIRON = {
    "openai": {"OPENAI_API_KEY": "key-of-a-test"},
    "openai-legacy": {"OPENAI_API_KEY": "key-of-a-test", "OPENAI_API_BASE": "http://127.0.0.1:8000/v1"},
}


def opened(transport: httpx.BaseTransport, profile: str = "openai") -> HttpProvider:
    clock = Clock()
    return open_provider(
        profile, project="acme", environ=ENVIRON[profile], transport=transport, clock=clock, sleep=clock.sleep
    )


@pytest.mark.parametrize(("profile", "host"), [("openai", "api.openai.com"), ("openai-legacy", "127.0.0.1:8000")])
def test_an_observation_holds_host_organisation_project_and_region(profile: str, host: str) -> None:
    service = OldService() if profile == "openai-legacy" else FakeService()
    service.account = {"openai-organization": "org-a", "openai-project": "proj_b", "x-ms-region": "Sweden Central"}
    observed = opened(service.transport, profile).observe()
    assert (observed.host, observed.organization, observed.project, observed.region) == (
        host,
        "org-a",
        "proj_b",
        "Sweden Central",
    )
    assert observed.service == f"{host}/org-a/proj_b"


def test_missing_values_are_unknown() -> None:
    observed = opened(FakeService(account={"openai-organization": " "}).transport).observe()
    assert (observed.organization, observed.project, observed.region) == (None, None, None)
    assert observed.service == "api.openai.com"


def changing(header: str) -> httpx.MockTransport:
    """Return a transport whose first answer is for one account and all others for another."""
    service = FakeService(account={header: "first"})

    def handle(request: httpx.Request) -> httpx.Response:
        with service.lock:
            answer = service.handle(request)
            service.account[header] = "second"
            return answer

    return httpx.MockTransport(handle)


@pytest.mark.parametrize(("header", "what"), [("openai-organization", "organization"), ("openai-project", "project")])
def test_answers_for_two_accounts_give_a_warning(header: str, what: str) -> None:
    whose = Account()
    for name in ("first", "second", "second"):
        whose.read_headers({header: name})
    assert whose.warnings == (f"the service answered for the {what} first, and then for second",)


@pytest.mark.parametrize(("header", "what"), [("openai-organization", "organization"), ("openai-project", "project")])
def test_an_observation_of_two_accounts_is_doubtful_and_prevents_a_create(header: str, what: str) -> None:
    provider = opened(changing(header))
    (doubt,) = provider.observe().list_warnings
    assert what in doubt
    with pytest.raises(MalformedError, match=what):
        provider.jobs_of(STAMP)


def test_answers_from_two_regions_give_no_warning() -> None:
    assert opened(changing("x-ms-region")).observe().list_warnings == ()


def test_a_very_long_account_name_is_shortened() -> None:
    whose = Account()
    whose.read_headers({"openai-organization": "o" * 5000})
    assert whose.organization == "o" * 200
