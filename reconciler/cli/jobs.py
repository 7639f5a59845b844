"""status, follow, wait and cancel: our models and jobs, and any other job by its id."""

import time
from collections.abc import Sequence

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.execution import EventView, WaitOptions, show_plan, show_summary
from reconciler.cli.options import (
    ApproveOption,
    JsonOption,
    NameArgument,
    NamesArgument,
    SpecsOptions,
    add_command,
)
from reconciler.cli.places import check_with_progress, find_place, resolve_specs
from reconciler.cli.signals import handle_signals
from reconciler.domain.errors import NotFoundError, PolicyError, TemporaryError, UsageError
from reconciler.domain.event import Interrupted, JobLogged, JobMoved, JobVanished, Outcome
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Options, Plan, Step, StepId
from reconciler.domain.ports import Provider, own_job
from reconciler.executor import beside, execute, watch
from reconciler.executor import follow as follow_jobs
from reconciler.foundation.stop import Stop
from reconciler.render import clean, event_json, event_text
from reconciler.workflow import CheckedSpecs
from reconciler.workflow.apply import RunTally, call_after_sleep, open_run_context, record_watched
from reconciler.workflow.lock import find_newest_jobs
from reconciler.workflow.plan import find_end, open_service, prepare_plan
from reconciler.workflow.targets import Workplace, find_job, note_name


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    add_command(app, status)
    add_command(
        app,
        follow,
        epilog="Examples:\n\n  reconciler follow support-triage\n\n  reconciler follow ftjob-abc123 --provider openai",
    )
    add_command(app, wait, epilog="Examples:\n\n  reconciler wait --timeout 30m\n\n  reconciler wait ftjob-abc123")
    add_command(
        app, cancel, epilog="Examples:\n\n  reconciler cancel support-triage\n\n  reconciler cancel ftjob-abc123"
    )


def status(context: typer.Context, where: SpecsOptions, as_json: JsonOption = False) -> int:
    """Show the state of every model of the specs."""
    console: Console = context.obj
    setting = resolve_specs(where)
    checked = check_with_progress(setting, console)
    with open_service(setting, checked.specs, sleep=console.pause) as provider, console.notice_silence():
        prepared = prepare_plan(setting, checked, Options(), provider)
    if as_json:
        show_plan(prepared, console, as_json=True)
    else:
        show_summary(prepared, RunTally(), console)
    return exit_codes.OK


def follow(context: typer.Context, name: NameArgument, where: SpecsOptions, waiting: WaitOptions) -> int:
    """Show the events of a job until it ends.

    Of a model's newest job, or of any job by its id, from its beginning; exits 6 when it failed. A name in the specs
    comes before an id.
    """
    return _watch((name,), where, waiting, context.obj, is_quiet=False)


def wait(context: typer.Context, where: SpecsOptions, waiting: WaitOptions, names: NamesArgument = None) -> int:
    """Wait until jobs have ended.

    By name: the newest job of each model, and the lock file then records what has succeeded. Only an apply goes back to
    an older model, or promotes one that another environment trained. By id: any job on the service, and nothing is
    recorded.
    """
    return _watch(names or (), where, waiting, context.obj, is_quiet=True)


_HAIR_SECONDS = 0.2
"""A call ends so much before the time of its command at most: clocks of sockets are coarse."""


def _watch(texts: Sequence[str], where: SpecsOptions, waiting: WaitOptions, console: Console, *, is_quiet: bool) -> int:
    ends_at = find_end(waiting.timeout_seconds)
    try:
        return _watch_until(ends_at, texts, where, waiting, console, is_quiet=is_quiet)
    except TemporaryError as error:
        if time.monotonic() < ends_at - _HAIR_SECONDS:
            raise
        console.err.line(f"The time is up, and the service has not given all answers: {error}. The jobs continue.")
        return exit_codes.STILL_RUNNING


def _watch_until(
    ends_at: float,
    texts: Sequence[str],
    where: SpecsOptions,
    waiting: WaitOptions,
    console: Console,
    *,
    is_quiet: bool,
) -> int:
    place = find_place(where, texts)
    names = tuple(text for text in texts if place.is_name(text))
    ids = tuple(text for text in texts if not place.is_name(text))
    for name in names:
        note_name(place, name, console.note)
    # Ids first: a job that does not exist is an error before anything is waited for.
    codes = _watch_ids(place, ids, ends_at, console, as_json=waiting.as_json, is_quiet=is_quiet) if ids else ()
    if exit_codes.INTERRUPTED in codes or (ids and not names):
        return exit_codes.of_codes(codes)
    view = EventView(console, as_json=waiting.as_json, is_quiet=is_quiet)
    code = _watch_names(place, names, ends_at, view, console)
    return exit_codes.of_codes((*codes, code))


def _watch_ids(
    place: Workplace, ids: tuple[str, ...], ends_at: float, console: Console, *, as_json: bool, is_quiet: bool
) -> tuple[int, ...]:
    stop, codes = Stop(), list[int]()
    with (
        open_service(place.setting, place.specs, ends_at=ends_at, sleep=console.pause) as provider,
        handle_signals(stop),
    ):
        with console.notice_silence():
            jobs = [find_job(place, text, provider, console.note) for text in ids]
        for job in jobs:
            events = follow_jobs(
                (job,),
                provider,
                find_job=lambda id_: provider.job(id_).as_written(),
                clock=time.monotonic,
                sleep=stop.wait,
                stopping=stop.is_set,
                ends_at=ends_at,
                pool=beside,
            )
            newest, is_gone = job, False
            for event in events:
                if isinstance(event, Interrupted):
                    break
                newest = event.job if isinstance(event, JobMoved) else newest
                is_gone = isinstance(event, JobVanished)
                if as_json:
                    console.out.write(event_json(event))
                    console.out.flush()
                elif not (is_quiet and isinstance(event, JobLogged)):
                    console.err.write(event_text(event, colour=console.colour_err))
                    console.err.flush()
            codes.append(exit_codes.SERVICE if is_gone else exit_codes.of_jobs([newest.status]))
            if stop.is_set() and not newest.status.is_terminal:
                console.err.line("Interrupted; the jobs continue on the service.")
                return (*codes, exit_codes.INTERRUPTED)
    return tuple(codes)


