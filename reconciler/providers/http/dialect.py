"""What a dialect is: the paths, JSON and habits of one kind of service, as data and pure functions.

`HttpProvider` composes a client and a dialect. A dialect whose jobs keep metadata says how to read and write a job, and
`MetadataJobs` does the rest. One whose jobs keep nothing brings its own `Jobs`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from reconciler.domain.desired import Model
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import Checkpoint, FileId, Inventory, JobEvent, JobId, RemoteFile, RemoteJob
from reconciler.domain.ports import Write
from reconciler.providers.http.client import Client
from reconciler.providers.http.errors import Proof
from reconciler.providers.http.files import FileRules, Files
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.wire import Reader
from reconciler.providers.profile import Profile


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a job is asked to be.

    Shape:  `suffix_length` is how many characters of a suffix the service takes; `origin` a digest of where the specs
            came from, empty where that is unknown; `environment` the one that creates it, no characters for none, None
            where the project has no environments
    """

    project: str
    origin: str = ""
    environment: str | None = None
    model: Model
    training: FileId
    validation: FileId | None
    supersedes: tuple[JobId, ...]
    suffix_length: int


class JobRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect keeps jobs that bear our marks in their metadata.

    Shape:  the paths of one job begin behind its id; `page_size` is what a page of a list is asked to hold;
            `filters_by_metadata` says that the list of jobs can be asked for those with one mark; `read` takes an
            object, the project whose marks count, and a reader; `write` returns the body that creates a job
    """

    path: str = "fine_tuning/jobs"
    events_path: str = "events"
    checkpoints_path: str = "checkpoints"
    cancel_path: str = "cancel"
    page_size: int = 100
    filters_by_metadata: bool = True
    read: Callable[[bytes | msgspec.Raw, str, Reader], RemoteJob]
    read_event: Callable[[msgspec.Raw], JobEvent]
    read_checkpoint: Callable[[msgspec.Raw], Checkpoint]
    write: Callable[[NewJob], Mapping[str, Any]]


class SeenJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Files and jobs as a plan needs them; the members are those of `Observed`."""

    files: tuple[RemoteFile, ...]
    jobs: tuple[RemoteJob, ...]
    files_in_use: frozenset[FileId]
    bases_in_use: frozenset[str]
    contradictions: tuple[str, ...]
    unmarked: tuple[RemoteJob, ...] = ()
    list_warnings: tuple[str, ...]


class Jobs(Protocol):
    """The jobs of a service, and how our stamps are kept on them. The members keep the promises of the port."""

    def observe(self) -> SeenJobs: ...

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]: ...

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]: ...

    def list_all(self, warnings: ListWarnings) -> Iterator[RemoteJob]: ...

    def job(self, job: JobId) -> RemoteJob: ...

    def events(self, job: JobId, after: str | None, most: int | None) -> Inventory[JobEvent]: ...

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]: ...

    def create(self, request: NewJob) -> Write[RemoteJob]: ...

    def cancel(self, job: JobId) -> Write[RemoteJob]: ...


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One project on one service: what a dialect's jobs work with."""

    client: Client
    files: Files
    profile: Profile
    project: str


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of service.

    Shape:  `jobs` opens the jobs of a session; `proofs` are the answers that prove that a write had no effect, and
            without one every error is looked into before it is judged; an empty `chat_path` says that models take
            prompts only
    """

    name: str
    jobs: Callable[[Session], Jobs]
    files: FileRules = FileRules()
    proofs: tuple[Proof, ...] = ()
    models_path: str = "models"
    chat_path: str = "chat/completions"
    completions_path: str = "completions"
