"""Runs one command, and returns its exit code."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort

from reconciler import __version__
from reconciler.cli.commands import LazyGroup

EPILOG = (
    "Exit codes: 0 done or nothing to do; 1 the service refused or did not answer; 2 changes pending (plan"
    " --detailed-exitcode); 3 specs or data invalid; 4 saved plan stale; 5 a policy or guard refused; 6 a job failed;"
    " 7 still running; 8 some steps failed; 9 outcome of a create unknown, safe to run again; 64 wrong usage;"
    " 130 interrupted."
)

app = typer.Typer(
    name="reconciler",
    cls=LazyGroup,
    help="Plan and apply for fine-tuned models.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    chdir: Annotated[Path | None, typer.Option("--chdir", "-C", help="Work as if started in this directory.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="Write without colour.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Plan and apply for fine-tuned models.

    Specs in git say which datasets and fine-tuned models should exist. plan shows the difference to what the service
    holds, apply closes it.
    """
    # `--help` and completion write through the command-line library, and load nothing else.
    from reconciler.cli.console import open_console

    if chdir:
        if not chdir.is_dir():
            raise typer.BadParameter(f"no such directory: {chdir}")
        os.chdir(chdir)
    context.obj = open_console(os.environ, no_colour=no_color)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. A bug keeps its traceback."""
    try:
        code = app(list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The program that read our output has ended; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, Abort, Exception) as error:
        # A command that succeeds does not pay for the texts of errors.
        from reconciler.cli.exit_codes import report_failure

        code = report_failure(error, arguments)
        if code is None:
            raise
        return code
