"""The protocols of a service and of a journal, and the three outcomes of a write."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import NotFoundError, ProviderError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    Inventory,
    JobEvent,
    JobId,
    ModelId,
    Observed,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.domain.spec import AnswerSet, BaseRules, Format

T = TypeVar("T", covariant=True)


class Done(msgspec.Struct, Generic[T], frozen=True):
    """The service did it, and said so.

    Shape:  `doubts` say in what its answer differs from what was sent
    """

    value: T
    doubts: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """The service provably did not do it."""

    error: ProviderError


class Unknown(msgspec.Struct, frozen=True):
    """The outcome is unknown: the request may have arrived and taken effect, now or later."""

    why: str


Write = Done[T] | Refused | Unknown


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a service can do and how it behaves, as data.

    Shape:  `bases`, `formats`, `methods` and `hyperparameters` are what it takes, empty where it decides;
            `base_rules` say what each base learns from, where it is known;
            `lists_all_bases`: it trains no other base than those; `missing_fields` are fields of specs, and names in
            `extra`, that its create does not have; `required_fields` are names in `extra` that a create must state,
            each with the values that it may have, compared without regard to case; `suffix_length` 0 means that it
            takes none, and `suffix_signs` are the signs beside letters and digits that it may have, None for any;
            `deletes_models`: models can be deleted through its API; `takes_token`: a create
            may bear a token of ours, and two of one token give one job; `keeps_notes`: small files that expire by
            themselves are harmless there; `is_of_machine`: each machine has a service of its own, so another account
            there is no surprise; `carrier`: in words, what keeps our marks on a job
            there, empty where that is proven; `closes_on`: the day (2027-01-06) from which it takes no new jobs, empty
            where none is known; `retiring`: bases with the day on which they end, should its own list not say it;
            `neutral_methods`: those whose result is the model of the last step and takes no weight from validation
            rows (no early stopping, no choice of the best checkpoint); `answer_sets`: the bases that write no text
    Units:  seconds. `ready_seconds`: how long a file may be processed; `cancel_seconds`: how long a cancel may take.
            The four that never two jobs rests on: `fresh_seconds`, at most between the last look and the moment a
            create leaves; `send_seconds`, until its sender gives up on an answer; `effect_seconds`, from then on,
            until it can take effect no more; `list_lag_seconds`, from its effect until every list shows it
    """

    bases: frozenset[str] = frozenset()
    base_rules: tuple[BaseRules, ...] = ()
    formats: frozenset[Format] = frozenset()
    methods: tuple[str, ...] = ()
    neutral_methods: tuple[str, ...] = ()
    hyperparameters: tuple[str, ...] = ()
    lists_all_bases: bool = False
    answer_sets: tuple[AnswerSet, ...] = ()
    missing_fields: tuple[str, ...] = ()
    required_fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    suffix_length: int = 64
    suffix_signs: str | None = None
    deletes_models: bool = True
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
    carrier: str = ""
    is_of_machine: bool = False
    closes_on: str = ""
    retiring: tuple[tuple[str, str], ...] = ()

    @property
    def delay_seconds(self) -> float:
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


class Listing(Protocol):
    """Reads what a service holds. Every member raises ProviderError when the service cannot be asked.

    A read is repeated when the network fails, and raises TemporaryError when that does not help. What is not ours has
    no stamp. Plans rest on `observe` and `jobs_of`; the lists of everything are for people.
    """

    def observe(self) -> Observed:
        """Read everything that a plan rests on, once.

        Raises: ProviderError when a list cannot be read; a list that may not be whole is a warning in the result
        Cost:   every page of the lists of files, jobs and models
        """

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """Return every job of one stamp, oldest first.

        Raises: MalformedError when the list may not be whole, because creating a job depends on this answer
        Cost:   every page of the list of jobs
        """

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        """Return the jobs that bear sound marks of no project and train on a file that has our kind of name.

        Raises: MalformedError when the list may not be whole
        Cost:   every page of the lists of files and jobs
        """

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        """Return a usable file of exactly this name, size and purpose; the oldest of several, None without one.

        Cost:   every page of the list of files
        """

    def list_files(self) -> Inventory[RemoteFile]:
        """Return every file, of every purpose.

        Cost:   every page of the list
        """

    def list_jobs(self) -> Inventory[RemoteJob]:
        """Return every job.

        Cost:   every page of the list
        """

    def list_models(self) -> Inventory[RemoteModel]:
        """Return every model.

        Cost:   one request
        """

    def file(self, file: FileId) -> RemoteFile:
        """Return one file.

        Raises: NotFoundError when it is not there
        Cost:   one request
        """

    def job(self, job: JobId) -> RemoteJob:
        """Return one job. It has a stamp when it is ours and its marks agree with the files that it trains on.

        Raises: NotFoundError when it is not there
        Cost:   one request, and one for each file whose name is not known yet
        """

    def model(self, model: ModelId) -> RemoteModel:
        """Return one model.

        Raises: NotFoundError when it is not there
        Cost:   one request
        """

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
        """Return a job's events, oldest first: those later than the event `after`, and of them the newest `most`.

        Raises: NotFoundError when the job is not there
        Shape:  the warnings are about the pages that were read
        Cost:   the pages down to `after` or `most`
        """

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]:
        """Return a job's checkpoints, by step.

        Raises: NotFoundError when the job, or such a list, is not there
        Cost:   every page of the list
        """


