"""lock rebuild: writes the lock file again from what the service holds, for one that is damaged or in conflict."""

import msgspec
import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import JsonOption, SpecsOptions, add_command
from reconciler.cli.places import resolve_specs
from reconciler.render import clean
from reconciler.workflow import read_setting
from reconciler.workflow.mending import rebuild

EXAMPLES = """
Examples:

  reconciler lock rebuild

  reconciler lock rebuild --env production
"""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, rebuild_, name="rebuild", epilog=EXAMPLES)


def rebuild_(context: typer.Context, where: SpecsOptions, as_json: JsonOption = False) -> int:
    """Write the lock file again from what the service holds.

    For each model of the specs: the job that the specs want, else the newest one whose model exists. If the file can
    still be read, entries of other accounts and of models that no spec names are kept, and in an environment all that
    it names. Nothing on the service changes.
    """
    console: Console = context.obj
    setting = resolve_specs(where)
    found = rebuild(setting, read_setting(setting))
    here = found.lock.of(found.service)
    if as_json:
        content = {
            "file": str(setting.lock_path),
            "service": found.service,
            "models": {entry.address.name: entry.model for entry in here},
            "missing": found.missing,
            "kept_of_other_accounts": len(found.lock.entries) - len(here),
            "was_damaged": found.was_damaged,
        }
        console.out.write(msgspec.json.format(msgspec.json.encode(content)).decode() + "\n")
        return exit_codes.OK
    for entry in here:
        console.out.line(clean(f"{entry.address}: {entry.model}, made by {entry.job}"))
    for name in found.missing:
        console.out.line(clean(f"model/{name}: no finished model"))
    if found.was_damaged:
        console.err.line(
            "The old file could not be read: entries of other accounts and the record of cancelled jobs are lost."
        )
        console.err.line("To keep them, take the file from git, and run this command again.")
    console.out.line(f"Written: {setting.lock_path}.")
    return exit_codes.OK