def _watch_names(place: Workplace, names: tuple[str, ...], ends_at: float, view: EventView, console: Console) -> int:
    checked = check_with_progress(place.setting, console)
    tally, stop = RunTally(), Stop()
    with (
        open_service(place.setting, checked.specs, ends_at=ends_at, sleep=console.pause) as provider,
        handle_signals(stop),
    ):
        with console.notice_silence():
            prepared = prepare_plan(place.setting, checked, Options(), provider)
        jobs = find_newest_jobs(checked.specs, names, prepared.observed)
        if names and not jobs:
            what = f"no job of {', '.join(names)} on the service"
            raise NotFoundError(what, hint=f"create it with: {place.setting.scope.apply()}")
        with open_run_context(prepared, provider, parallelism=1, stop=stop, ends_at=ends_at) as run_context:
            ticking = call_after_sleep(run_context, view.tick)
            # A job that never answers is still running, as far as is known.
            tally.jobs |= {job.id: job for job in jobs}
            for event in watch([job.id for job in jobs], ticking):
                tally.count(event)
                view.show(event)
        view.close()
        left = record_watched(prepared, tally)
    if asked := [str(address) for address in left if not names or address.name in names]:
        console.err.line(f"Not recorded: {', '.join(asked)}. What serves from now on is decided by an apply:")
        console.err.line(place.setting.scope.apply())
    if tally.interrupted:
        console.err.line("Interrupted; the jobs continue on the service.")
        return exit_codes.INTERRUPTED
    return exit_codes.of_jobs(job.status for job in tally.jobs.values())


_NO_ENVIRONMENT = "it does not say that this environment created it"


def cancel(context: typer.Context, name: NameArgument, where: SpecsOptions, auto_approve: ApproveOption = False) -> int:
    """Cancel the running jobs of a model, or one job by its id.

    By name, the jobs that this environment created. A plan then holds the model until you use --retry. A job that does
    not bear this project's stamp is never cancelled.
    """
    console: Console = context.obj
    if not (auto_approve or console.can_ask):
        raise UsageError("cancel needs approval, and there is no terminal to ask on; use --auto-approve")
    place = find_place(where, (name,))
    by_name = place.is_name(name)
    note_name(place, name, console.note)
    if by_name:
        checked = check_with_progress(place.setting, console)
    else:
        # The specs then only say which jobs are ours: nothing is wanted, and no row is read.
        checked = CheckedSpecs(specs=replace(place.specs, datasets=(), models=()), measures={})
    with open_service(place.setting, place.specs, sleep=console.pause) as provider:
        with console.notice_silence():
            # A job that is not ours is refused before anything else happens.
            jobs = [] if by_name else [_require_ours(place, find_job(place, name, provider, console.note), provider)]
            prepared = prepare_plan(place.setting, checked, Options(), provider)
        if by_name:
            find_newest_jobs(checked.specs, (name,), prepared.observed)
            jobs = [job for job in prepared.observed.jobs if job.address.name == name and not job.is_adopted]
        running = [job for job in jobs if job.status.is_active]
        elsewhere = [job for job in running if by_name and not place.specs.project.has_made(job.environment)]
        for job in elsewhere:
            made = f"the environment {job.environment} created it" if job.environment else _NO_ENVIRONMENT
            command = place.setting.scope.call("cancel", job.id)
            console.note(clean(f"Job {job.id} of {job.address} is left alone: {made}. To cancel it: {command}"))
        running = [job for job in running if job not in elsewhere]
        if elsewhere and not running:
            return exit_codes.REFUSED
        if not running:
            console.note(f"No job of {name} is running.")
            return exit_codes.OK
        for job in running:
            console.out.line(f"- {job.address}: cancel {clean(job.id)} ({clean(str(job.status))})")
        if not (auto_approve or console.ask_approval()):
            console.err.line("Not approved: nothing was done.")
            return exit_codes.REFUSED
        view, tally = EventView(console), RunTally()
        with open_run_context(prepared, provider, parallelism=1, stop=Stop()) as run_context:
            for event in execute(_plan_cancel(prepared.plan, running), run_context):
                view.show(event)
                tally.count(event)
        view.close()
        if by_name:
            record_watched(prepared, tally)
    return exit_codes.OK if set(tally.outcomes) <= {Outcome.DONE} else exit_codes.SERVICE


def _require_ours(place: Workplace, job: RemoteJob, provider: Provider) -> RemoteJob:
    """Return a job as one of ours.

    Raises: PolicyError when it is not
    """
    if job.stamp is None:
        owner = (
            f"it is of the project {job.details.project}"
            if job.details.project
            else "it does not bear this project's stamp"
        )
        what = f"{job.id} is not a job of the project {place.specs.project.name}: {owner}. Nothing was cancelled"
        raise PolicyError(f"{what}; what is not ours is never changed")
    return own_job(provider, job.id)


def _plan_cancel(plan: Plan, running: list[RemoteJob]) -> Plan:
    steps = tuple(
        Step(id=StepId(f"cancel:{job.address}:{job.id}"), action=Cancel(job=job, reason=CancelReason.ASKED))
        for job in running
    )
    return Plan(project=plan.project, provider=plan.provider, service=plan.service, basis=plan.basis, steps=steps)
