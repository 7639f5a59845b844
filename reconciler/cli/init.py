"""init: a commented spec tree to start from."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import exit_codes
from reconciler.cli.console import Console
from reconciler.cli.options import DEFAULT_ROOT, add_command
from reconciler.specfile import write_starter


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    add_command(app, init, epilog="Example:\n\n  reconciler init && reconciler apply")


def init(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(help="Where to write.")] = DEFAULT_ROOT,
) -> int:
    """Write a commented spec tree to start from.

    It comes with a small dataset, and trains on this machine.
    """
    console: Console = context.obj
    for path in write_starter(root):
        console.out.line(str(path))
    where = "" if root == DEFAULT_ROOT else f" {root}"
    console.err.line(f"Next: reconciler apply{where}")
    return exit_codes.OK
