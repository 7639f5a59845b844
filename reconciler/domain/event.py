"""Events of a run: what happens, and how each step ended. How they look is decided in render."""

from enum import StrEnum

import msgspec

from reconciler.domain.identity import Address
from reconciler.domain.observed import FileId, JobEvent, JobId, RemoteJob
from reconciler.domain.plan import Step


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    ADOPTED = "adopted"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    STOPPED = "stopped"


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A step has begun."""

    step: Step


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A step is on its way: `done` of `total`, in `unit`; total 0 is not known."""

    step: Step
    message: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""


class Resent(msgspec.Struct, frozen=True, kw_only=True):
    """A step sends its request again, the `attempt`-th of `most` times: whether it arrived before is not known."""

    step: Step
    attempt: int
    most: int
    reason: str


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A step has ended."""

    step: Step
    outcome: Outcome
    message: str = ""
    hint: str = ""
    file: FileId | None = None
    job: RemoteJob | None = None


class JobLogged(msgspec.Struct, frozen=True, kw_only=True):
    """A job wrote an event; `address` is None where the job is not ours."""

    address: Address | None
    job: JobId
    event: JobEvent


class JobMoved(msgspec.Struct, frozen=True, kw_only=True):
    """A job has another status than before."""

    job: RemoteJob


class JobVanished(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was there is not there any more; `address` is None where it was not ours."""

    address: Address | None
    job: JobId


class EventsMissing(msgspec.Struct, frozen=True, kw_only=True):
    """Events of a job are missing, or may be, and the job is followed by its status; reported once for a job."""

    address: Address | None
    job: JobId
    reason: str


class ServiceSilent(msgspec.Struct, frozen=True, kw_only=True):
    """The service has given no readable answer for so long, and the run goes on asking; `reason` is the last error."""

    seconds: float
    reason: str


class ServiceAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """The service answers again, after so long."""

    seconds: float


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """A stop was requested: no step is started, and what runs continues."""


Event = (
    Started
    | Progress
    | Resent
    | Finished
    | JobLogged
    | JobMoved
    | JobVanished
    | EventsMissing
    | ServiceSilent
    | ServiceAnswered
    | Interrupted
)
