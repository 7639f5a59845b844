"""How often each write is sent, and how it ends: one table for what a service, a gateway or the network does to it."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from reconciler.domain.observed import FileId, JobId
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.providers import HttpProvider
from tests.factories import a_dataset
from tests.providers.fake_service import FakeService, Trouble, refusal
from tests.providers.test_provider import MODEL, opened, ours

Answer = Callable[[httpx.Request], httpx.Response] | None
HTML = "<html>Try again later</html>"
OFTEN = 20
"""More troubles than any write has attempts."""


def say(status: int) -> Answer:
    return lambda _: refusal(status, "no")


def say_busy(_: httpx.Request) -> httpx.Response:
    words = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    return httpx.Response(429, json={"error": words})


TROUBLES: dict[str, tuple[bool, Answer]] = {
    "500": (False, say(500)),
    "500 after the effect": (True, say(500)),
    "502 of HTML": (False, lambda _: httpx.Response(502, text=HTML)),
    "502 of HTML after the effect": (True, lambda _: httpx.Response(502, text=HTML)),
    "503": (False, say(503)),
    "507": (False, say(507)),
    "429": (False, say_busy),
    "429 of HTML": (False, lambda _: httpx.Response(429, text=HTML)),
    "cut before the effect": (False, None),
    "cut after the effect": (True, None),
}


@dataclass
class Written:
    """A service with one file and one job of ours, and what a write left there."""

    service: FakeService
    file: FileId
    job: JobId
    outcome: Write[object]

    @property
    def sent(self) -> int:
        return sum(request.method != "GET" for request in self.service.requests)


def upload(provider: HttpProvider, _: FileId, __: JobId) -> Write[object]:
    dataset = a_dataset()
    return provider.upload(dataset, iter([b"x" * dataset.measure.size_bytes]))


def create(provider: HttpProvider, file: FileId, _: JobId) -> Write[object]:
    return provider.create_job(MODEL, file, None, ())


def cancel(provider: HttpProvider, _: FileId, job: JobId) -> Write[object]:
    return provider.cancel(job)


def delete(provider: HttpProvider, file: FileId, _: JobId) -> Write[object]:
    return provider.delete(file, is_model=False)


def write(verb: Callable[[HttpProvider, FileId, JobId], Write[object]], name: str, times: int) -> Written:
    service = FakeService()
    file, job = FileId(service.add_file("x.jsonl")), JobId(service.add_job(**ours()))
    has_effect, answer = TROUBLES[name]
    service.troubles = [Trouble(has_effect, answer) for _ in range(times)]
    with opened(service) as provider:
        return Written(service, file, job, verb(provider, file, job))


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("verb", [upload, create, cancel])
def test_an_upload_a_create_and_a_cancel_are_sent_once_and_only_proof_is_a_refusal(
    verb: Callable[[HttpProvider, FileId, JobId], Write[object]], name: str
) -> None:
    """A 429 of a gateway refuses an upload, because a second upload costs nothing; it proves nothing about the others.

    The repeats of an upload without a clear answer are made above, each after a look and with a line of its own.
    """
    refusing = {"429", "429 of HTML"} if verb is upload else {"429"}
    for times in (1, OFTEN):
        written = write(verb, name, times)
        assert (written.sent, type(written.outcome)) == (1, Refused if name in refusing else Unknown)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_delete_is_sent_until_it_is_answered(name: str) -> None:
    written = write(delete, name, 1)
    assert (written.sent, written.outcome) == (2, Done(None))
    assert written.file not in written.service.files


@pytest.mark.parametrize("name", TROUBLES)
def test_a_delete_that_is_never_answered_ends_with_what_a_look_shows(name: str) -> None:
    written = write(delete, name, OFTEN)
    is_gone = written.file not in written.service.files
    assert is_gone == TROUBLES[name][0]
    assert type(written.outcome) is (Done if is_gone else Refused if name == "429" else Unknown)
    assert written.sent < OFTEN


@pytest.mark.parametrize("verb", [create, cancel, delete])
def test_a_failure_that_is_not_known_is_told_with_what_the_service_said(
    verb: Callable[[HttpProvider, FileId, JobId], Write[object]],
) -> None:
    outcome = write(verb, "500", OFTEN).outcome
    assert isinstance(outcome, Unknown)
    assert outcome.why == "no (HTTP 500); this answer does not prove that nothing was done"
