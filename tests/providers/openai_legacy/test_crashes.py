"""A process that is killed at any request, and a connection that breaks while a job is followed."""

import httpx
import pytest

from reconciler.domain.event import Event, JobLogged, JobMoved
from reconciler.domain.observed import FileId
from reconciler.domain.plan import Train
from reconciler.domain.ports import Done
from reconciler.executor import RunContext, create, watch
from reconciler.providers import HttpProvider, open_provider
from tests.providers.fakes import Clock
from tests.providers.openai_legacy.factories import URL, opened, sent, wanted
from tests.providers.openai_legacy.fake import OldService

MODEL = wanted(epochs=3)


class DiedError(BaseException):
    """The end of a process. No code catches it."""


class Mortal(httpx.BaseTransport):
    """Ends the process at one request, before or after it reached the service."""

    def __init__(self, service: OldService, at: int, *, after: bool) -> None:
        self.service, self.left, self.after = service, at, after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise DiedError
        answer = self.service.handle(request)
        if self.left == 0:
            raise DiedError
        return answer


def make_bench(provider: HttpProvider, file: FileId) -> RunContext:
    clock = Clock()
    bench = RunContext(provider=provider, open_dataset=lambda _: iter(()), clock=clock, sleep=clock.sleep)
    bench.learn(MODEL.training, file)
    return bench


def through(transport: httpx.BaseTransport) -> HttpProvider:
    environ = {"OPENAI_API_KEY": "key-of-a-test", "OPENAI_API_BASE": URL}
    clock = Clock()
    return open_provider(
        "openai-legacy", project="acme", environ=environ, transport=transport, clock=clock, sleep=clock.sleep
    )


def requests_of_a_create() -> int:
    service = OldService()
    file = sent(service, MODEL)
    service.requests.clear()
    create(Train(model=MODEL), make_bench(opened(service), file))
    return len(service.requests)


CREATE = requests_of_a_create()


def test_a_create_takes_ten_requests() -> None:
    """Look (2), name of the file, label, its name, create, label, tidy, and look for a twin (2)."""
    assert CREATE == 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CREATE + 1))
@pytest.mark.parametrize("end", ["pending", "running", "succeeded", "failed"])
def test_whenever_a_process_is_killed_the_next_one_finds_its_job(at: int, after: bool, end: str) -> None:
    """There is at most one job, its model is known in every state, and the next run completes the work."""
    service = OldService()
    file = sent(service, MODEL)
    with pytest.raises(DiedError):
        create(Train(model=MODEL), make_bench(through(Mortal(service, at, after=after)), file))
    assert len(service.jobs) <= 1
    for job in service.jobs:
        if end == "succeeded":
            service.finish(job)
        else:
            service.jobs[job]["status"] = end

    observed = opened(service).observe()
    assert ([job.id for job in observed.jobs], observed.contradictions) == (list(service.jobs), ())
    assert all(job.is_of(MODEL.stamp) for job in observed.jobs)
    spent = tuple(job.id for job in observed.jobs if job.status.word == "failed")
    create(Train(model=MODEL, excluded_jobs=spent), make_bench(opened(service), file))
    assert len(service.jobs) == 1 + len(spent)
    assert opened(service).observe().contradictions == ()


class Flaky(httpx.BaseTransport):
    """Cuts every second answer in the middle, and advances the job at each request."""

    def __init__(self, service: OldService, job: str) -> None:
        self.service, self.job, self.asked = service, job, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.asked < 30:
            self.service.log(self.job, "Completed an epoch")
        elif self.service.jobs[self.job]["status"] != "succeeded":
            self.service.finish(self.job)
        if self.asked % 2 or self.asked in range(8, 20):
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        return self.service.handle(request)


def test_following_over_a_broken_connection_reports_every_event_once() -> None:
    service = OldService()
    file = sent(service, MODEL)
    created = opened(service).create_job(MODEL, file, None, ())
    assert isinstance(created, Done)
    flaky = through(Flaky(service, created.value.id))
    events: list[Event] = list(watch([created.value.id], make_bench(flaky, file)))

    event_ids = [event.event.id for event in events if isinstance(event, JobLogged)]
    assert event_ids == [
        f"{created.value.id}:{number}" for number in range(1, len(service.events[created.value.id]) + 1)
    ]
    assert len(event_ids) > 20
    moves = [event.job.status.word for event in events if isinstance(event, JobMoved)]
    assert moves == ["pending", "succeeded"]
