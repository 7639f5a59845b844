"""forget: takes a model out of the lock file, and says what stays on the service. Touches nothing there."""

from collections.abc import Iterator
from typing import Annotated

import typer
from msgspec.structs import replace

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, EnvOption, ProviderOption, SpecsOption, setting_for
from reconciler.domain.errors import UsageError
from reconciler.domain.identity import Address, Kind
from reconciler.domain.observed import RemoteJob

EXAMPLES = """
Example:

  reconciler forget old-triage

Take the model out of the specs first. What the service holds stays there, and the commands that remove it are said.
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(epilog=EXAMPLES)(forget)


def forget(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of a model.")],
    specs: SpecsOption = DEFAULT_ROOT,
    provider: ProviderOption = None,
    environment: EnvOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Although the specs still name it.")] = False,
) -> int:
    """Take a model out of the lock file; the service is not changed.

    Nothing on the service is touched.
    """
    from reconciler.render import clean
    from reconciler.specfile import read_lock, write_lock
    from reconciler.workflow.engine import open_service, read_setting_specs

    console: Console = context.obj
    name = name.removeprefix("model/")
    setting = setting_for(name, specs, provider, environment)
    found = read_setting_specs(setting)
    if name in {model.name for model in found.models} and not yes:
        raise UsageError(
            f"the specs still name {name}, and the next apply would write it down again; take it out of the specs"
            " first, or say --yes"
        )
    address = Address(Kind.MODEL, name)
    lock = read_lock(setting.lock_path)
    with open_service(setting, found) as opened:
        seen = opened.observe()
    jobs = tuple(job for job in seen.jobs if job.address == address)
    entry = lock.find(address)
    if entry is None and not jobs:
        raise UsageError(f"nothing is known of {name}: the lock file does not name it, and no job of ours does")
    if entry:
        kept = tuple(each for each in lock.entries if each.address != address)
        write_lock(setting.lock_path, replace(lock, entries=kept))
        console.out.line(f"{address}: taken out of {setting.lock_path}; it was {clean(entry.model)}")
    else:
        console.out.line(f"{address}: {setting.lock_path} does not name it")
    for line in _stays(jobs, str(setting.root)):
        console.out.line(clean(line))
    return exit_codes.OK


def _stays(jobs: tuple[RemoteJob, ...], root: str) -> Iterator[str]:
    """Say what the service still holds of a model, and what removes it."""
    for job in jobs:
        made = f", which made {job.model}" if job.model else ""
        yield f"Stays on the service: job {job.id} ({job.status}){made}"
    active = [job for job in jobs if job.status.is_active and not job.is_adopted]
    for job in active:
        yield f"To cancel it: reconciler cancel {job.id} --specs {root}"
    if any(job.model and not job.is_adopted for job in jobs):
        yield f"To see what removing it would do, once no spec names it: reconciler plan {root} --prune"
