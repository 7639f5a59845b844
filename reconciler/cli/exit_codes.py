"""The exit code of a command: the most serious thing that happened, and the name of a failure in one line."""

from collections.abc import Iterable

from typer.exceptions import Abort, TyperException

from reconciler.cli.signals import SignalReceived
from reconciler.domain.errors import (
    STORE_UNUSABLE,
    InputError,
    PolicyError,
    ProviderError,
    ReconcilerError,
    StalePlanError,
    TimeIsUpError,
    UnusablePlaceError,
    UsageError,
)
from reconciler.domain.event import Outcome
from reconciler.domain.observed import SUCCEEDED, JobStatus
from reconciler.domain.plan import KeepReason, Plan

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
    (TimeIsUpError, STILL_RUNNING),
    (ProviderError, SERVICE),
)


TITLES = {
    OK: "Applied",
    SERVICE: "The service failed",
    JOB_FAILED: "A job failed or waits for a decision",
    STILL_RUNNING: "The time was up",
    PARTLY: "Applied in part",
    UNKNOWN: "The outcome of a create is unknown",
    INTERRUPTED: "Interrupted",
}
"""How an apply ended that began to carry out its plan."""

_FAILURES: tuple[tuple[type[BaseException], str], ...] = (
    (StalePlanError, "Stale"),
    (PolicyError, "Refused"),
    (UsageError, "Wrong usage"),
    (TimeIsUpError, "Stopped"),
    (UnusablePlaceError, "Not possible on this machine"),
    (ProviderError, "The service failed"),
    (KeyboardInterrupt, "Interrupted"),
    (Abort, "Interrupted"),
    (SignalReceived, "Interrupted"),
)


def name_failure(error: BaseException) -> str:
    """Return in one line why a command ended without a plan."""
    if isinstance(error, TyperException):
        return f"Wrong usage: {error.format_message()}"
    if is_of_machine(error):
        return f"Not possible on this machine: {describe_machine(error)}"
    if not isinstance(error, (ReconcilerError, KeyboardInterrupt, Abort, SignalReceived)):
        return f"A fault of this program: {type(error).__name__}: {error}"
    title = next((title for kind, title in _FAILURES if isinstance(error, kind)), "Failed")
    hint = getattr(error, "hint", "")
    return ": ".join(filter(None, [title, str(error)])) + (f" ({hint})" if hint else "")


def is_success(code: int) -> bool:
    """Return whether a command did what it is for: planned changes are no failure."""
    return code in {OK, CHANGES}


def of_error(error: BaseException) -> int:
    """Return the exit code of an error that ended a command; a bug ends as Python ends it."""
    if isinstance(error, (KeyboardInterrupt, Abort, SignalReceived)):
        return INTERRUPTED
    if isinstance(error, TyperException):
        return USAGE
    if is_of_machine(error) or (isinstance(error, ProviderError) and error.code == STORE_UNUSABLE):
        return UNUSABLE
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), SERVICE)


def is_of_machine(error: BaseException) -> bool:
    """Return whether a library raised what this machine does not give: memory, a file, a store."""
    if isinstance(error, OSError):
        return bool(error.strerror or error.filename)
    return isinstance(error, MemoryError) or type(error).__module__ == "sqlite3"


def of_plan(plan: Plan, *, detailed: bool) -> int:
    """Return the exit code of a plan that was only shown.

    Shape:  `detailed` counts a wanted model that is not there as a change, but not where a job of it runs: then there
            is nothing to apply or to decide. docs/review.md has the table
    """
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
    if Outcome.STOPPED in ended:
        # Nothing was interrupted, so the time of the run was up.
        return STILL_RUNNING
    if jobs == JOB_FAILED or held & {KeepReason.FAILED, KeepReason.CANCELLED, KeepReason.MISSING}:
        return JOB_FAILED
    if waited and (jobs == STILL_RUNNING or KeepReason.BUSY in held):
        return STILL_RUNNING
    return OK


_MACHINE = "Check the path, its permissions and the free space, and run again; what was done already is found again."
_MEMORY = "There is not enough memory. Split the largest dataset into several files, or use a larger machine."


def describe_machine(error: BaseException) -> str:
    """Return what this machine does not give, and the next step."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or 'it cannot be used'}. {_MACHINE}"
    if isinstance(error, MemoryError):
        return _MEMORY
    return f"the store of the built-in service cannot be used: {error}. {_MACHINE}"
