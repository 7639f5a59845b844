"""What a service holds: files, jobs and models, ours or not, and one look at all of it.

"Ours" is a filter: a thing is ours when it bears a stamp. `Observed`, which plans are made from, holds only such jobs.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, NewType, TypeVar

import msgspec
from msgspec.structs import replace

from reconciler.domain.identity import Address, Digest, Stamp

T = TypeVar("T", covariant=True)

CHECKPOINT = ":ckpt-step-"
"""What stands in the id of a model saved in the middle of a job, between the id of the job's model and the step."""

FileId = NewType("FileId", str)
JobId = NewType("JobId", str)
ModelId = NewType("ModelId", str)

_BEGINNINGS = ("file-", "ft:")
"""How ids of files and of fine-tuned models begin; what stands before it was added on the way."""

_TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
_WAITING = frozenset({"validating_files", "queued", "running", "paused", "created", "pending"})

DISAGREEMENT_SECONDS = 5.0
"""How far the service's time may lag behind our clock: its dates have whole seconds, and answers take their time."""


class JobStatus(msgspec.Struct, frozen=True):
    """A job's state in the service's own word, empty where it says none.

    Terminal words are an allow-list; every other word is alive.
    """

    word: str

    def __str__(self) -> str:
        return self.word or "unknown"

    @property
    def is_stated(self) -> bool:
        return bool(self.word)

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
UNSTATED = JobStatus("")


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
    """A file on the service, ours or not. What the service does not say is None or empty, never a guess.

    Shape:  `stamp` is there when the name is of our kind and the file is for fine-tuning; a file name carries no
            project, so that a file with a stamp may belong to another project of ours. `status` None counts as ready;
            `detail` says why the status is what it is, in the service's words; `is_recoded` says that the service took
            our rows in another form, so that its size is not theirs
    """

    id: FileId
    filename: str = ""
    size_bytes: int | None = None
    created_at: int | None = None
    status: str | None = None
    stamp: Stamp | None = None
    purpose: str = ""
    expires_at: int | None = None
    detail: str | None = None
    is_recoded: bool = False

    @property
    def is_broken(self) -> bool:
        return self.status in {"error", "deleted", "deleting"}

    @property
    def is_ready(self) -> bool:
        return self.status in {None, "processed"}

    def holds(self, filename: str, size_bytes: int) -> bool:
        """Return whether the file is the one of a dataset, by its name and size."""
        return self.filename == filename and (self.is_recoded or self.size_bytes == size_bytes)

    def has_rows_of(self, digest: Digest, size_bytes: int) -> bool:
        """Return whether the file holds rows of a digest, under any name that their dataset has had."""
        is_same = self.stamp is not None and self.stamp.digest.agrees(digest)
        return is_same and (self.is_recoded or self.size_bytes == size_bytes)

    @property
    def age_key(self) -> tuple[int, str]:
        """The order of creation; a file without a date comes first."""
        return (self.created_at or 0, self.id)


class JobDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says of its settings: for people and for imports. No plan depends on it, and no saved plan holds it.

    Shape:  `hyperparameters` and `metadata` are in the service's words, sorted; `project` is the one that the job's
            marks name, ours or another
    """

    method: str | None = None
    hyperparameters: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    suffix: str | None = None
    result_files: tuple[FileId, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    project: str | None = None


class RemoteJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job on the service, ours or not. What the service does not say is None or empty, never a guess.

    Shape:  `stamp` is there when the job is of our project; `facts` is what its stamp was made of, as far as the
            service kept it: for people, never for decisions; `supersedes` are the jobs that were cancelled so that
            this one could run; `moved_from` is the address on its own stamp where the specs have given that one
            another name; `is_adopted` when it bears no stamp of ours and a spec says which it stands for: it is never
            cancelled; `is_known_by_name` when only the name of its model says that it is ours, which carries no
            project: it is used, and never cancelled or deleted; `origin` is a digest of where its specs came from,
            empty where the job does not say it; `environment` is the one whose apply created it, no characters where it
            was none of them, None where the job does not say it
    """

    id: JobId
    stamp: Stamp | None = None
    status: JobStatus = UNSTATED
    created_at: int | None = None
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
    is_known_by_name: bool = False
    origin: str = ""
    environment: str | None = None
    details: JobDetails = JobDetails()

    @property
    def own_stamp(self) -> Stamp:
        """The stamp of a job that is known to be ours.

        Raises: ValueError for any other job
        """
        if self.stamp is None:
            raise ValueError(f"job {self.id} bears no stamp of this project")
        return self.stamp

    @property
    def address(self) -> Address:
        """The address of a job that is known to be ours."""
        return self.own_stamp.address

    @property
    def files(self) -> tuple[FileId, ...]:
        """The files that it trains on."""
        return tuple(file for file in (self.training_file, self.validation_file) if file)

    @property
    def age_key(self) -> tuple[int, str]:
        """The order of creation; a job without a date comes first."""
        return (self.created_at or 0, self.id)

    def as_written(self) -> "RemoteJob":
        """Return the job with the stamp that it bears itself, whatever the specs have renamed or adopted since."""
        written = Stamp(self.moved_from or self.stamp.address, self.stamp.digest) if self.stamp else None
        return replace(self, stamp=None if self.is_adopted else written, moved_from=None, is_adopted=False)

    def is_of(self, stamp: Stamp) -> bool:
        """Return whether the job bears a stamp."""
        return self.stamp is not None and self.stamp.agrees(stamp)


class RemoteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model on the service, ours or not; `owner` and `shutdown_date` in the service's words."""

    id: ModelId
    created_at: int | None = None
    owner: str | None = None
    shutdown_date: str | None = None


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


class ClaimedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that the answer to a create of ours named, although it does not bear the stamp that was sent, and why."""

    stamp: Stamp
    job: JobId
    doubt: str


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the service, taken once a run.

    Shape:  `service` names host, organization and project of the account; `files` those that bear our kind of name;
            `jobs` those of our project, oldest first; `models` every model the service lists; `files_in_use` ids that
            any living job or a job of another project names; `bases_in_use` are the bases of the jobs of others;
            `contradictions` are ids whose marks disagree with each other; `unmarked` are jobs that bear sound marks of
            no project and train on a file that has our kind of name; `claimed` are jobs that the journal names as
            answers to our creates, and that do not bear our marks; `noted` are the versions of whose creates it holds
            any other note, with the address in the note; `journal_doubt` says why the journal could not be read, and
            is empty where it was; `list_warnings` say why a list may not be whole; `gone` are
            jobs of the lock file that are wanted, that no list shows and that are not there by their id either; `host`
            is where the operator's environment points, `organization`, `project` and `region` are what the service says
            of whom it answers
    Raises: ValueError for a job without a stamp
    """

    service: str
    files: tuple[RemoteFile, ...] = ()
    jobs: tuple[RemoteJob, ...] = ()
    models: frozenset[ModelId] = frozenset()
    retiring: tuple[tuple[ModelId, str], ...] = ()
    files_in_use: frozenset[FileId] = frozenset()
    bases_in_use: frozenset[str] = frozenset()
    contradictions: tuple[str, ...] = ()
    unmarked: tuple[RemoteJob, ...] = ()
    claimed: tuple[ClaimedJob, ...] = ()
    noted: tuple[tuple[Stamp, Address], ...] = ()
    journal_doubt: str = ""
    list_warnings: tuple[str, ...] = ()
    gone: tuple[JobId, ...] = ()
    host: str | None = None
    organization: str | None = None
    project: str | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        for job in self.jobs:
            _ = job.own_stamp


def plain_id(thing: str) -> str:
    """Return what every spelling of an id has in common: a gateway may change its case, or put a name before it.

    For questions where a difference would lead to a deletion or to a second job; never to find what is ours.
    """
    folded = thing.casefold()
    named = folded.rstrip("/").rpartition("/")[2] or folded
    begins = max((named.rfind(beginning) for beginning in _BEGINNINGS), default=-1)
    return named[max(begins, 0) :]


Dated = TypeVar("Dated", RemoteFile, RemoteJob, RemoteModel)


class Inventory(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One list of everything of a kind, newest first where the service says when.

    Shape:  `list_warnings` say why the list may not be whole
    """

    items: tuple[T, ...] = ()
    list_warnings: tuple[str, ...] = ()


class Makers(msgspec.Struct, frozen=True):
    """Which job made which models and files, as the jobs themselves say."""

    by_model: Mapping[ModelId, RemoteJob]
    by_file: Mapping[FileId, RemoteJob]

    @classmethod
    def among(cls, jobs: Iterable[RemoteJob]) -> "Makers":
        """Return the makers among jobs."""
        known = tuple(jobs)
        return cls(
            by_model={job.model: job for job in known if job.model is not None},
            by_file={file: job for job in known for file in job.details.result_files},
        )

    def of_model(self, model: ModelId) -> RemoteJob | None:
        """Return the job that made a model; of a checkpoint, the job that made its model."""
        whole = ModelId(model.partition(CHECKPOINT)[0])
        return self.by_model.get(model) or self.by_model.get(whole)

    def of_file(self, file: FileId) -> RemoteJob | None:
        """Return the job whose results a file holds."""
        return self.by_file.get(file)


class UsableFiles:
    """The file to use for each dataset: the oldest of its name and size that is not broken."""

    def __init__(self, files: Iterable[RemoteFile]) -> None:
        usable = sorted((file for file in files if not file.is_broken), key=lambda file: file.age_key, reverse=True)
        self._by_key = {(file.filename, None if file.is_recoded else file.size_bytes or 0): file for file in usable}

    def find(self, filename: str, size_bytes: int) -> RemoteFile | None:
        """Return the file of a dataset, by its name and size; None without one."""
        return self._by_key.get((filename, size_bytes)) or self._by_key.get((filename, None))


def oldest_first(jobs: Iterable[RemoteJob]) -> tuple[RemoteJob, ...]:
    """Return jobs in the order of their creation."""
    return tuple(sorted(jobs, key=lambda job: job.age_key))


def newest_first(found: Iterable[Dated]) -> tuple[Dated, ...]:
    """Return things in the order of their creation, the newest first; what has no date comes last, in its own order."""
    return tuple(sorted(found, key=lambda thing: -1 if thing.created_at is None else thing.created_at, reverse=True))


def measure_span(ours: float, by_service: float | None) -> float | None:
    """Return how many seconds have passed; None where that cannot be known.

    A machine that was suspended does not see it on its own clock, so the longer of the two spans counts. Where the
    service says that less time has passed than our clock says, it is wrong, and nothing tells of a suspension.
    """
    if by_service is None:
        return ours
    return max(ours, by_service) if by_service >= ours - DISAGREEMENT_SECONDS else None
