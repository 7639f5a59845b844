"""What a command writes when it fails. Loaded only then, so a command that succeeds does not pay for it."""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise, takewhile

from typer.exceptions import Abort, TyperException

from reconciler import __version__
from reconciler.cli.console import open_console
from reconciler.cli.exit_codes import describe_machine, is_of_machine, name_failure, of_error
from reconciler.domain.errors import InputError, ProviderError, ReconcilerError
from reconciler.render import failure_json, problems_json, service_fields
from reconciler.render.review import Review, empty_plan, result_line

_WRITES_LINES = frozenset({"follow", "wait"})
_WITH_VALUE = frozenset({"-C", "--chdir"})


def report_failure(error: BaseException, arguments: Sequence[str]) -> int | None:
    """Write what went wrong and return the exit code; None for a bug, which is raised again.

    Shape:  a command line with --json has an object on stdout for every failure, also for a bug
    """
    console = open_console(os.environ, no_colour="--no-color" in arguments)
    if wants_json(arguments):
        with suppress(OSError):
            console.out.write(_failure_json(error, find_command(arguments)))
    match error:
        case TyperException():
            console.err.line(f"Error: {error.format_message()}")
            console.err.line("Try --help after the command.")
        case InputError() if wants_json(arguments):
            pass
        case ReconcilerError():
            console.show_error(error)
        case KeyboardInterrupt() | Abort():
            console.err.line("Interrupted.")
        case _ if is_of_machine(error):
            # What a library or a rare place raised: still a condition of this machine, and no bug.
            console.err.line(f"Error: {describe_machine(error)}")
        case _:
            return None
    return of_error(error)


def _failure_json(error: BaseException, command: str) -> str:
    """Return what a command with --json writes to stdout when it fails; empty where it has written that itself."""
    code = of_error(error)
    if command == "apply":
        # Its own report begins when the command line has been read.
        if not isinstance(error, TyperException):
            return ""
        failure = name_failure(error)
        return result_line(Review(plan=empty_plan(__version__), failure=failure, exit_code=code, is_success=False))
    if isinstance(error, InputError):
        return problems_json(error.problems, error.unshown)
    if command == "output":
        # The keys of its document are names of models.
        return ""
    service = service_fields(error) if isinstance(error, ProviderError) else None
    return failure_json(name_failure(error), code, service, is_line=command in _WRITES_LINES)


def find_command(arguments: Sequence[str]) -> str:
    """Return the name of the command on a command line; empty where there is none."""
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON on stdout, so that problems are written in JSON too."""
    flags = tuple(takewhile(lambda word: word != "--", arguments))
    return "--json" in flags or "--format=json" in flags or ("--format", "json") in pairwise(flags)
