"""status, jobs, follow, wait and cancel: what the service is doing for us."""

import time
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exits
from reconciler.cli.options import (
    DEFAULT_ROOT,
    JsonOption,
    ProviderOption,
    SpecsOption,
    TimeoutOption,
    seconds,
    setting_for,
)
from reconciler.cli.plans import checked_aloud
from reconciler.cli.talk import Talk
from reconciler.domain.errors import NotFoundError, UsageError
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import Cancel, CancelReason, Options, Plan, Step, StepId
from reconciler.engine import Prepared, Stop, bench, jobs_named, prepare, record, service

Names = Annotated[list[str] | None, typer.Argument(help="Names of models; all of them when none is named.")]
Name = Annotated[str, typer.Argument(help="The name of a model.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(status)
    app.command()(jobs)
    app.command(epilog="Example:\n\n  reconciler follow support-triage")(follow)
    app.command(epilog="Example:\n\n  reconciler wait --timeout 30m")(wait)
    app.command(epilog="Example:\n\n  reconciler cancel support-triage")(cancel)


def _prepared(root: Path, provider: str | None, talk: Talk, name: str | None = None) -> Prepared:
    setting = setting_for(name, root, provider)
    checked = checked_aloud(setting, talk)
    with service(setting, checked.specs) as opened:
        return prepare(setting, checked, Options(), opened)


def status(
    context: typer.Context,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show where every model of the specs stands."""
    from reconciler.cli.plans import show
    from reconciler.cli.run import Tally, sum_up

    talk: Talk = context.obj
    prepared = _prepared(specs, provider, talk)
    if as_json:
        show(prepared, talk, as_json=True)
    else:
        sum_up(prepared, Tally(), talk)
    return exits.OK


def jobs(
    context: typer.Context,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the jobs of this project, newest first."""
    from reconciler.render import jobs_json, jobs_table
    from reconciler.spec import read_specs

    talk: Talk = context.obj
    setting = setting_for(None, specs, provider)
    with service(setting, read_specs(setting.root, setting.workspace)) as opened:
        found = tuple(reversed(opened.observe().jobs))
    talk.out.write(jobs_json(found) if as_json else jobs_table(found, colour=talk.colour, width=talk.width))
    return exits.OK


def follow(
    context: typer.Context,
    name: Name,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what a model's newest job says.

    From its beginning until it ends; exits 6 when it failed.
    """
    return _watch((name,), specs, provider, timeout, context.obj, as_json=as_json, quiet=False)


def wait(
    context: typer.Context,
    names: Names = None,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> int:
    """Wait until jobs have ended.

    The newest job of each model is waited for, and what answers is recorded.
    """
    return _watch(tuple(names or ()), specs, provider, timeout, context.obj, as_json=as_json, quiet=True)


def _watch(
    names: tuple[str, ...],
    root: Path,
    provider: str | None,
    timeout: str | None,
    talk: Talk,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    from reconciler.cli.run import Tally, answering, heeding, ticking
    from reconciler.domain.event import JobLogged
    from reconciler.executor import watch
    from reconciler.render import LiveView, event_json

    setting = setting_for(names[0] if names else None, root, provider)
    checked = checked_aloud(setting, talk)
    tally, stop = Tally(), Stop()
    view = LiveView(talk.err, talk.is_terminal and not as_json, talk.colour_err, time.monotonic)
    limit = seconds(timeout)
    with service(setting, checked.specs) as opened, heeding(stop):
        prepared = prepare(setting, checked, Options(), opened)
        found = jobs_named(checked.specs, names, prepared.observed)
        if names and not found:
            raise NotFoundError(f"no job of {', '.join(names)} on the service", hint="create it with: reconciler apply")
        with bench(prepared, opened, parallelism=1, stop=stop) as laid:
            for event in watch([job.id for job in found], ticking(laid, view), timeout_seconds=limit):
                tally.count(event)
                if as_json:
                    talk.out.write(event_json(event))
                elif not (quiet and isinstance(event, JobLogged)):
                    view.show(event)
        view.close()
        record(prepared, answering(prepared, tally), ())
    if tally.interrupted:
        talk.err.line("Interrupted; the jobs go on.")
        return exits.INTERRUPTED
    return exits.of_jobs(job.status for job in tally.jobs.values())


def cancel(
    context: typer.Context,
    name: Name,
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask.")] = False,
) -> int:
    """Cancel the running jobs of a model.

    A plan then holds the model until it is asked for with --retry.
    """
    from reconciler.cli.plans import approved
    from reconciler.domain.event import Finished, Outcome
    from reconciler.executor import execute
    from reconciler.render import LiveView, clean

    talk: Talk = context.obj
    if not (auto_approve or talk.can_ask):
        raise UsageError("cancel wants a yes, and there is no terminal to ask on; say --auto-approve")
    setting = setting_for(name, specs, provider)
    checked = checked_aloud(setting, talk)
    with service(setting, checked.specs) as opened:
        prepared = prepare(setting, checked, Options(), opened)
        jobs_named(checked.specs, (name,), prepared.observed)
        running = [job for job in prepared.observed.jobs if job.address.name == name and job.status.is_active]
        if not running:
            talk.err.line(f"No job of {name} is running.")
            return exits.OK
        for job in running:
            talk.out.line(f"- {job.address}: cancel {clean(job.id)} ({clean(str(job.status))})")
        if not (auto_approve or approved(talk)):
            talk.err.line("Not approved: nothing was done.")
            return exits.REFUSED
        view = LiveView(talk.err, talk.is_terminal, talk.colour_err, time.monotonic)
        outcomes = []
        with bench(prepared, opened, parallelism=1, stop=Stop()) as laid:
            for event in execute(_cancelling(prepared.plan, running), laid):
                view.show(event)
                outcomes += [event.outcome] if isinstance(event, Finished) else []
        view.close()
    return exits.OK if set(outcomes) <= {Outcome.DONE} else exits.SERVICE


def _cancelling(plan: Plan, running: list[RemoteJob]) -> Plan:
    steps = tuple(
        Step(id=StepId(f"cancel:{job.address}:{job.id}"), action=Cancel(job=job, reason=CancelReason.ASKED))
        for job in running
    )
    return Plan(project=plan.project, provider=plan.provider, service=plan.service, basis=plan.basis, steps=steps)
