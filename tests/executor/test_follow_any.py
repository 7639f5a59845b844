"""Any job can be followed, ours or not: every word once, in its order, and its end."""

import math

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import MalformedError, NotFoundError, ProviderError, TemporaryError
from reconciler.domain.event import EventsMissing, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import Inventory, JobDetails, JobEvent, JobId, JobStatus, RemoteJob
from reconciler.executor import follow
from reconciler.testing import MemoryProvider
from tests.simulation import Clock

THEIRS = RemoteJob(id=JobId("ftjob-theirs"), status=JobStatus("queued"), details=JobDetails(suffix="theirs"))


class Desk:
    """A service with a foreign job, and a clock that moves when a caller waits."""

    def __init__(self, service: MemoryProvider | None = None) -> None:
        self.clock = Clock()
        self.service = service or MemoryProvider(clock=self.clock)
        self.service.foreign.append(THEIRS)
        self.stopped = False

    def move(self, status: str) -> None:
        self.service.foreign[:] = [replace(THEIRS, status=JobStatus(status))]

    def follow(self, ends_at: float = math.inf) -> list[str]:
        events = follow(
            (THEIRS,),
            self.service,
            find_job=self.service.job,
            clock=self.clock,
            sleep=self.clock.sleep,
            stopping=lambda: self.stopped,
            ends_at=ends_at,
        )
        messages = []
        for each in events:
            match each:
                case JobLogged(event=event):
                    messages.append(event.message)
                case JobMoved(job=job):
                    messages.append(f"is {job.status}")
                case EventsMissing(reason=reason):
                    messages.append(f"no events: {reason}")
                case JobVanished():
                    messages.append("is gone")
        return messages


def test_every_event_is_reported_once_and_before_the_end() -> None:
    desk = Desk()
    desk.service.log(THEIRS.id, "created")

    def end() -> None:
        desk.service.log(THEIRS.id, "sorry", "error")
        desk.move("failed")

    desk.clock.after(3, lambda: desk.move("running"))
    desk.clock.after(4, lambda: desk.service.log(THEIRS.id, "step 1"))
    desk.clock.after(8, end)
    assert desk.follow() == ["created", "is queued", "is running", "step 1", "sorry", "is failed"]


def test_a_deadline_and_a_wish_to_stop_end_the_looking_and_not_the_job() -> None:
    desk = Desk()
    assert desk.follow(ends_at=desk.clock.now + 5) == ["is queued"]
    desk.stopped = True
    assert desk.follow() == ["is queued"]


def test_a_job_that_disappears_is_reported_as_missing() -> None:
    desk = Desk()
    desk.clock.after(2, desk.service.foreign.clear)
    assert desk.follow() == ["is queued", "is gone"]


def test_a_service_that_is_away_for_a_moment_is_looked_at_again() -> None:
    class Away(MemoryProvider):
        """A service that fails some looks."""

        failing = 0

        def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
            self.failing += 1
            if self.failing in {1, 3}:
                raise TemporaryError("away")
            return super().events(job, after, most)

    desk = Desk(Away())
    desk.service.log(THEIRS.id, "created")
    desk.clock.after(10, lambda: desk.move("succeeded"))
    assert desk.follow() == ["created", "is queued", "is succeeded"]


class Bare(MemoryProvider):
    """A service whose jobs have no list of events, until it has."""

    has_events = False
    refusal: ProviderError = NotFoundError("no such path")

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
        if not self.has_events:
            raise self.refusal
        return super().events(job, after, most)


def test_a_job_without_a_list_of_events_is_followed_by_its_status() -> None:
    desk = Desk(Bare())
    desk.clock.after(3, lambda: desk.move("running"))
    desk.clock.after(8, lambda: desk.move("succeeded"))
    assert desk.follow() == ["no events: no such path", "is queued", "is running", "is succeeded"]


def test_a_list_of_events_that_cannot_be_read_does_not_hide_the_end_of_a_job() -> None:
    service = Bare()
    service.refusal = MalformedError("not JSON")
    desk = Desk(service)
    desk.clock.after(8, lambda: desk.move("succeeded"))
    assert desk.follow(ends_at=desk.clock.now + 60) == ["no events: not JSON", "is queued", "is succeeded"]


def test_events_that_are_listed_late_are_shown() -> None:
    service = Bare()
    desk = Desk(service)
    desk.service.log(THEIRS.id, "created")
    desk.clock.after(4, lambda: setattr(service, "has_events", True))
    desk.clock.after(8, lambda: desk.move("succeeded"))
    assert desk.follow() == ["no events: no such path", "is queued", "created", "is succeeded"]


def test_a_job_without_a_list_of_events_that_disappears_is_gone() -> None:
    desk = Desk(Bare())
    desk.clock.after(2, desk.service.foreign.clear)
    assert desk.follow() == ["no events: no such path", "is queued", "is gone"]


@pytest.mark.parametrize("status", ["a-new-word", "paused"])
def test_an_unknown_status_means_active(status: str) -> None:
    desk = Desk()
    desk.move(status)
    desk.clock.after(5, lambda: desk.move("cancelled"))
    assert desk.follow() == [f"is {status}", "is cancelled"]


def test_a_list_of_events_that_may_be_cut_is_reported_once_after_its_events() -> None:
    class Circling(MemoryProvider):
        """A service whose list of events has no end."""

        def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
            return replace(super().events(job, after, most), list_warnings=("the list of events goes round",))

    desk = Desk(Circling())
    desk.service.log(THEIRS.id, "created")
    desk.clock.after(3, lambda: desk.move("running"))
    desk.clock.after(8, lambda: desk.move("succeeded"))
    told = ["created", "no events: the list of events goes round", "is queued", "is running", "is succeeded"]
    assert desk.follow() == told
