"""The doors that the executor knocks on, and the three ends a write can have."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import ProviderError
from reconciler.domain.identity import Stamp
from reconciler.domain.inventory import Holder
from reconciler.domain.observed import Checkpoint, FileId, JobEvent, JobId, ModelId, Observed, RemoteFile, RemoteJob

T = TypeVar("T", covariant=True)


class Done(msgspec.Struct, Generic[T], frozen=True):
    """The service did it, and said so."""

    value: T


class Refused(msgspec.Struct, frozen=True):
    """The service provably did not do it."""

    error: ProviderError


class Unknown(msgspec.Struct, frozen=True):
    """Nobody can say: the request may have arrived and taken effect, now or later."""

    why: str


Write = Done[T] | Refused | Unknown


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a service can do and how it behaves, as data.

    Shape:  `bases` empty means that the service decides; `suffix_length` 0 means that it takes none; `takes_token`: a
            create may bear a token of ours, and two of one token give one job; `keeps_notes`: small files that expire
            by themselves are harmless there. `closes_on`: the day (2027-01-06) from which it takes no new jobs, empty
            where none is known; `retiring`: bases with the day on which they end, should its own list not say it
    Units:  seconds. `ready_seconds`: how long a file may be processed; `cancel_seconds`: how long a cancel may take.
            The four that never two jobs rests on: `fresh_seconds`, at most between the last look and the moment a
            create leaves; `send_seconds`, until its sender gives up on an answer; `effect_seconds`, from then on,
            until it can take effect no more; `list_lag_seconds`, from its effect until every list shows it
    """

    bases: frozenset[str] = frozenset()
    suffix_length: int = 64
    max_file_bytes: int = 512 * 1024 * 1024
    poll_seconds: float = 5.0
    fresh_seconds: float = 120.0
    send_seconds: float = 60.0
    effect_seconds: float = 60.0
    list_lag_seconds: float = 30.0
    ready_seconds: float = 600.0
    cancel_seconds: float = 120.0
    takes_token: bool = False
    keeps_notes: bool = False
    closes_on: str = ""
    retiring: tuple[tuple[str, str], ...] = ()

    @property
    def road_seconds(self) -> float:
        """How long each thing that may come between the look and a create, a pause or a label, may hold it up.

        Half of the freshness is for the look, an eighth for each of the two, the rest for a machine that stands still.
        """
        return self.fresh_seconds / 8

    @property
    def settle_seconds(self) -> float:
        """How long after its sender gave up on it a create may still show in a list for the first time."""
        return self.effect_seconds + self.list_lag_seconds

    @property
    def intent_seconds(self) -> float:
        """The age at which a note of intent says nothing any more that a look would not show."""
        return self.fresh_seconds + self.send_seconds + self.settle_seconds


class Message(msgspec.Struct, frozen=True, kw_only=True):
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

    def service_time(self) -> float | None:
        """Return the service's own time, as its last answer said and carried on since; None when it never says."""

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
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        """Create a job, with exactly one request; `token` is for a service that takes one."""

    def cancel(self, job: JobId) -> Write[RemoteJob]: ...

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]: ...

    def answer(self, model: ModelId, messages: tuple[Message, ...]) -> Iterator[str]:
        """Put a conversation to a model; yields the answer piece by piece, as it comes."""

    def complete(self, model: ModelId, prompt: str) -> Iterator[str]:
        """Put a prompt to a completion model; yields the answer piece by piece, as it comes."""


OpenDataset = Callable[[Dataset], Iterator[bytes]]
"""Opens a dataset anew and yields the canonical lines of its part, in blocks of whole lines."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A note, made before a create is sent: this stamp is about to get a job.

    Shape:  `owner` is a word that only one run says; `at` is the service's time at the writing, None when it says none;
            `despite` as in Train; `job` is the answer, once there is one
    """

    stamp: Stamp
    owner: str
    at: float | None = None
    excluded_jobs: tuple[JobId, ...] = ()
    job: JobId | None = None


class RemoteNote(msgspec.Struct, frozen=True, kw_only=True):
    """A small file that says something by its name, and goes by itself."""

    id: FileId
    name: str
    created_at: int


@runtime_checkable
class Notes(Protocol):
    """A service on which small files may be left that expire by themselves. Only their names can be read back."""

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        """Leave a note, with exactly one request."""

    def notes(self) -> tuple[RemoteNote, ...]:
        """List every file of that kind, whosever it is; MalformedError when the list may not be whole."""

    def remove_note(self, note: FileId) -> Write[None]:
        """Take a note away; one that is not there any more counts as taken away."""


class Journal(Protocol):
    """Where intents lie while they are in flight, one a stamp; empty when nothing runs.

    What cannot be read or written is a JournalError, and then nothing is sent.
    """

    def open_intents(self) -> tuple[Intent, ...]:
        """Return every note that lies there, whoever wrote it."""

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        """Write a note durably if none of its stamp lies there, or exactly `instead_of`; gives the one that lies there.

        Of two runs that put at once, one gets its own note back, and both get the same.
        """

    def clear(self, intent: Intent) -> None:
        """Take a note back, if it still is the one that lies there."""

    def is_abandoned(self, intent: Intent) -> bool:
        """Return whether it is certain that its writer is gone and sends nothing more; False when nobody can say."""
