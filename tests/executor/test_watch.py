"""Waiting: everything told once and in order, and no end that is not one."""

from msgspec.structs import replace

from reconciler.domain.errors import TemporaryError
from reconciler.domain.event import Event, Interrupted, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import JobId
from reconciler.executor import watch
from tests.factories import a_job, a_model
from tests.simulation import World

JOB = JobId("ftjob-1")


def running() -> World:
    world = World()
    world.service.put(a_job(a_model(), "queued", id=JOB))
    return world


def told(events: list[Event]) -> list[str]:
    """What was said, and how the job moved."""
    said = []
    for event in events:
        if isinstance(event, JobLogged):
            said.append(event.event.message)
        if isinstance(event, JobMoved):
            said.append(f"-> {event.job.status}")
    return said


def test_a_job_is_followed_to_its_end_and_says_everything_once() -> None:
    world = running()
    world.service.log(JOB, "created")
    world.clock.after(3, lambda: world.service.run(JOB))
    world.clock.after(5, lambda: world.service.log(JOB, "step 1", train_loss=0.5))
    world.clock.after(9, lambda: world.service.finish(JOB))
    events = list(watch([JOB], world.context()))
    assert told(events) == [
        "created",
        "-> queued",
        "Fine-tuning job started",
        "-> running",
        "step 1",
        "New fine-tuned model created: ft:gpt-4.1-mini-2025-04-14:acme:triage:ftjob-1",
        "-> succeeded",
    ]


def test_several_jobs_are_followed_together() -> None:
    world = running()
    world.service.put(a_job(a_model("other"), "queued", id="ftjob-2"))
    world.clock.after(2, lambda: world.service.finish(JOB))
    world.clock.after(4, lambda: world.service.fail(JobId("ftjob-2"), "invalid_training_file", "bad rows"))
    events = list(watch([JOB, JobId("ftjob-2")], world.context()))
    assert [str(event.job.status) for event in events if isinstance(event, JobMoved)][-2:] == ["succeeded", "failed"]


def test_time_runs_out_without_an_end() -> None:
    world = running()
    events = list(watch([JOB], world.context(), timeout_seconds=30))
    assert told(events) == ["-> queued"]
    assert world.clock.now < 1_790_000_000 + 35


def test_a_word_that_nobody_knows_is_no_end() -> None:
    world = running()
    world.clock.after(2, lambda: world.service.move(JOB, "deferred"))
    world.clock.after(6, lambda: world.service.finish(JOB))
    assert "-> deferred" in told(list(watch([JOB], world.context())))


def test_asking_to_stop_ends_the_wait_and_leaves_the_job_running() -> None:
    world = running()
    world.clock.after(2, lambda: setattr(world, "stopped", True))
    events = list(watch([JOB], world.context()))
    assert isinstance(events[-1], Interrupted)
    assert not world.service.writes


def test_a_job_that_vanishes_ends_the_wait_for_it() -> None:
    world = running()
    world.clock.after(2, lambda: world.service.forget(JOB))
    assert isinstance(list(watch([JOB], world.context()))[-1], JobVanished)


def test_a_service_that_is_away_for_a_moment_is_waited_for() -> None:
    world = running()
    world.clock.after(4, lambda: world.service.finish(JOB))
    context = world.context()
    times = iter([True, True, False, False, False, False, False, False])

    class Shaky:
        def __getattr__(self, name: str) -> object:
            return getattr(world.service, name)

        def job(self, job: JobId) -> object:
            if next(times, False):
                raise TemporaryError("away")
            return world.service.job(job)

    context.provider = Shaky()  # type: ignore[assignment]  # the same port, by delegation
    assert told(list(watch([JOB], context)))[-1] == "-> succeeded"


def test_nothing_to_watch_ends_at_once() -> None:
    assert list(watch([], World().context())) == []


def test_a_finished_job_is_told_once() -> None:
    world = World()
    world.service.put(replace(a_job(), id=JOB))
    assert told(list(watch([JOB], world.context()))) == ["-> succeeded"]
