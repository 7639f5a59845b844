"""What the service holds of ours, at one moment."""

from collections.abc import Iterable, Mapping
from typing import NewType

import msgspec

from reconciler.domain.identity import Address, Stamp

FileId = NewType("FileId", str)
JobId = NewType("JobId", str)
ModelId = NewType("ModelId", str)

_TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
_WAITING = frozenset({"validating_files", "queued", "running", "paused", "created", "pending"})


class JobStatus(msgspec.Struct, frozen=True):
    """A job's state in the service's own word. Terminal words are an allow-list; every other word is alive."""

    word: str

    def __str__(self) -> str:
        return self.word

    @property
    def is_terminal(self) -> bool:
        return self.word in _TERMINAL

    @property
    def is_active(self) -> bool:
        return not self.is_terminal

    @property
    def is_known(self) -> bool:
        return self.word in _TERMINAL or self.word in _WAITING


SUCCEEDED = JobStatus("succeeded")
FAILED = JobStatus("failed")
CANCELLED = JobStatus("cancelled")
PAUSED = JobStatus("paused")


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, in the service's words."""

    message: str
    code: str | None = None
    param: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message

    @property
    def is_services_own(self) -> bool:
        """Return whether the same job could succeed on another try: the fault was the service's."""
        return self.code in {"server_error", "internal_error"}


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file on the service. `status` None means that the service says nothing, which counts as ready."""

    id: FileId
    filename: str
    size_bytes: int
    created_at: int
    status: str | None = None
    stamp: Stamp | None = None

    @property
    def is_broken(self) -> bool:
        return self.status in {"error", "deleted", "deleting"}

    @property
    def is_ready(self) -> bool:
        return self.status in {None, "processed"}


class RemoteJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job on the service that bears our stamp.

    Shape:  `facts` is what its stamp was made of, as far as the service kept it: for people, never for decisions;
            `supersedes` are the jobs that were cancelled so that this one could run; `moved_from` is the address on
            its own stamp where the specs have given that one another name; `is_adopted` when it bears no stamp of ours
            and a spec says which it stands for: it is never cancelled
    """

    id: JobId
    stamp: Stamp
    status: JobStatus
    created_at: int
    base: str = ""
    finished_at: int | None = None
    estimated_finish: int | None = None
    model: ModelId | None = None
    training_file: FileId | None = None
    validation_file: FileId | None = None
    trained_tokens: int | None = None
    error: JobError | None = None
    facts: tuple[tuple[str, str], ...] = ()
    supersedes: tuple[JobId, ...] = ()
    moved_from: Address | None = None
    is_adopted: bool = False

    @property
    def address(self) -> Address:
        return self.stamp.address


class JobEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a job's own log.

    Shape:  `metrics` in the service's names and order, empty for plain messages
    """

    id: str
    created_at: int
    level: str
    message: str
    metrics: tuple[tuple[str, float], ...] = ()


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A model saved in the middle of a job, usable like any other."""

    id: str
    model: ModelId
    step: int
    created_at: int


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the service, taken once a run.

    Shape:  `service` names host and organisation; `files` those that bear our kind of name; `jobs` those of our
            project, oldest first; `models` every model the service lists; `files_in_use` ids that any living job
            or any job of somebody else names; `contradictions` are ids whose marks disagree with each other;
            `doubts` say in words why a list may not be whole; `gone` are jobs of the lock file that are wanted, that
            no list shows and that are not there by their id either; `host` is where the operator's environment
            points, `organization`, `project` and `region` are what the service says of whom it answers
    """

    service: str
    files: tuple[RemoteFile, ...] = ()
    jobs: tuple[RemoteJob, ...] = ()
    models: frozenset[ModelId] = frozenset()
    retiring: tuple[tuple[ModelId, str], ...] = ()
    files_in_use: frozenset[FileId] = frozenset()
    contradictions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    gone: tuple[JobId, ...] = ()
    host: str | None = None
    organization: str | None = None
    project: str | None = None
    region: str | None = None


def usable_files(files: Iterable[RemoteFile]) -> Mapping[tuple[str, int], RemoteFile]:
    """Return the file to use for each name and size: the oldest that is not broken."""
    ordered = sorted(files, key=lambda file: (file.created_at, file.id), reverse=True)
    return {(file.filename, file.size_bytes): file for file in ordered if not file.is_broken}
