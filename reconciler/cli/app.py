"""Registers the commands, and turns every end they can have into words and a number."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from reconciler import __version__
from reconciler.cli import (
    data,
    diff,
    exit_codes,
    forget,
    import_job,
    inventory,
    jobs,
    models,
    plans,
    prepare,
    serve,
    show,
    snippet,
    write,
)
from reconciler.cli.console import Talk, opened
from reconciler.cli.formats import wants_json
from reconciler.domain.errors import InputError, ReconcilerError

EPILOG = (
    "Exit codes: 0 done or nothing to do; 1 the service refused or is away; 2 changes pending (plan"
    " --detailed-exitcode); 3 specs or data invalid; 4 saved plan stale; 5 a policy or guard refused; 6 a job failed;"
    " 7 still running; 8 some steps failed; 9 outcome of a create unknown, safe to run again; 64 wrong usage;"
    " 130 interrupted."
)

app = typer.Typer(
    name="reconciler",
    help="Plan and apply for fine-tuned models.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for register in (
    write.register,
    prepare.register,
    data.register,
    plans.register,
    diff.register,
    show.register,
    jobs.register,
    inventory.register,
    models.register,
    import_job.register,
    forget.register,
    snippet.register,
    serve.register,
):
    register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    chdir: Annotated[Path | None, typer.Option("--chdir", "-C", help="Work as if started in this directory.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="Write without colour.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Plan and apply for fine-tuned models.

    Specs in git say which datasets and fine-tuned models should exist. plan shows the difference to what the service
    holds, apply closes it.
    """
    if chdir:
        if not chdir.is_dir():
            raise typer.BadParameter(f"no such directory: {chdir}")
        os.chdir(chdir)
    context.obj = opened(os.environ, no_colour=no_color)


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives its exit code. A bug keeps its traceback."""
    talk = opened(os.environ, no_colour="--no-color" in arguments)
    try:
        code = app(list(arguments), standalone_mode=False)
        return code if isinstance(code, int) else exit_codes.OK
    except TyperException as error:
        talk.err.line(f"Error: {error.format_message()}")
        talk.err.line("Try --help after the command.")
        return exit_codes.USAGE
    except InputError as error:
        _tell_problems(error, talk, as_json=wants_json(arguments))
        return exit_codes.INVALID
    except ReconcilerError as error:
        talk.error(error)
        return exit_codes.of_error(error)
    except (KeyboardInterrupt, Abort):
        talk.err.line("Interrupted.")
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.OK


def _tell_problems(error: InputError, talk: Talk, *, as_json: bool) -> None:
    from reconciler.render import problems_json, problems_text

    if as_json:
        talk.out.write(problems_json(error.problems, error.unshown))
    else:
        talk.err.write(problems_text(error.problems, error.unshown, "nothing was sent", colour=talk.colour_err))
