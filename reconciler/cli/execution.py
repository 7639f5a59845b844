"""Applies a plan in front of the operator: shows the events, handles signals, and writes how it ended in every case."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.formats import (
    FormatTarget,
    PlanFormat,
    check_writable,
    explain_failure,
    is_json,
    read_formats,
    show_review,
)
from reconciler.cli.options import JsonOption
from reconciler.cli.signals import code_of, handle_signals
from reconciler.domain.desired import Model
from reconciler.domain.errors import (
    ProviderError,
    ReconcilerError,
    TemporaryError,
    TimeIsUpError,
    UnusablePlaceError,
    UsageError,
)
from reconciler.domain.event import Event, JobLogged, Outcome
from reconciler.domain.observed import SUCCEEDED
from reconciler.domain.plan import KeepReason, Options
from reconciler.domain.ports import Provider
from reconciler.foundation.stop import Stop
from reconciler.history import find_commit
from reconciler.render import LiveView, SummaryRow, event_json, plan_json, plan_text, refusals_text, summary_table
from reconciler.render.review import Review, plan_line, result_line
from reconciler.workflow import read_duration
from reconciler.workflow.apply import MAX_THREADS, RunTally, open_run_context, run_plan
from reconciler.workflow.documents import read_previous_models, review_plan, review_run
from reconciler.workflow.plan import PreparedPlan

ParallelismOption = Annotated[
    int, typer.Option("--parallelism", help="How many steps may run at the same time.", min=1, max=MAX_THREADS)
]


class WaitOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long a command waits for jobs, and for whom it writes."""

    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            help="Stop waiting for the service and its jobs after this time: 90, 90s, 30m, 2h.",
            metavar="TIME",
        ),
    ] = None
    as_json: JsonOption = False

    @property
    def timeout_seconds(self) -> float | None:
        return read_timeout(self.timeout)


def read_timeout(text: str | None) -> float | None:
    """Read the value of `--timeout`, in seconds.

    Raises: UsageError when it is not a length of time
    """
    return None if text is None else read_duration(text, "--timeout ")


class EventView:
    """Writes events: for programs to stdout, for people to stderr; a quiet view leaves out what a job logs."""

    def __init__(self, console: Console, *, as_json: bool = False, is_quiet: bool = False) -> None:
        self._console, self._as_json, self._is_quiet = console, as_json, is_quiet
        self._live = LiveView(console.err, console.is_terminal and not as_json, console.colour_err, time.monotonic)

    def show(self, event: Event) -> None:
        """Write one event."""
        if self._as_json:
            self._console.out.write(event_json(event))
        elif not (self._is_quiet and isinstance(event, JobLogged)):
            self._live.show(event)

    def tick(self) -> None:
        """Bring the elapsed time on the screen up to date."""
        self._live.tick()

    def close(self) -> None:
        """Remove what is only shown while a run lasts."""
        self._live.close()


@contextmanager
def show_time_is_up(ends_at: float) -> Iterator[None]:
    """Turn a look that was cut off because the time of the command is up into the error that says so."""
    try:
        yield
    except TemporaryError as error:
        if time.monotonic() < ends_at:
            raise
        raise TimeIsUpError(
            "the time is up, and the service has not given all answers, so no plan was made",
            "nothing was sent; run again, or with a longer --timeout",
        ) from error


def run_and_show(
    prepared: PreparedPlan,
    provider: Provider,
    console: Console,
    *,
    wait: bool,
    ends_at: float,
    parallelism: int,
    as_json: bool,
    tally: RunTally,
) -> int:
    """Run the steps, wait for the jobs if asked, and return the exit code; the tally counts what was done."""
    stop = Stop()
    view = EventView(console, as_json=as_json)
    with (
        handle_signals(stop),
        open_run_context(prepared, provider, parallelism=parallelism, stop=stop, ends_at=ends_at) as context,
    ):
        try:
            run_plan(prepared, context, tally, view.show, wait=wait, tick=view.tick)
        except ProviderError as error:
            view.close()
            console.show_error(error)
        finally:
            view.close()
    prepared = replace(prepared, plan=tally.plan_of(prepared.plan))
    if not as_json:
        show_summary(prepared, tally, console)
    return exit_codes.of_run(
        prepared.plan,
        tally.outcomes,
        [job.status for job in tally.jobs.values()],
        interrupted=tally.interrupted,
        waited=wait,
    )


