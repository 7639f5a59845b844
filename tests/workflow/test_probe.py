"""The probe of doctor: one tiny file that is sent, looked at and deleted, whatever the service makes of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from reconciler.domain.errors import PolicyError
from reconciler.domain.observed import Observed
from reconciler.domain.spec import Expect
from reconciler.providers import open_provider
from reconciler.workflow.probing import NAME, ProbeFinding, check_account, probe_files
from tests.providers.fake_service import FakeService, Json, refusal
from tests.providers.openai_legacy.fake import OldService

NONCE = "0123456789abcdef"
ENVIRON = {"OPENAI_API_KEY": "k", "OPENAI_API_BASE": "http://127.0.0.1:8000/v1"}


@dataclass
class OddService(FakeService):
    """A service that does something to the record of a file that arrives, and hides files from its list."""

    change: Callable[[Json], object] = lambda file: None
    hides: bool = False
    refuses: str = ""

    def route(self, request: httpx.Request, path: str) -> httpx.Response:
        if request.method == self.refuses:
            return refusal(403, "not allowed", code="model_not_deletable")
        answer = super().route(request, path)
        if (request.method, path) == ("POST", "files"):
            self.change(self.files[json.loads(answer.content)["id"]])
        if (request.method, path) == ("GET", "files") and self.hides:
            return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})
        return answer


def probe(service: FakeService, profile: str = "openai") -> list[ProbeFinding]:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    provider = open_provider(profile, project="acme", environ=ENVIRON, transport=service.transport, sleep=sleep)
    return list(probe_files(provider, NONCE, lambda: now[0], sleep))


@pytest.mark.parametrize(("profile", "service"), [("openai", FakeService()), ("openai-legacy", OldService())])
def test_a_service_that_keeps_a_file_is_left_as_it_was(profile: str, service: FakeService) -> None:
    found = probe(service, profile)
    assert [each.what for each in found if not each.error] == ["upload", "read back", "list", "delete"]
    assert found[0].detail.startswith(f"{NAME}-")
    assert service.files == {}
    assert service.jobs == {}


@pytest.mark.parametrize(
    ("service", "what", "words"),
    [
        (OddService(change=lambda file: file.update(filename="upload.jsonl")), "read back", "the name 'upload.jsonl'"),
        (OddService(change=lambda file: file.update(bytes=1)), "read back", "the size 1 instead of"),
        (OddService(change=lambda file: file.update(purpose="assistants")), "read back", "the purpose 'assistants'"),
        (OddService(hides=True), "list", "does not show the file after 30 s"),
    ],
    ids=["name", "size", "purpose", "list"],
)
def test_what_is_not_kept_is_said_and_the_file_is_deleted(service: OddService, what: str, words: str) -> None:
    found = probe(service)
    assert [(each.what, words in str(each.error)) for each in found if each.error] == [(what, True)]
    assert found[-1].what == "delete"
    assert service.files == {}


def test_a_refused_upload_or_delete_is_said() -> None:
    assert [(each.what, str(each.error)) for each in probe(OddService(refuses="POST"))] == [
        ("upload", "not allowed (HTTP 403, model_not_deletable)")
    ]
    kept = probe(OddService(refuses="DELETE"))[-1]
    assert (kept.what, "not allowed" in str(kept.error)) == ("delete", True)


def test_another_account_than_the_expected_one_is_refused() -> None:
    check_account(Expect(organization=("org-a",)), Observed(service="s", organization="org-a"))
    with pytest.raises(PolicyError, match="not the service that the Project expects: the organization is org-b"):
        check_account(Expect(organization=("org-a",)), Observed(service="s", organization="org-b"))
