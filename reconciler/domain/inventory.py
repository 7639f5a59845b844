"""Everything that a service holds, ours or not, as far as it says. What it does not say is None, never a guess."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobError, JobEvent, JobId, JobStatus, ModelId

T = TypeVar("T", covariant=True)

CHECKPOINT = ":ckpt-step-"
"""What stands in the id of a model saved in the middle of a job, between the id of the job's model and the step."""


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, whosever it is.

    Shape:  `stamp` is there when the name is of our kind; a file name carries no project, so that a file with a stamp
            may be of another project of ours. `detail` is why the status is what it is, in the service's words
    """

    id: FileId
    filename: str | None = None
    purpose: str | None = None
    size_bytes: int | None = None
    created_at: int | None = None
    expires_at: int | None = None
    status: str | None = None
    detail: str | None = None
    stamp: Stamp | None = None


class HeldJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job, whosever it is.

    Shape:  `stamp` is there when it is of our project; `project` is the one that its marks name, ours or another;
            `hyperparameters` and `metadata` are in the service's words, sorted
    """

    id: JobId
    status: JobStatus | None = None
    created_at: int | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    base: str | None = None
    model: ModelId | None = None
    method: str | None = None
    hyperparameters: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    suffix: str | None = None
    training_file: FileId | None = None
    validation_file: FileId | None = None
    result_files: tuple[FileId, ...] = ()
    trained_tokens: int | None = None
    error: JobError | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    stamp: Stamp | None = None
    project: str | None = None

    @property
    def has_ended(self) -> bool:
        """Return whether it is over; a job of which the service says nothing is not."""
        return self.status is not None and self.status.is_terminal


class HeldModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model, whosever it is; `owner` and `shutdown_date` in the service's words."""

    id: ModelId
    created_at: int | None = None
    owner: str | None = None
    shutdown_date: str | None = None


class Inventory(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One list, newest first where the service says when; `doubts` say why it may not be whole."""

    items: tuple[T, ...] = ()
    doubts: tuple[str, ...] = ()


class Makers(msgspec.Struct, frozen=True):
    """Which job made which models and files, by the jobs' own word."""

    by_model: Mapping[ModelId, HeldJob]
    by_file: Mapping[FileId, HeldJob]

    @classmethod
    def among(cls, jobs: Iterable[HeldJob]) -> "Makers":
        known = tuple(jobs)
        return cls(
            by_model={job.model: job for job in known if job.model is not None},
            by_file={file: job for job in known for file in job.result_files},
        )

    def of_model(self, model: ModelId) -> HeldJob | None:
        """Return the job that made a model; of a checkpoint, the job that made its model."""
        whole = ModelId(model.partition(CHECKPOINT)[0])
        return self.by_model.get(model) or self.by_model.get(whole)

    def of_file(self, file: FileId) -> HeldJob | None:
        """Return the job whose results a file holds."""
        return self.by_file.get(file)


class Holder(Protocol):
    """The doors to everything that a service holds. They are for looking: nothing is decided from what they show."""

    def inventory_files(self) -> Inventory[HeldFile]: ...

    def inventory_jobs(self) -> Inventory[HeldJob]: ...

    def inventory_models(self) -> Inventory[HeldModel]: ...

    def held_file(self, file: FileId) -> HeldFile:
        """Read one file, ours or not; NotFoundError when it is not there."""

    def held_content(self, file: FileId) -> Iterator[bytes]:
        """Read what a file holds, ours or not, part by part; ProviderError when it is not to be had."""

    def held_job(self, job: JobId) -> HeldJob:
        """Read one job, ours or not; NotFoundError when it is not there."""

    def held_model(self, model: ModelId) -> HeldModel:
        """Read one model, ours or not; NotFoundError when it is not there."""

    def last_events(self, job: JobId, most: int) -> tuple[JobEvent, ...]:
        """Read the newest events of a job, ours or not, oldest first."""


def newest_first(found: Iterable[T]) -> tuple[T, ...]:
    """Put things in the order of their making, the newest first; what has no date comes last, in its own order."""
    return tuple(sorted(found, key=_made_at, reverse=True))


def _made_at(thing: object) -> int:
    made: int | None = getattr(thing, "created_at", None)
    return -1 if made is None else made