class Content(Protocol):
    """Reads the content of files."""

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        """Yield a file's content, block by block as it comes.

        Raises: MalformedError when it is longer than `most_bytes`, ProviderError when it breaks off
        Cost:   one request
        """


class Lifecycle(Protocol):
    """Makes and ends things. Each member returns how the write ended, and raises nothing of its own."""

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        """Send a dataset's canonical lines. When the iterator raises, nothing whole has arrived.

        Raises: what `blocks` raises, and StalePlanError when they are not of the size that was measured
        Cost:   one request
        """

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        """Create a job, with exactly one request; `token` is for a service that takes one.

        Cost:   one request, which is never repeated; a service without metadata takes a label before and after it
        """

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        """Ask for a job of ours to be cancelled.

        Cost:   one request, which is never repeated
        """

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]:
        """Delete a file or a model; one that is not there any more counts as deleted.

        Cost:   one request, repeated when the network fails
        """


AtEnd = Callable[[str], object]
"""Receives the reason for which an answer ended, in the service's word."""


def ignore_end(_: str) -> None:
    """Do nothing with the reason."""


class Inference(Protocol):
    """Asks models. A model that was just trained is waited for, as long as its profile says."""

    def answer(self, model: ModelId, messages: tuple[Message, ...], at_end: AtEnd = ignore_end) -> Iterator[str]:
        """Yield a model's answer to a conversation, piece by piece as it comes.

        Shape:  `at_end` receives the reason for which a whole answer ended, in the service's word, where it says one
        Raises: RejectedError where models know no conversations, ProviderError when there is no answer
        Cost:   one request
        """

    def complete(self, model: ModelId, prompt: str, at_end: AtEnd = ignore_end) -> Iterator[str]:
        """Yield a model's completion of a prompt, piece by piece as it comes; `at_end` as above.

        Raises: ProviderError when there is no answer
        Cost:   one request
        """


class Provider(Listing, Content, Lifecycle, Inference, Protocol):
    """A service that holds files, jobs and models, opened for one project. Ask it for facts, never for decisions."""

    @property
    def name(self) -> str:
        """The name of its profile."""

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do and how it behaves."""

    def service_time(self) -> float | None:
        """Return the service's own time in Unix seconds, as of its last answer; None when it never says.

        Cost:   nothing is sent
        """


def own_job(provider: Listing, job: JobId) -> RemoteJob:
    """Return one job of ours.

    Raises: NotFoundError when it is not there, or is not ours
    """
    found = provider.job(job)
    if found.stamp is None:
        raise NotFoundError(f"{job} is not a job of this project")
    return found


OpenDataset = Callable[[Dataset], Iterator[bytes]]
"""Opens a dataset anew and yields the canonical lines of its part, in blocks of whole lines."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A record, made before a create is sent: this stamp is about to get a job.

    Shape:  `owner` is a name that only one run has; `at` is the service's time of the record, None when it gives none;
            `excluded_jobs` as in Train; `job` is the created job, once it is known; `doubt` says why that job cannot be
            relied on as the one of this stamp. An intent with a doubt stays until a person has decided
    """

    stamp: Stamp
    owner: str
    at: float | None = None
    excluded_jobs: tuple[JobId, ...] = ()
    job: JobId | None = None
    doubt: str = ""


class RemoteNote(msgspec.Struct, frozen=True, kw_only=True):
    """A small file that holds an intent in its name, and expires by itself."""

    id: FileId
    name: str
    created_at: int


@runtime_checkable
class Notes(Protocol):
    """A service that keeps small files which expire by themselves. Only their names can be read back."""

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        """Create a note, with exactly one request."""

    def notes(self) -> tuple[RemoteNote, ...]:
        """Return every file of that kind, of any project. Raises MalformedError when the list may not be whole."""

    def remove_note(self, note: FileId) -> Write[None]:
        """Remove a note. One that is gone already counts as removed."""


class Journal(Protocol):
    """Records intents while creates are in flight, one for each stamp. It is empty when nothing runs.

    What cannot be read or written is a JournalError, and then nothing is sent.
    """

    def open_intents(self) -> tuple[Intent, ...]:
        """Return every intent in the journal, of any run."""

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        """Record an intent durably if there is none of its stamp, or exactly `instead_of`. Return the recorded one.

        Of two runs that put at once, one gets its own intent back, and both get the same.
        """

    def clear(self, intent: Intent) -> None:
        """Remove an intent, if it still is the recorded one."""

    def is_abandoned(self, intent: Intent) -> bool:
        """Return whether it is certain that its writer is gone and sends nothing more; False when that is unknown."""
