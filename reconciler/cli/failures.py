"""Turns the error that ended a command into text and an exit code."""

import os
from collections.abc import Sequence

from typer.exceptions import Abort, TyperException

from reconciler.cli import exit_codes
from reconciler.cli.console import Console, open_console
from reconciler.cli.formats import wants_json
from reconciler.domain.errors import InputError, ReconcilerError
from reconciler.render import problems_json, problems_text


def report_failure(error: BaseException, arguments: Sequence[str]) -> int | None:
    """Write what went wrong and return the exit code; None for a bug, which is raised again."""
    console = open_console(os.environ, no_colour="--no-color" in arguments)
    match error:
        case TyperException():
            console.err.line(f"Error: {error.format_message()}")
            console.err.line("Try --help after the command.")
            return exit_codes.USAGE
        case InputError():
            _report_problems(error, console, as_json=wants_json(arguments))
            return exit_codes.INVALID
        case ReconcilerError():
            console.show_error(error)
            return exit_codes.of_error(error)
        case KeyboardInterrupt() | Abort():
            console.err.line("Interrupted.")
            return exit_codes.INTERRUPTED
        case _:
            return None


def _report_problems(error: InputError, console: Console, *, as_json: bool) -> None:
    if as_json:
        console.out.write(problems_json(error.problems, error.unshown))
    else:
        console.err.write(problems_text(error.problems, error.unshown, "nothing was sent", colour=console.colour_err))
