"""forget: takes a model out of the lock file, and lists what stays on the service. Changes nothing there."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Annotated

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import SpecsOptions, add_command
from reconciler.cli.places import resolve_specs
from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Address, Kind
from reconciler.domain.lock import Lock, LockEntry, is_same_account
from reconciler.domain.observed import RemoteJob
from reconciler.domain.plan import CommandScope, Options
from reconciler.render import clean
from reconciler.specfile import read_lock, update_lock
from reconciler.workflow import read_setting
from reconciler.workflow.plan import open_service

EXAMPLES = """
Example:

  reconciler forget old-triage

Take the model out of the specs first. What the service holds stays; the output lists the commands that remove it.
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, forget, epilog=EXAMPLES)


def forget(
    context: typer.Context,
    where: SpecsOptions,
    name: Annotated[str, typer.Argument(help="The name of a model, which no spec has any more.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it although the specs still name it.")] = False,
) -> int:
    """Take a model out of the lock file; the service is not changed.

    Only the entry of the account that answers is taken out; those of other services stay. The output lists what the
    service still holds of the model.
    """
    console: Console = context.obj
    name = name.removeprefix("model/")
    setting = resolve_specs(where, name)
    specs = read_setting(setting)
    if name in {model.name for model in specs.models} and not yes:
        raise UsageError(
            f"the specs still name {name}, and the next apply would record it again; take it out of the specs first,"
            " or use --yes"
        )
    address = Address(Kind.MODEL, name)
    lock = read_lock(setting.lock_path)
    with open_service(setting, specs, sleep=console.pause) as provider, console.notice_silence():
        observed = provider.observe()
    jobs = tuple(job for job in observed.jobs if job.address == address)
    named = [entry for entry in lock.entries if entry.address == address]
    entries = [entry for entry in named if is_same_account(entry.service, observed.service)]
    # An account that is no more cannot answer, so another one of the profile may stand for it.
    entries = entries or [entry for entry in named if entry.provider == provider.name]
    if not named and not jobs:
        raise UsageError(f"{name} is not known: the lock file does not name it, and no job of ours does")
    if entries:
        update_lock(setting.lock_path, partial(_leave_out, entries=entries))
        models = ", ".join(entry.model for entry in entries)
        console.out.line(clean(f"{address}: taken out of {setting.lock_path}; it was {models}"))
    elif not named:
        console.out.line(f"{address}: {setting.lock_path} does not name it")
    for entry in named:
        if entry not in entries:
            console.out.line(
                clean(f"Stays in {setting.lock_path}: {entry.model} of {entry.service} ({entry.provider})")
            )
    for line in _list_remaining(jobs, setting.scope):
        console.out.line(clean(line))
    return exit_codes.OK


def _leave_out(lock: Lock, entries: Collection[LockEntry]) -> Lock:
    left = {(entry.address, entry.service) for entry in entries}
    return replace(lock, entries=tuple(each for each in lock.entries if (each.address, each.service) not in left))


def _list_remaining(jobs: tuple[RemoteJob, ...], scope: CommandScope) -> Iterator[str]:
    """Yield what the service still holds of a model, and the commands that remove it."""
    for job in jobs:
        made = f", which made {job.model}" if job.model else ""
        yield f"Stays on the service: job {job.id} ({job.status}){made}"
    active = [job for job in jobs if job.status.is_active and not job.is_adopted]
    for job in active:
        yield f"To cancel it: {scope.call('cancel', job.id)}"
    if any(job.model and not job.is_adopted for job in jobs):
        command = scope.plan(options=Options(prune=True))
        yield f"To see what removing it would do, once no spec names it: {command}"
