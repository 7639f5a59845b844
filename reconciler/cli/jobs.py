"""status, follow, wait and cancel: what the service is doing for us, and what any job on it says."""

import time
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import (
    DEFAULT_ROOT,
    EnvOption,
    JsonOption,
    ProviderOption,
    SpecsOption,
    TimeoutOption,
    read_timeout,
    setting_for,
)
from reconciler.cli.plans import check_with_progress
from reconciler.domain.errors import NotFoundError, PolicyError, UsageError
from reconciler.domain.event import Interrupted, JobLogged, JobMoved, JobVanished
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Options, Plan, Step, StepId
from reconciler.domain.ports import Provider, own_job
from reconciler.domain.spec import Specs
from reconciler.foundation.stop import Stop
from reconciler.workflow.engine import (
    CheckedSpecs,
    PreparedPlan,
    Setting,
    find_named_jobs,
    open_run_context,
    open_service,
    prepare,
    record_lock,
)
from reconciler.workflow.targets import Workplace, find_jobs, find_workplace, note_name

Names = Annotated[list[str] | None, typer.Argument(help="Names of models, or ids; all models when none is named.")]
Name = Annotated[str, typer.Argument(help="The name of a model, or an id.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command(
        epilog="Examples:\n\n  reconciler follow support-triage\n\n  reconciler follow ftjob-abc123 --provider openai"
    )(follow)
    app.command(epilog="Examples:\n\n  reconciler wait --timeout 30m\n\n  reconciler wait ftjob-abc123")(wait)
    app.command(epilog="Examples:\n\n  reconciler cancel support-triage\n\n  reconciler cancel ftjob-abc123")(cancel)


def _prepared(root: Path, provider: str | None, environment: str | None, console: Console) -> PreparedPlan:
    setting = setting_for(None, root, provider, environment)
    checked = check_with_progress(setting, console)
    with open_service(setting, checked.specs) as opened:
        return prepare(setting, checked, Options(), opened)


def status(
    context: typer.Context,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the state of every model of the specs."""
    from reconciler.cli.execution import RunTally, show_summary
    from reconciler.cli.plans import show_plan

    console: Console = context.obj
    prepared = _prepared(specs, provider, environment, console)
    if as_json:
        show_plan(prepared.plan, {}, console, as_json=True)
    else:
        show_summary(prepared, RunTally(), console)
    return exit_codes.OK


def follow(
    context: typer.Context,
    name: Name,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show the events of a model's newest job, or of any job by its id.

    From its beginning until it ends; exits 6 when it failed. A name in the specs comes before an id.
    """
    return _watch((name,), specs, provider, environment, timeout, context.obj, as_json=as_json, quiet=False)


def wait(
    context: typer.Context,
    names: Names = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> int:
    """Wait until jobs have ended.

    The newest job of each model is waited for, and what answers is recorded. By id any job on the service is waited
    for, and nothing is recorded.
    """
    return _watch(tuple(names or ()), specs, provider, environment, timeout, context.obj, as_json=as_json, quiet=True)


def _watch(
    texts: tuple[str, ...],
    root: Path,
    provider: str | None,
    environment: str | None,
    timeout: str | None,
    console: Console,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    limit = read_timeout(timeout)
    deadline = None if limit is None else time.monotonic() + limit
    place = find_workplace(texts, root, provider, environment)
    names = tuple(text for text in texts if place.is_name(text))
    ids = tuple(text for text in texts if not place.is_name(text))
    for name in names:
        note_name(place, name, console)
    # Ids first: when one of them is not there, that is said before anything is waited for.
    watched = _watch_ids(place, ids, deadline, console, as_json=as_json, quiet=quiet) if ids else ()
    if exit_codes.INTERRUPTED in watched or (ids and not names):
        return _gravest(watched)
    left = None if deadline is None else max(deadline - time.monotonic(), 0)
    return _gravest((*watched, _watch_names(names, place.setting, left, console, as_json=as_json, quiet=quiet)))


def _gravest(codes: tuple[int, ...]) -> int:
    order = (exit_codes.INTERRUPTED, exit_codes.JOB_FAILED, exit_codes.SERVICE, exit_codes.STILL_RUNNING)
    return next((code for code in order if code in codes), exit_codes.OK)


def _watch_ids(
    place: Workplace, ids: tuple[str, ...], deadline: float | None, console: Console, *, as_json: bool, quiet: bool
) -> tuple[int, ...]:
    from reconciler.cli.execution import handle_signals
    from reconciler.executor import follow as follow_jobs
    from reconciler.render import event_json, event_text

    stop, codes = Stop(), list[int]()
    with open_service(place.setting, place.specs) as opened, handle_signals(stop):
        for job in find_jobs(place, ids, opened, console):
            events = follow_jobs(
                (job,),
                opened,
                find_job=lambda id_: opened.job(id_).as_written(),
                clock=time.monotonic,
                sleep=stop.wait,
                stopping=stop.is_set,
                deadline=deadline,
            )
            seen, is_gone = job, False
            for event in events:
                if isinstance(event, Interrupted):
                    break
                seen = event.job if isinstance(event, JobMoved) else seen
                is_gone = isinstance(event, JobVanished)
                if as_json:
                    console.out.write(event_json(event))
                    console.out.flush()
                elif not (quiet and isinstance(event, JobLogged)):
                    console.err.write(event_text(event, colour=console.colour_err))
                    console.err.flush()
            codes.append(exit_codes.SERVICE if is_gone else exit_codes.of_jobs([seen.status]))
            if stop.is_set() and not seen.status.is_terminal:
                console.err.line("Interrupted; the jobs go on.")
                return (*codes, exit_codes.INTERRUPTED)
    return tuple(codes)


def _watch_names(
    names: tuple[str, ...], setting: Setting, limit: float | None, console: Console, *, as_json: bool, quiet: bool
) -> int:
    from reconciler.cli.execution import RunTally, handle_signals, select_serving_jobs, tick_while_sleeping
    from reconciler.executor import watch
    from reconciler.render import LiveView, event_json

    checked = check_with_progress(setting, console)
    tally, stop = RunTally(), Stop()
    view = LiveView(console.err, console.is_terminal and not as_json, console.colour_err, time.monotonic)
    with open_service(setting, checked.specs) as opened, handle_signals(stop):
        prepared = prepare(setting, checked, Options(), opened)
        found = find_named_jobs(checked.specs, names, prepared.observed)
        if names and not found:
            raise NotFoundError(f"no job of {', '.join(names)} on the service", hint="create it with: reconciler apply")
        with open_run_context(prepared, opened, parallelism=1, stop=stop) as laid:
            for event in watch([job.id for job in found], tick_while_sleeping(laid, view), timeout_seconds=limit):
                tally.count(event)
                if as_json:
                    console.out.write(event_json(event))
                elif not (quiet and isinstance(event, JobLogged)):
                    view.show(event)
        view.close()
        record_lock(prepared, select_serving_jobs(prepared, tally), ())
    if tally.interrupted:
        console.err.line("Interrupted; the jobs go on.")
        return exit_codes.INTERRUPTED
    return exit_codes.of_jobs(job.status for job in tally.jobs.values())


def cancel(
    context: typer.Context,
    name: Name,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask.")] = False,
) -> int:
    """Cancel the running jobs of a model, or one job by its id.

    A plan then holds the model until it is asked for with --retry. A job that does not bear our stamp is never
    cancelled.
    """
    from reconciler.cli.execution import RunTally, select_serving_jobs
    from reconciler.cli.plans import ask_approval
    from reconciler.domain.event import Outcome
    from reconciler.executor import execute
    from reconciler.render import LiveView, clean

    console: Console = context.obj
    if not (auto_approve or console.can_ask):
        raise UsageError("cancel wants a yes, and there is no terminal to ask on; say --auto-approve")
    place = find_workplace((name,), specs, provider, environment)
    by_name = place.is_name(name)
    note_name(place, name, console)
    checked = (
        check_with_progress(place.setting, console) if by_name else CheckedSpecs(specs=_owner(place.specs), measures={})
    )
    with open_service(place.setting, place.specs) as opened:
        # Whether it may be touched at all is settled before anything else is looked at.
        meant = (
            () if by_name else tuple(_ours(place, job, opened) for job in find_jobs(place, (name,), opened, console))
        )
        prepared = prepare(place.setting, checked, Options(), opened)
        if by_name:
            find_named_jobs(checked.specs, (name,), prepared.observed)
            meant = tuple(job for job in prepared.observed.jobs if job.address.name == name and not job.is_adopted)
        running = [job for job in meant if job.status.is_active]
        if not running:
            console.err.line(f"No job of {clean(name)} is running.")
            return exit_codes.OK
        for job in running:
            console.out.line(f"- {job.address}: cancel {clean(job.id)} ({clean(str(job.status))})")
        if not (auto_approve or ask_approval(console)):
            console.err.line("Not approved: nothing was done.")
            return exit_codes.REFUSED
        view = LiveView(console.err, console.is_terminal, console.colour_err, time.monotonic)
        tally = RunTally()
        with open_run_context(prepared, opened, parallelism=1, stop=Stop()) as laid:
            for event in execute(_cancelling(prepared.plan, running), laid):
                view.show(event)
                tally.count(event)
        view.close()
        if by_name:
            record_lock(prepared, select_serving_jobs(prepared, tally), ())
    return exit_codes.OK if set(tally.outcomes) <= {Outcome.DONE} else exit_codes.SERVICE


def _owner(specs: Specs) -> Specs:
    """Return the specs without anything that is wanted: they then say no more than whose a thing is."""
    return replace(specs, datasets=(), models=())


def _ours(place: Workplace, job: RemoteJob, opened: Provider) -> RemoteJob:
    """Return a job as one of ours.

    Raises: PolicyError when it is not
    """
    if job.stamp is None:
        owner = f"it is of the project {job.details.project}" if job.details.project else "it bears no stamp of ours"
        what = f"{job.id} is not a job of the project {place.specs.project.name}: {owner}. Nothing was cancelled"
        raise PolicyError(f"{what}; what is not ours is never touched")
    return own_job(opened, job.id)


def _cancelling(plan: Plan, running: list[RemoteJob]) -> Plan:
    steps = tuple(
        Step(id=StepId(f"cancel:{job.address}:{job.id}"), action=Cancel(job=job, reason=CancelReason.ASKED))
        for job in running
    )
    return Plan(project=plan.project, provider=plan.provider, service=plan.service, basis=plan.basis, steps=steps)
