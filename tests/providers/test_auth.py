"""Addresses of services, credentials, and keys that are never shown."""

import logging
import pickle
import traceback
from typing import Any

import httpx
import pytest

from reconciler.domain.errors import DeniedError, ProviderError, ReconcilerError, UsageError
from reconciler.domain.observed import FileId, JobId, ModelId
from reconciler.domain.ports import Message, Refused, Unknown
from reconciler.providers import PROFILES, open_provider
from reconciler.providers.http import Credentials, read_endpoint
from tests.factories import a_dataset, a_model
from tests.providers.fake_service import FakeService
from tests.providers.fakes import Bottom, Clock, Parts

CANARY = "canary-0123456789-key"
OPENAI, LOCAL = PROFILES["openai"], PROFILES["local"]


def test_a_missing_key_is_named() -> None:
    for environ in ({}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": " \n"}):
        with pytest.raises(DeniedError, match="OPENAI_API_KEY"):
            open_provider("openai", project="acme", environ=environ)


@pytest.mark.parametrize("key", [f"{CANARY}\nX-Evil: 1", f"{CANARY} x", f"{CANARY}é", f"{CANARY}\x00"])
def test_a_malformed_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(DeniedError, match="OPENAI_API_KEY") as caught:
        read_endpoint(OPENAI, {"OPENAI_API_KEY": key})
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_key_may_end_in_a_line_break() -> None:
    """Secrets in files and in CI often end so."""
    endpoint = read_endpoint(OPENAI, {"OPENAI_API_KEY": f"{CANARY}\n"})
    assert endpoint.credentials.headers == {"authorization": f"Bearer {CANARY}"}


def test_the_organisation_and_project_are_sent() -> None:
    environ = {"OPENAI_API_KEY": CANARY, "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj_1"}
    headers = read_endpoint(OPENAI, environ).credentials.headers
    assert (headers["openai-organization"], headers["openai-project"]) == ("org-1", "proj_1")
    with pytest.raises(UsageError, match="OPENAI_ORG_ID"):
        read_endpoint(OPENAI, {**environ, "OPENAI_ORG_ID": "org 1\r\nX: 1"})


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("", "https://api.openai.com/v1"),
        ("https://models.example.test/v1", "https://models.example.test/v1"),
        ("https://models.example.test:8443/v1/", "https://models.example.test:8443/v1"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://localhost/v1", "http://localhost/v1"),
    ],
)
def test_addresses_that_a_key_may_be_sent_to(url: str, base: str) -> None:
    assert str(read_endpoint(OPENAI, {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": url}).url) == base


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example.test/v1",
        "http://127.0.0.1.example.test/v1",
        "http://0.0.0.0/v1",
        "http://10.0.0.1/v1",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "api.openai.com/v1",
        "https://user:hunter2@models.example.test/v1",
        "https://user@models.example.test/v1",
        "https://models.example.test/v1?key=hunter2",
        "https://models.example.test/v1#x",
        "https://models.example.test:port/v1",
        "https://[::1/v1",
        "https:///v1",
        "https://models.example.test/v1\r\nX: 1",
    ],
)
def test_addresses_that_a_key_may_not_be_sent_to(url: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_BASE_URL") as caught:
        read_endpoint(OPENAI, {"OPENAI_API_KEY": CANARY, "OPENAI_BASE_URL": url})
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_the_local_service_is_in_this_program_or_on_this_machine() -> None:
    assert read_endpoint(LOCAL, {}).credentials.headers == {}
    environ = {"RECONCILER_LOCAL_URL": "http://127.0.0.1:8123", "RECONCILER_LOCAL_KEY": CANARY}
    endpoint = read_endpoint(LOCAL, environ)
    assert (str(endpoint.url), endpoint.host) == ("http://127.0.0.1:8123/v1", "127.0.0.1:8123")
    assert endpoint.credentials.headers["authorization"] == f"Bearer {CANARY}"
    with pytest.raises(DeniedError, match="RECONCILER_LOCAL_KEY"):
        read_endpoint(LOCAL, {"RECONCILER_LOCAL_URL": "http://127.0.0.1:8123"})
    with pytest.raises(UsageError, match="RECONCILER_LOCAL_URL"):
        read_endpoint(LOCAL, {**environ, "RECONCILER_LOCAL_URL": "https://models.example.test"})


def test_credentials_do_not_show() -> None:
    credentials = Credentials(CANARY, "org-1", "proj_1")
    assert CANARY not in f"{credentials!r} {credentials!s}"
    assert CANARY not in repr(read_endpoint(OPENAI, {"OPENAI_API_KEY": CANARY}))
    assert list(Credentials("id").hide([b'{"id": 1}'])) == [b'{"id": 1}'], "hiding never spoils an answer"


@pytest.mark.parametrize(
    "text", [f"a {CANARY} b", f"{CANARY}{CANARY}", f"canary {CANARY[:-1]}", f"can{CANARY}", "", "canar"]
)
def test_a_key_is_hidden_wherever_the_text_is_split(text: str) -> None:
    clean = text.replace(CANARY, "[hidden]").encode()
    hide = Credentials(CANARY).hide
    assert b"".join(hide([text.encode()])) == clean
    assert b"".join(hide(bytes([byte]) for byte in text.encode())) == clean


def test_hiding_delays_no_text_without_need() -> None:
    assert list(Credentials(CANARY).hide([b"one", b"two can", b"not"])) == [b"one", b"two ", b"cannot"]


def answers() -> list[Any]:
    """Return every way in which a service could repeat a key."""
    echo = f"Incorrect API key provided: {CANARY}"
    return [
        httpx.ConnectError(f"refused {CANARY}"),
        httpx.ReadError(f"reset {CANARY}"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {CANARY}'"),
        lambda _: httpx.Response(401, json={"error": {"message": echo, "code": CANARY, "param": CANARY}}),
        lambda _: httpx.Response(500, text=echo),
        lambda _: httpx.Response(302, headers={"location": f"https://elsewhere.test/{CANARY}"}),
        lambda _: httpx.Response(200, text=echo),
        lambda _: httpx.Response(200, json={"id": [CANARY]}),
        lambda _: httpx.Response(401, stream=Parts(echo.encode())),
        lambda request: httpx.Response(200, text=str(request.headers["authorization"])),
    ]


@pytest.mark.parametrize("reply", answers())
def test_no_call_reveals_the_key(reply: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The key is in no error, cause, repr or attribute, in no outcome and in no log."""
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    provider = open_provider(
        "openai",
        project="acme",
        environ={"OPENAI_API_KEY": CANARY},
        transport=Bottom(reply),
        clock=clock,
        sleep=clock.sleep,
    )
    texts: list[str] = [repr(provider), repr(vars(provider))]
    dataset = a_dataset()
    reads = (
        provider.observe,
        lambda: provider.jobs_of(a_model().stamp),
        lambda: provider.job(JobId("ftjob-1")),
        lambda: provider.events(JobId("ftjob-1"), None),
        lambda: provider.checkpoints(JobId("ftjob-1")),
        lambda: provider.find_file(dataset),
        lambda: provider.file(FileId("file-1")),
        lambda: provider.model(ModelId("m")),
        lambda: list(provider.answer(ModelId("m"), (Message(role="user", content="x"),))),
        lambda: list(provider.complete(ModelId("m"), "x")),
    )
    for read in reads:
        with pytest.raises(ReconcilerError) as caught:
            read()
        texts += ["".join(traceback.format_exception(caught.value)), repr(vars(caught.value))]
    content = b"x" * dataset.measure.size_bytes
    for outcome in (
        provider.upload(dataset, iter([content])),
        provider.create_job(a_model(), FileId("file-1"), None, ()),
        provider.cancel(JobId("ftjob-1")),
        provider.delete(FileId("file-1"), is_model=False),
    ):
        assert isinstance(outcome, Refused | Unknown)
        texts.append(repr(outcome))
        if isinstance(outcome, Refused):
            texts += ["".join(traceback.format_exception(outcome.error)), repr(vars(outcome.error))]
    texts.append(caplog.text)
    assert CANARY not in "\n".join(texts)


def test_the_key_is_sent_to_its_own_address_only() -> None:
    service = FakeService()
    provider = open_provider(
        "openai", project="acme", environ={"OPENAI_API_KEY": CANARY}, transport=service.transport, sleep=lambda _: None
    )
    provider.observe()
    assert {request.headers["authorization"] for request in service.requests} == {f"Bearer {CANARY}"}
    assert {request.url.host for request in service.requests} == {"api.openai.com"}


def test_an_error_of_ours_can_be_sent_to_another_process() -> None:
    with pytest.raises(ProviderError) as caught:
        read_endpoint(OPENAI, {})
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
