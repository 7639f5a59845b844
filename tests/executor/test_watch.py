"""Waiting: every event once and in order, and no end too early."""

from msgspec.structs import replace

from reconciler.domain.errors import TemporaryError
from reconciler.domain.event import Event, Interrupted, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import JobId
from reconciler.executor import watch
from tests.factories import a_job, a_model
from tests.simulation import Sandbox

JOB = JobId("ftjob-1")


def running() -> Sandbox:
    sandbox = Sandbox()
    sandbox.service.put(a_job(a_model(), "queued", id=JOB))
    return sandbox


def texts_of(events: list[Event]) -> list[str]:
    """What was texts, and how the job moved."""
    texts = []
    for event in events:
        if isinstance(event, JobLogged):
            texts.append(event.event.message)
        if isinstance(event, JobMoved):
            texts.append(f"-> {event.job.status}")
    return texts


def test_a_job_is_followed_to_its_end_and_says_everything_once() -> None:
    sandbox = running()
    sandbox.service.log(JOB, "created")
    sandbox.clock.after(3, lambda: sandbox.service.run(JOB))
    sandbox.clock.after(5, lambda: sandbox.service.log(JOB, "step 1", train_loss=0.5))
    sandbox.clock.after(9, lambda: sandbox.service.finish(JOB))
    events = list(watch([JOB], sandbox.context()))
    assert texts_of(events) == [
        "created",
        "-> queued",
        "Fine-tuning job started",
        "-> running",
        "step 1",
        "New fine-tuned model created: ft:gpt-4.1-mini-2025-04-14:acme:triage:ftjob-1",
        "-> succeeded",
    ]


def test_several_jobs_are_followed_together() -> None:
    sandbox = running()
    sandbox.service.put(a_job(a_model("other"), "queued", id="ftjob-2"))
    sandbox.clock.after(2, lambda: sandbox.service.finish(JOB))
    sandbox.clock.after(4, lambda: sandbox.service.fail(JobId("ftjob-2"), "invalid_training_file", "bad rows"))
    events = list(watch([JOB, JobId("ftjob-2")], sandbox.context()))
    assert [str(event.job.status) for event in events if isinstance(event, JobMoved)][-2:] == ["succeeded", "failed"]


def test_time_runs_out_without_an_end() -> None:
    sandbox = running()
    context = sandbox.context()
    context.ends_at = sandbox.clock.now + 30
    events = list(watch([JOB], context))
    assert texts_of(events) == ["-> queued"]
    assert sandbox.clock.now < 1_790_000_000 + 35


def test_an_unknown_status_is_not_an_end() -> None:
    sandbox = running()
    sandbox.clock.after(2, lambda: sandbox.service.move(JOB, "deferred"))
    sandbox.clock.after(6, lambda: sandbox.service.finish(JOB))
    assert "-> deferred" in texts_of(list(watch([JOB], sandbox.context())))


def test_asking_to_stop_ends_the_wait_and_leaves_the_job_running() -> None:
    sandbox = running()
    sandbox.clock.after(2, lambda: setattr(sandbox, "stopped", True))
    events = list(watch([JOB], sandbox.context()))
    assert isinstance(events[-1], Interrupted)
    assert not sandbox.service.writes


def test_a_job_that_vanishes_ends_the_wait_for_it() -> None:
    sandbox = running()
    sandbox.clock.after(2, lambda: sandbox.service.forget(JOB))
    assert isinstance(list(watch([JOB], sandbox.context()))[-1], JobVanished)


def test_a_service_that_is_away_for_a_moment_is_waited_for() -> None:
    sandbox = running()
    sandbox.clock.after(4, lambda: sandbox.service.finish(JOB))
    context = sandbox.context()
    times = iter([True, True, False, False, False, False, False, False])

    class Shaky:
        def __getattr__(self, name: str) -> object:
            return getattr(sandbox.service, name)

        def job(self, job: JobId) -> object:
            if next(times, False):
                raise TemporaryError("away")
            return sandbox.service.job(job)

    context.provider = Shaky()  # type: ignore[assignment]  # the same port, by delegation
    assert texts_of(list(watch([JOB], context)))[-1] == "-> succeeded"


def test_nothing_to_watch_ends_at_once() -> None:
    assert list(watch([], Sandbox().context())) == []


def test_a_finished_job_is_reported_once() -> None:
    sandbox = Sandbox()
    sandbox.service.put(replace(a_job(), id=JOB))
    assert texts_of(list(watch([JOB], sandbox.context()))) == ["-> succeeded"]
