"""The doors that the executor knocks on, and the three ends a write can have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import ProviderError
from reconciler.domain.identity import Stamp
from reconciler.domain.inventory import Holder
from reconciler.domain.observed import Checkpoint, FileId, JobEvent, JobId, ModelId, Observed, RemoteFile, RemoteJob

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The service did it, and said so."""

    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """The service provably did not do it."""

    error: ProviderError


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say: the request may have arrived and taken effect, now or later."""

    why: str


Write = Done[T] | Refused | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a service can do and how it behaves, as data.

    Shape:  `bases` empty means that the service decides; `suffix_length` 0 means that it takes none
    Units:  seconds. `effect_seconds`: how long after an unanswered create its job may still turn up in a list;
            `ready_seconds`: how long a file may be processed; `cancel_seconds`: how long a cancel may take
    """

    bases: frozenset[str] = frozenset()
    suffix_length: int = 64
    max_file_bytes: int = 512 * 1024 * 1024
    poll_seconds: float = 5.0
    effect_seconds: float = 60.0
    ready_seconds: float = 600.0
    cancel_seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation that is put to a model."""

    role: str
    content: str


class Provider(Holder, Protocol):
    """A service that holds files, jobs and models. Ask it for facts, never for decisions.

    What does not bear the stamp and project it was opened with is invisible, but for the looks of a Holder. Reads raise
    ProviderError; writes that can be paid for return how they ended and raise nothing.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def observe(self) -> Observed: ...

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """List every job of one stamp, oldest first."""

    def job(self, job: JobId) -> RemoteJob:
        """Read one job of ours; NotFoundError when it is not there, or is not ours."""

    def events(self, job: JobId, after: str | None) -> tuple[JobEvent, ...]:
        """Read a job's events, oldest first, later than the event named."""

    def checkpoints(self, job: JobId) -> tuple[Checkpoint, ...]: ...

    def file_of(self, dataset: Dataset) -> RemoteFile | None:
        """Find a usable file of exactly this name, size and purpose."""

    def file(self, file: FileId) -> RemoteFile: ...

    def content(self, file: RemoteFile) -> Iterator[bytes]:
        """Read a file back, block by block as it comes; MalformedError when it is longer than it is said to be."""

    def model(self, model: ModelId) -> ModelId:
        """Look one model up; NotFoundError when the service does not have it."""

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        """Send a dataset's canonical lines. The iterator may raise, and then nothing whole has arrived."""

    def train(
        self, model: Model, training: FileId, validation: FileId | None, supersedes: tuple[JobId, ...]
    ) -> Write[RemoteJob]: ...

    def cancel(self, job: JobId) -> Write[RemoteJob]: ...

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]: ...

    def answer(self, model: ModelId, messages: tuple[Message, ...]) -> Iterator[str]:
        """Put a conversation to a model; yields the answer piece by piece, as it comes."""

    def complete(self, model: ModelId, prompt: str) -> Iterator[str]:
        """Put a prompt to a completion model; yields the answer piece by piece, as it comes."""


OpenDataset = Callable[[Dataset], Iterator[bytes]]
"""Opens a dataset anew and yields the canonical lines of its part, in blocks of whole lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A note, made before a create is sent: this stamp is about to get a job."""

    stamp: Stamp
    despite: tuple[JobId, ...] = ()


class Journal(Protocol):
    """Where intents lie while they are in flight; empty when nothing runs."""

    def open_intents(self) -> tuple[Intent, ...]: ...

    def write(self, intent: Intent) -> None:
        """Make the note durable; returns when it is."""

    def clear(self, stamp: Stamp) -> None:
        """Take the note back: its job has been seen, or provably was not created."""
