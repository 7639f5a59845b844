"""Whom a service says that it answers: heard from its headers, and doubted when it says now this and now that."""

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
def test_a_look_tells_host_organisation_project_and_region(profile: str, host: str) -> None:
    service = OldService() if profile == "openai-legacy" else FakeService()
    service.account = {"openai-organization": "org-a", "openai-project": "proj_b", "x-ms-region": "Sweden Central"}
    seen = opened(service.transport, profile).observe()
    assert (seen.host, seen.organization, seen.project, seen.region) == (host, "org-a", "proj_b", "Sweden Central")


def test_what_is_not_said_is_not_known() -> None:
    seen = opened(FakeService(account={"openai-organization": " "}).transport).observe()
    assert (seen.organization, seen.project, seen.region) == (None, None, None)
    assert seen.service == "api.openai.com"


def changing(header: str) -> httpx.MockTransport:
    """The first answer is for one account, and all others are for another."""
    service = FakeService(account={header: "first"})

    def handle(request: httpx.Request) -> httpx.Response:
        with service.lock:
            answer = service.handle(request)
            service.account[header] = "second"
            return answer

    return httpx.MockTransport(handle)


@pytest.mark.parametrize(("header", "what"), [("openai-organization", "organization"), ("openai-project", "project")])
def test_answers_for_two_accounts_are_no_one_picture(header: str, what: str) -> None:
    whose = Account()
    for said in ("first", "second", "second"):
        whose.read_headers({header: said})
    assert whose.warnings == (f"the service answered for the {what} first, and then for second",)


@pytest.mark.parametrize(("header", "what"), [("openai-organization", "organization"), ("openai-project", "project")])
def test_what_was_seen_of_two_accounts_is_doubted_and_no_ground_for_a_create(header: str, what: str) -> None:
    provider = opened(changing(header))
    (doubt,) = provider.observe().list_warnings
    assert what in doubt
    with pytest.raises(MalformedError, match=what):
        provider.jobs_of(STAMP)


def test_one_region_may_answer_for_another() -> None:
    assert opened(changing("x-ms-region")).observe().list_warnings == ()


def test_a_name_longer_than_any_is_cut() -> None:
    whose = Account()
    whose.read_headers({"openai-organization": "o" * 5000})
    assert whose.organization == "o" * 200
