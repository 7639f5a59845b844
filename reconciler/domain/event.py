"""What is happening, and how a step ended. Events are facts; how they look is for render."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.domain.identity import Address
from reconciler.domain.observed import FileId, JobEvent, JobId, RemoteJob
from reconciler.domain.plan import Step


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    ADOPTED = "adopted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A step has begun."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step is on its way: `done` of `total`, in `unit`; total 0 is not known."""

    step: Step
    message: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A step has ended."""

    step: Step
    outcome: Outcome
    message: str = ""
    hint: str = ""
    file: FileId | None = None
    job: RemoteJob | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLogged:
    """A job said something."""

    address: Address
    job: JobId
    event: JobEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMoved:
    """A job has another status than before."""

    job: RemoteJob


@dataclass(frozen=True, slots=True, kw_only=True)
class JobVanished:
    """A job that was there is not there any more."""

    address: Address
    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """Somebody asked to stop: nothing new is begun, what runs goes on."""


Event = Started | Progress | Finished | JobLogged | JobMoved | JobVanished | Interrupted
