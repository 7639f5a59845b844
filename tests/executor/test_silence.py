"""A service that does not answer: a person learns it after seconds, and time runs out as asked."""

import math
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reconciler.domain.errors import DeniedError, MalformedError, TemporaryError
from reconciler.domain.event import Event, Interrupted, JobMoved, ServiceAnswered, ServiceSilent
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.executor import RunContext, watch
from reconciler.render import event_json, event_text
from tests.executor.test_watch import JOB, running
from tests.simulation import Sandbox

AWAY = TemporaryError("svc.test could not be reached: connection refused")


class Silent:
    """A service whose answers are replaced by an error while a test says so."""

    def __init__(self, sandbox: Sandbox, error: Exception, until: float) -> None:
        self.sandbox, self.error, self.until = sandbox, error, sandbox.clock.now + until

    def __getattr__(self, name: str) -> object:
        return getattr(self.sandbox.service, name)

    def job(self, job: JobId) -> RemoteJob:
        if self.sandbox.clock.now < self.until:
            raise self.error
        return self.sandbox.service.job(job)


def context_with(
    sandbox: Sandbox, error: Exception = AWAY, until: float = math.inf, seconds: float = math.inf
) -> RunContext:
    context = sandbox.context()
    context.ends_at = context.clock() + seconds
    context.provider = Silent(sandbox, error, until)  # type: ignore[assignment]  # the same port, by delegation
    return context


def silences(events: list[Event]) -> list[float]:
    return [event.seconds for event in events if isinstance(event, ServiceSilent)]


def test_silence_is_reported_after_seconds_and_then_ever_more_seldom() -> None:
    sandbox = running()
    events = list(watch([JOB], context_with(sandbox, seconds=1000)))
    assert silences(events) == [10, 20, 40, 80, 160, 320, 640]
    assert not [event for event in events if isinstance(event, JobMoved)]


def test_the_report_says_since_when_why_and_what_is_done() -> None:
    sandbox = running()
    (first, *_) = watch([JOB], context_with(sandbox, seconds=15))
    text = event_text(first)
    assert "has not answered for 10s" in text
    assert "connection refused" in text
    assert "The jobs continue there" in text
    assert "asking again" in text
    assert '"type": "service_silent"' in event_json(first)
    assert "connection refused" in event_json(first)


def test_an_answer_ends_the_silence_and_is_reported_once() -> None:
    sandbox = running()
    sandbox.clock.after(30, lambda: sandbox.service.finish(JOB))
    events = list(watch([JOB], context_with(sandbox, until=25)))
    assert silences(events) == [10, 20]
    (answered,) = [event for event in events if isinstance(event, ServiceAnswered)]
    assert answered.seconds == 25
    assert "answers again, after 25s" in event_text(answered)
    assert isinstance(events[-1], JobMoved)
    assert str(events[-1].job.status) == "succeeded"


@pytest.mark.parametrize("pause", [10.0, 30.0])
def test_our_own_pause_between_looks_is_no_silence(pause: float) -> None:
    sandbox = running()
    context = sandbox.context()
    context.provider = Paused(sandbox, pause)  # type: ignore[assignment]  # the same port, by delegation
    context.look_pool = lambda look: sandbox.clock.after(0.1, look)
    began = sandbox.clock.now
    context.ends_at = began + 45
    events = list(watch([JOB], context))
    assert silences(events) == []
    assert 45 <= sandbox.clock.now - began < 46, "and the last pause ends with the time"


class Paused:
    """A service that is asked again after a pause of so long."""

    def __init__(self, sandbox: Sandbox, pause: float) -> None:
        self.sandbox = sandbox
        self.capabilities = replace(sandbox.service.capabilities, poll_seconds=pause)

    def __getattr__(self, name: str) -> object:
        return getattr(self.sandbox.service, name)


@pytest.mark.parametrize("seconds", [1, 5, 9])
def test_a_short_silence_is_not_worth_a_word(seconds: int) -> None:
    sandbox = running()
    sandbox.clock.after(12, lambda: sandbox.service.finish(JOB))
    events = list(watch([JOB], context_with(sandbox, until=seconds)))
    assert silences(events) == []
    assert not [event for event in events if isinstance(event, ServiceAnswered)]


def test_a_page_of_a_gateway_in_place_of_an_answer_is_silence_too() -> None:
    sandbox = running()
    sandbox.clock.after(30, lambda: sandbox.service.finish(JOB))
    events = list(watch([JOB], context_with(sandbox, MalformedError("svc.test: not a job"), until=25)))
    assert silences(events) == [10, 20]
    assert isinstance(events[-1], JobMoved)


def test_a_key_that_is_refused_ends_the_wait() -> None:
    with pytest.raises(DeniedError):
        list(watch([JOB], context_with(running(), DeniedError("no key", status=401))))


def never(_: Callable[[], None]) -> None:
    """Take a look and never come to its end, as with a service that accepts a connection and stays silent."""


def test_a_request_without_an_answer_holds_up_neither_the_report_nor_the_end() -> None:
    sandbox = running()
    context = sandbox.context()
    context.look_pool = never
    began = sandbox.clock.now
    context.ends_at = began + 25
    events = list(watch([JOB], context))
    assert [round(seconds) for seconds in silences(events)] == [10, 20]
    assert sandbox.clock.now - began < 26


def test_a_stop_is_followed_while_a_request_has_no_answer() -> None:
    sandbox = running()
    context = sandbox.context()
    context.look_pool = never
    sandbox.clock.after(3, lambda: setattr(sandbox, "stopped", True))
    began = sandbox.clock.now
    assert isinstance(list(watch([JOB], context))[-1], Interrupted)
    assert sandbox.clock.now - began < 4


def test_a_bug_in_a_look_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        list(watch([JOB], context_with(running(), ZeroDivisionError())))
