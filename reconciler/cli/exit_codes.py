"""The exit code of a command: the most serious thing that happened. Errors get their text here too."""

import os
from collections.abc import Iterable, Sequence
from itertools import pairwise

from typer.exceptions import Abort, TyperException

from reconciler import __version__
from reconciler.cli.console import open_console
from reconciler.cli.signals import SignalReceived
from reconciler.domain.errors import (
    STORE_UNUSABLE,
    InputError,
    PolicyError,
    ProviderError,
    ReconcilerError,
    StalePlanError,
    UnusablePlaceError,
    UsageError,
)
from reconciler.domain.event import Outcome
from reconciler.domain.observed import SUCCEEDED, JobStatus
from reconciler.domain.plan import KeepReason, Plan
from reconciler.render import problems_json
from reconciler.render.review import Review, empty_plan, result_line

OK = 0
SERVICE = 1
CHANGES = 2
INVALID = 3
STALE = 4
REFUSED = 5
JOB_FAILED = 6
STILL_RUNNING = 7
PARTLY = 8
UNKNOWN = 9
USAGE = 64
UNUSABLE = 74
INTERRUPTED = 130

_OF_ERROR: tuple[tuple[type[ReconcilerError], int], ...] = (
    (InputError, INVALID),
    (StalePlanError, STALE),
    (PolicyError, REFUSED),
    (UsageError, USAGE),
    (UnusablePlaceError, UNUSABLE),
    (ProviderError, SERVICE),
)


TITLES = {
    OK: "Applied",
    SERVICE: "The service failed",
    JOB_FAILED: "A job failed or waits for a decision",
    STILL_RUNNING: "A job still runs",
    PARTLY: "Applied in part",
    UNKNOWN: "The outcome of a create is unknown",
    INTERRUPTED: "Interrupted",
}
"""How an apply ended that began to carry out its plan."""

_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (StalePlanError, "Stale"),
    (PolicyError, "Refused"),
    (UsageError, "Wrong usage"),
    (UnusablePlaceError, "Not possible on this machine"),
    (ProviderError, "The service failed"),
    (KeyboardInterrupt, "Interrupted"),
    (SignalReceived, "Interrupted"),
)


def name_failure(error: BaseException) -> str:
    """Return in one line why a command ended without a plan."""
    title = next((title for kind, title in _FAILURES if isinstance(error, kind)), "Failed")
    hint = getattr(error, "hint", "")
    return ": ".join(filter(None, [title, str(error)])) + (f" ({hint})" if hint else "")


def is_success(code: int) -> bool:
    """Return whether a command did what it is for: planned changes are no failure."""
    return code in {OK, CHANGES}


def of_error(error: ReconcilerError | KeyboardInterrupt | SignalReceived) -> int:
    """Return the exit code of an error that ended a command."""
    if not isinstance(error, ReconcilerError):
        return INTERRUPTED
    if isinstance(error, ProviderError) and error.code == STORE_UNUSABLE:
        return UNUSABLE
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), SERVICE)


def of_plan(plan: Plan, *, detailed: bool) -> int:
    """Return the exit code of a plan that was only shown; a wanted model that is missing without a job is a change."""
    if plan.refused:
        return REFUSED
    return CHANGES if detailed and (plan.steps or plan.blocked) else OK


def of_jobs(statuses: Iterable[JobStatus]) -> int:
    """Return the exit code of a wait that ended with jobs in these states."""
    ended = tuple(statuses)
    if any(status.is_terminal and status != SUCCEEDED for status in ended):
        return JOB_FAILED
    return STILL_RUNNING if any(status.is_active for status in ended) else OK


def of_codes(codes: Iterable[int]) -> int:
    """Return the most serious of the exit codes of several waits."""
    given = set(codes)
    return next((code for code in (INTERRUPTED, JOB_FAILED, SERVICE, STILL_RUNNING) if code in given), OK)


def of_run(
    plan: Plan, outcomes: Iterable[Outcome], statuses: Iterable[JobStatus], *, interrupted: bool, waited: bool
) -> int:
    """Return the exit code of an apply: the most serious thing that happened.

    A model that the plan holds back is not converged, exactly as one whose job failed now.
    """
    ended = tuple(outcomes)
    if interrupted:
        return INTERRUPTED
    if Outcome.UNKNOWN in ended:
        return UNKNOWN
    if Outcome.REFUSED in ended:
        return REFUSED
    if Outcome.FAILED in ended:
        return PARTLY if {Outcome.DONE, Outcome.ADOPTED} & set(ended) else SERVICE
    held = {keep.why for keep in plan.kept}
    jobs = of_jobs(statuses)
    if jobs == JOB_FAILED or held & {KeepReason.FAILED, KeepReason.CANCELLED, KeepReason.MISSING}:
        return JOB_FAILED
    if waited and (jobs == STILL_RUNNING or KeepReason.BUSY in held):
        return STILL_RUNNING
    return OK


_MACHINE = "Check the path, its permissions and the free space, and run again; what was done already is found again."


def report_failure(error: BaseException, arguments: Sequence[str]) -> int | None:
    """Write what went wrong and return the exit code; None for a bug, which is raised again."""
    console = open_console(os.environ, no_colour="--no-color" in arguments)
    match error:
        case TyperException():
            if wants_json(arguments) and getattr(getattr(error, "ctx", None), "info_name", "") == "apply":
                console.out.write(_usage_line(error.format_message()))
            console.err.line(f"Error: {error.format_message()}")
            console.err.line("Try --help after the command.")
            return USAGE
        case InputError() if wants_json(arguments):
            console.out.write(problems_json(error.problems, error.unshown))
            return INVALID
        case ReconcilerError():
            console.show_error(error)
            return of_error(error)
        case MemoryError():
            console.err.line("Error: there is not enough memory for this command on this machine")
            console.err.line("  hint: split the largest dataset into several files, or run it on a larger machine")
            return UNUSABLE
        case KeyboardInterrupt() | Abort():
            console.err.line("Interrupted.")
            return INTERRUPTED
        case OSError() if error.strerror or error.filename:
            # What a library or a rare place raised: still a condition of this machine, and no bug.
            where = f"{error.filename}: " if error.filename else ""
            console.err.line(f"Error: {where}{error.strerror or 'it cannot be used'}. {_MACHINE}")
            return UNUSABLE
        case _ if type(error).__module__ == "sqlite3":
            console.err.line(f"Error: the store of the built-in service cannot be used: {error}. {_MACHINE}")
            return UNUSABLE
        case _:
            return None


def _usage_line(message: str) -> str:
    """Return the result of an apply whose command line is wrong: a reader of its JSON always finds one."""
    failure = f"Wrong usage: {message}"
    return result_line(Review(plan=empty_plan(__version__), failure=failure, exit_code=USAGE))


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON on stdout, so that problems are written in JSON too."""
    return "--json" in arguments or "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