def show_summary(prepared: PreparedPlan, tally: RunTally, console: Console) -> None:
    """Write the table of models to stdout, and the next step to stderr."""
    rows = [_summarize(model, prepared, tally) for model in prepared.desired.models]
    if rows:
        console.out.write(summary_table(rows, colour=console.colour, width=console.width))
    scope, options = prepared.setting.scope, _choose_remaining(prepared, tally)
    running = sorted(str(job.address) for job in tally.jobs.values() if job.status.is_active)
    if running:
        console.err.line(f"Still running: {', '.join(running)}. The jobs continue on the service.")
        console.err.line(f"To wait again: {scope.call('wait')}")
    busy = [keep for keep in prepared.plan.kept if keep.why is KeepReason.BUSY]
    waiting = sorted(f"{keep.address} (waits for job {keep.job})" for keep in busy)
    if waiting and not running:
        console.err.line(f"Not started: {', '.join(waiting)}; an older version was still training.")
        console.err.line(f"To start: {scope.apply(options=options)}")
    if Outcome.STOPPED in tally.outcomes and not tally.interrupted:
        console.err.line(f"The time is up; nothing is lost. To continue: {scope.apply(options=options)}")
    if tally.interrupted:
        console.err.line(f"Interrupted; nothing is lost. To continue: {scope.apply(options=options)}")


def _choose_remaining(prepared: PreparedPlan, tally: RunTally) -> Options:
    """Return the options of a run that continues this one: what was trained again already is not trained once more."""
    created = {job.stamp.address.name for job in tally.jobs.values() if job.stamp}
    options = prepared.options
    return replace(options, retry=options.retry - created, replace=options.replace - created)


def _summarize(model: Model, prepared: PreparedPlan, tally: RunTally) -> SummaryRow:
    jobs = {job.id: job for job in prepared.observed.jobs} | tally.jobs
    keep = next((keep for keep in prepared.plan.kept if keep.address == model.address), None)
    ours = [job for job in jobs.values() if model.bears(job.stamp)]
    newest = max(ours, key=lambda job: job.age_key, default=None)
    job = (jobs.get(keep.job) if keep and keep.job else None) or newest
    words = {KeepReason.MISSING: "missing", KeepReason.BUSY: "waiting", KeepReason.SUSPENDED: "suspended"}
    status = words.get(keep.why) if keep else None
    recorded = keep if keep and keep.why is KeepReason.READY and job is None else None
    if recorded:
        # The job's own record is gone; the lock file holds what is known of it.
        status = str(SUCCEEDED)
    return SummaryRow(
        name=model.name,
        base=model.recipe.base,
        status=status or (str(job.status) if job else "not trained"),
        job=recorded.job if recorded else job.id if job else None,
        model=recorded.model if recorded else job.model if job and status != words[KeepReason.MISSING] else None,
    )


_ON_STDOUT = frozenset({PlanFormat.TEXT, PlanFormat.GITHUB})


class ApplyFormats(msgspec.Struct, frozen=True, kw_only=True):
    """How the result of an apply is shown."""

    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="Also write what was done and what remains: github, or text, json, markdown, html, sarif, junit or"
            " review with =FILE; repeatable.",
            metavar="FMT[=FILE]",
        ),
    ] = None

    def wants_json(self, *, as_json: bool) -> bool:
        """Return whether lines of JSON go to stdout, also where another format is wrong."""
        return as_json or PlanFormat.JSON in (self.format or ())

    def read(self, *, as_json: bool) -> tuple[FormatTarget, ...]:
        """Return the formats and their targets.

        Raises: UsageError for an unknown format or a document for stdout, UnusablePlaceError for a file that cannot be
                written
        """
        targets = read_formats(self.format, as_json=as_json)
        check_writable(targets, os.environ)
        for target in targets:
            if target.path is None and not is_json([target]) and target.form not in _ON_STDOUT:
                raise UsageError(
                    f"--format {target.form}: apply writes its plan to stdout; name a file: --format {target.form}=FILE"
                )
        return targets


