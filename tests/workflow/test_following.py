"""A model whose older version still trains: an apply that waits goes on with the new version after that job."""

import math
from collections.abc import Iterable
from pathlib import Path

import pytest

from reconciler.cli import exit_codes
from reconciler.dataset import open_lines
from reconciler.domain.errors import PolicyError, TemporaryError
from reconciler.domain.event import Event, ServiceSilent
from reconciler.domain.observed import JobId, RemoteJob
from reconciler.domain.plan import KeepReason, Options
from reconciler.executor import RunContext
from reconciler.specfile import read_lock
from reconciler.testing import MemoryProvider
from reconciler.workflow import check_specs, locate_setting
from reconciler.workflow.apply import RunTally, run_plan
from reconciler.workflow.plan import PreparedPlan, prepare_plan
from tests.simulation.sandbox import Clock
from tests.workflow.test_rows import workspace

__all__ = ["workspace"]


class World:
    """A workspace, a service in memory, and a clock that moves only when a run waits."""

    def __init__(self, root: Path) -> None:
        self.root, self.clock = root, Clock()
        self.service = MemoryProvider(clock=self.clock)
        self.specs = root / "specs" / "all.yaml"

    def plan(self) -> PreparedPlan:
        setting = locate_setting(self.root / "specs", {"RECONCILER_HOME": str(self.root / "home")})
        return prepare_plan(setting, check_specs(setting), Options(), self.service)

    def run(self, *, wait: bool = True, timeout_seconds: float | None = None) -> tuple[RunTally, int, list[Event]]:
        prepared, tally, events = self.plan(), RunTally(), list[Event]()
        context = RunContext(
            provider=self.service,
            open_dataset=lambda dataset: open_lines(dataset, prepared.setting.workspace),
            clock=self.clock,
            sleep=self.clock.sleep,
            ends_at=math.inf if timeout_seconds is None else self.clock() + timeout_seconds,
        )
        context.remember(prepared.observed, prepared.desired.datasets)
        run_plan(prepared, context, tally, events.append, wait=wait)
        code = exit_codes.of_run(
            tally.plan_of(prepared.plan),
            tally.outcomes,
            [job.status for job in tally.jobs.values()],
            interrupted=tally.interrupted,
            waited=wait,
        )
        return tally, code, events

    def write_rows(self, answers: Iterable[str]) -> None:
        rows = (f'{{"prompt":"message {at}","completion":"{answer}"}}\n' for at, answer in enumerate(answers))
        (self.root / "specs" / "tickets.jsonl").write_text("".join(rows), encoding="utf-8")

    def edit(self, line: str = "seed: 7\n") -> None:
        self.specs.write_text(self.specs.read_text(encoding="utf-8") + line, encoding="utf-8")

    def finish_in(self, seconds: float, job: str) -> None:
        self.clock.after(seconds, lambda: self.service.finish(JobId(job)))


@pytest.fixture
def world(workspace: Path) -> World:
    """A workspace whose model is being trained, and was changed since."""
    made = World(workspace)
    made.specs.write_text(made.specs.read_text(encoding="utf-8").replace("some-base", "tfidf-logreg"), encoding="utf-8")
    # The classifier learns one of the answers of its rows, so there are fewer answers than rows.
    made.write_rows(f"c{number % 2}" for number in range(20))
    made.run(wait=False)
    made.edit()
    assert [keep.why for keep in made.plan().plan.kept] == [KeepReason.BUSY]
    assert made.plan().plan.is_waiting
    return made


def test_an_apply_goes_on_with_the_new_version_when_the_older_job_has_ended(world: World) -> None:
    world.finish_in(100, "ftjob-1")
    world.finish_in(300, "ftjob-2")
    tally, code, _ = world.run()
    assert code == exit_codes.OK
    assert sorted(world.service.jobs) == ["ftjob-1", "ftjob-2"]
    assert [str(job.status) for job in tally.jobs.values()] == ["succeeded", "succeeded"]
    (entry,) = read_lock(world.root / "specs" / "models.lock.yaml").entries
    assert entry.job == "ftjob-2"
    assert world.plan().plan.is_empty


def test_it_goes_on_when_the_older_job_fails_too(world: World) -> None:
    world.clock.after(50, lambda: world.service.fail(JobId("ftjob-1"), "invalid_training_file", "bad rows"))
    world.finish_in(200, "ftjob-2")
    world.run()
    assert sorted(world.service.jobs) == ["ftjob-1", "ftjob-2"]
    assert world.plan().plan.is_empty


def test_without_waiting_nothing_is_begun_beside_the_older_job(world: World) -> None:
    world.finish_in(100, "ftjob-1")
    world.run(wait=False)
    assert sorted(world.service.jobs) == ["ftjob-1"]


def test_when_time_runs_out_first_the_run_ends_with_7_and_nothing_is_begun(world: World) -> None:
    _, code, _ = world.run(timeout_seconds=30)
    assert code == exit_codes.STILL_RUNNING
    assert sorted(world.service.jobs) == ["ftjob-1"]


def test_the_time_to_wait_is_one_for_both_jobs(world: World) -> None:
    world.finish_in(100, "ftjob-1")
    began = world.clock.now
    _, code, _ = world.run(timeout_seconds=150)
    assert code == exit_codes.STILL_RUNNING
    assert sorted(world.service.jobs) == ["ftjob-1", "ftjob-2"]
    assert world.clock.now - began < 155


def test_the_policies_judge_what_is_begun_later(world: World) -> None:
    world.specs.write_text(
        world.specs.read_text(encoding="utf-8") + "---\nkind: Project\nname: acme\npolicy: {max_new_jobs: 0}\n",
        encoding="utf-8",
    )
    world.finish_in(100, "ftjob-1")
    with pytest.raises(PolicyError, match="max_new_jobs"):
        world.run()
    assert sorted(world.service.jobs) == ["ftjob-1"]


def test_a_job_that_is_awaited_and_never_answers_is_still_running(world: World) -> None:
    """Exit code 0 would say that everything has ended."""

    def silent(job: JobId) -> RemoteJob:
        raise TemporaryError(f"no answer about {job}")

    world.service.job = silent  # type: ignore[method-assign]  # the service of this test
    _, code, events = world.run(timeout_seconds=30)
    assert code == exit_codes.STILL_RUNNING
    assert [event for event in events if isinstance(event, ServiceSilent)]
