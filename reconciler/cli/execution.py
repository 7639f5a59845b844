"""Carrying a plan out in front of somebody: events shown, signals heeded, models recorded, the end summed up."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.domain.desired import Model
from reconciler.domain.errors import ProviderError
from reconciler.domain.event import Event, Finished, Interrupted, JobMoved, Outcome
from reconciler.domain.identity import Address
from reconciler.domain.observed import CANCELLED, SUCCEEDED, JobId, RemoteJob
from reconciler.domain.plan import Cancel, KeepReason
from reconciler.domain.ports import Provider
from reconciler.executor import execute, watch
from reconciler.foundation.stop import Stop
from reconciler.workflow.engine import PreparedPlan, open_run_context, record_lock

if TYPE_CHECKING:
    from reconciler.executor import RunContext
    from reconciler.render import LiveView, SummaryRow


@dataclass
class RunTally:
    """What a run has come to, gathered from its events."""

    outcomes: list[Outcome] = field(default_factory=list)
    jobs: dict[JobId, RemoteJob] = field(default_factory=dict)
    cancelled: list[JobId] = field(default_factory=list)
    interrupted: bool = False

    def count(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Finished(step=step, outcome=outcome, job=job):
                self.outcomes.append(outcome)
                if job and isinstance(step.action, Cancel) and job.status != SUCCEEDED:
                    self.cancelled += [job.id] if job.status == CANCELLED else []
                elif job:
                    # A job that succeeded before the cancel came is a success like any other.
                    self.jobs[job.id] = job
            case JobMoved(job=job):
                self.jobs[job.id] = job
            case Interrupted():
                self.interrupted = True
            case _:
                pass


@contextmanager
def handle_signals(stop: Stop) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop; the second one interrupts at once."""

    def heard(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {each: signal.signal(each, heard) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def run_plan(
    prepared: PreparedPlan,
    provider: Provider,
    console: Console,
    *,
    wait: bool,
    timeout_seconds: float | None,
    parallelism: int,
    as_json: bool,
) -> int:
    """Do the steps, wait for the jobs if that is wanted, and give the exit code."""
    from reconciler.render import LiveView, event_json

    tally, stop = RunTally(), Stop()
    view = LiveView(console.err, console.is_terminal and not as_json, console.colour_err, time.monotonic)

    def show(event: Event) -> None:
        tally.count(event)
        if as_json:
            console.out.write(event_json(event))
        else:
            view.show(event)

    with handle_signals(stop), open_run_context(prepared, provider, parallelism=parallelism, stop=stop) as laid:
        try:
            for event in execute(prepared.plan, laid):
                show(event)
            if wait and not tally.interrupted:
                awaited = {*prepared.plan.awaited, *(job for job, seen in tally.jobs.items() if seen.status.is_active)}
                for event in watch(sorted(awaited), tick_while_sleeping(laid, view), timeout_seconds=timeout_seconds):
                    show(event)
        except ProviderError as error:
            console.show_error(error)
            tally.outcomes.append(Outcome.FAILED)
        finally:
            view.close()
            record_lock(prepared, select_serving_jobs(prepared, tally), tuple(tally.cancelled))
    if not as_json:
        show_summary(prepared, tally, console)
    return exit_codes.of_run(
        prepared.plan,
        tally.outcomes,
        [job.status for job in tally.jobs.values()],
        interrupted=tally.interrupted,
        waited=wait,
    )


def tick_while_sleeping(laid: "RunContext", view: "LiveView") -> "RunContext":
    """Return a bench whose every sleep brings the elapsed time on the screen up to date."""

    def sleep(seconds: float) -> None:
        laid.sleep(seconds)
        view.tick()

    return replace(laid, sleep=sleep)


def select_serving_jobs(prepared: PreparedPlan, tally: RunTally) -> dict[Address, RemoteJob]:
    """Return the succeeded job of each wanted model: those that were kept, and those that have come to it now."""
    ready = {keep.job for keep in prepared.plan.kept if keep.why is KeepReason.READY}
    wanted = {model.address: model.stamp for model in prepared.desired.models}
    kept = {job.address: job for job in prepared.observed.jobs if job.id in ready}
    ended = [job for job in tally.jobs.values() if job.status == SUCCEEDED and job.address in wanted]
    return {job.address: job for job in ended if job.is_of(wanted[job.address])} | kept


def show_summary(prepared: PreparedPlan, tally: RunTally, console: Console) -> None:
    """Put the table of models on stdout, and what to do next on stderr."""
    from reconciler.render import summary_table

    rows = [_row(model, prepared, tally) for model in prepared.desired.models]
    if rows:
        console.out.write(summary_table(rows, colour=console.colour, width=console.width))
    running = sorted(str(job.address) for job in tally.jobs.values() if job.status.is_active)
    if running:
        console.err.line(f"Still running: {', '.join(running)}. The jobs go on by themselves.")
        console.err.line(f"To go on waiting: reconciler wait --specs {prepared.setting.root}")
    waiting = sorted(str(keep.address) for keep in prepared.plan.kept if keep.why is KeepReason.BUSY)
    if waiting and not running:
        console.err.line(f"Not begun: {', '.join(waiting)}, which waited for an older version.")
        console.err.line(f"To begin: reconciler apply {prepared.setting.root}")
    if tally.interrupted:
        console.err.line(f"Interrupted; nothing is lost. To go on: reconciler apply {prepared.setting.root}")


def _row(model: Model, prepared: PreparedPlan, tally: RunTally) -> "SummaryRow":
    from reconciler.render import SummaryRow

    jobs = {job.id: job for job in prepared.observed.jobs} | tally.jobs
    keep = next((keep for keep in prepared.plan.kept if keep.address == model.address), None)
    ours = [job for job in jobs.values() if job.is_of(model.stamp)]
    newest = max(ours, key=lambda job: job.age_key, default=None)
    job = (jobs.get(keep.job) if keep and keep.job else None) or newest
    words = {KeepReason.MISSING: "missing", KeepReason.BUSY: "waiting", KeepReason.SUSPENDED: "suspended"}
    status = words.get(keep.why) if keep else None
    recorded = keep if keep and keep.why is KeepReason.READY and job is None else None
    if recorded:
        # The job's own record is gone; what is known of it is in the lock file.
        status = str(SUCCEEDED)
    return SummaryRow(
        name=model.name,
        base=model.recipe.base,
        status=status or (str(job.status) if job else "not trained"),
        job=recorded.job if recorded else job.id if job else None,
        model=recorded.model if recorded else job.model if job and status != words[KeepReason.MISSING] else None,
    )
