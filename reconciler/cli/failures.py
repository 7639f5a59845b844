"""Turns the error that ended a command into text and an exit code."""

import os
from collections.abc import Sequence
from itertools import pairwise

from typer.exceptions import Abort, TyperException

from reconciler.cli import exit_codes
from reconciler.cli.console import open_console
from reconciler.domain.errors import InputError, ReconcilerError
from reconciler.render import problems_json


def report_failure(error: BaseException, arguments: Sequence[str]) -> int | None:
    """Write what went wrong and return the exit code; None for a bug, which is raised again."""
    console = open_console(os.environ, no_colour="--no-color" in arguments)
    match error:
        case TyperException():
            console.err.line(f"Error: {error.format_message()}")
            console.err.line("Try --help after the command.")
            return exit_codes.USAGE
        case InputError() if wants_json(arguments):
            console.out.write(problems_json(error.problems, error.unshown))
            return exit_codes.INVALID
        case ReconcilerError():
            console.show_error(error)
            return exit_codes.of_error(error)
        case KeyboardInterrupt() | Abort():
            console.err.line("Interrupted.")
            return exit_codes.INTERRUPTED
        case _:
            return None


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON on stdout, so that problems are written in JSON too."""
    return "--json" in arguments or "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