class ApplyReport:
    """Gathers what an apply knows, and writes it when the apply ends: also after an error or Ctrl-C.

    Shape:  `empty` returns the review of an apply that has made no plan yet; `failure` is why nothing was done;
            `targets` are known when the formats have been read
    """

    def __init__(self, console: Console, empty: Callable[[], Review], *, as_json: bool) -> None:
        self.console = console
        self.as_json = as_json
        self.exit_code = exit_codes.OK
        self.failure = ""
        self.empty = empty
        self.targets: Sequence[FormatTarget] = ()
        self._prepared: PreparedPlan | None = None
        self._tally: RunTally | None = None

    def show_plan(self, prepared: PreparedPlan) -> None:
        """Write the plan to stdout."""
        self._prepared = prepared
        try:
            if self.as_json:
                self.console.out.write(plan_line(review_plan(prepared, commit="")))
            else:
                show_plan(prepared, self.console, as_json=False)
            # What cannot be shown is not begun.
            self.console.out.flush()
        except OSError as error:
            raise UnusablePlaceError(
                f"the output cannot be written ({error.strerror}), and nothing was sent: free some space, or write it"
                " elsewhere"
            ) from error

    def begin(self) -> RunTally:
        """Return the tally that counts what is done from now on."""
        self._tally = RunTally()
        return self._tally

    @contextmanager
    def write_however_it_ends(self) -> Iterator[None]:
        """Write the result when the block ends; with JSON, an error is part of it and ends here."""
        try:
            yield
        except BaseException as error:
            self.exit_code = exit_codes.of_error(error)
            self._write(error)
            if not self.as_json or not isinstance(error, ReconcilerError):
                raise
            self.console.show_error(error)
        else:
            self._write(None)

    def _write(self, error: BaseException | None) -> None:
        targets = [each for each in self.targets if each.path or each.form is PlanFormat.GITHUB]
        if not (self.as_json or targets):
            return
        code = code_of(self.exit_code)
        review = replace(self._review(error), exit_code=code)
        unwritten = ""
        try:
            show_review(review, targets, self.console, exit_code=code)
        except UnusablePlaceError as failure:
            # What was done is done: the exit code stays that of the apply.
            unwritten = str(failure)
            self.console.note(f"Warning: {unwritten}. The exit code tells how the apply itself ended.")
        if self.as_json:
            self.console.out.write(result_line(review, unwritten))

    def _review(self, error: BaseException | None) -> Review:
        prepared, tally = self._prepared, self._tally
        if prepared is None or (error and tally is None):
            assert error is not None
            return explain_failure(self.empty(), error)
        commit = find_commit(prepared.setting.workspace)
        if tally is None:
            return replace(review_plan(prepared, commit=commit), failure=self.failure)
        title = exit_codes.TITLES.get(self.exit_code, exit_codes.TITLES[exit_codes.SERVICE])
        failure = exit_codes.name_failure(error) if error else tally.failure
        return review_run(prepared, tally, title, commit=commit, failure=failure)


def show_plan(prepared: PreparedPlan, console: Console, *, as_json: bool) -> None:
    """Write a plan to stdout."""
    previous, findings = read_previous_models(prepared), prepared.checked.warnings
    scope = prepared.setting.scope
    console.out.write(
        plan_json(prepared.plan, findings)
        if as_json
        else plan_text(prepared.plan, colour=console.colour, previous=previous, scope=scope)
    )


def show_refusals(prepared: PreparedPlan, console: Console) -> None:
    """Write to stderr what was found, what was not done and how to continue, whatever the format of stdout."""
    console.err.write(refusals_text(prepared.plan, colour=console.colour_err))
