"""What the executor works with: what a run is given, what it learns, its own journal, and how a step can end badly."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import ReconcilerError
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import FileId, JobId, ModelId, Observed, RemoteJob, UsableFiles
from reconciler.domain.plan import CommandScope, KeepReason, Plan
from reconciler.domain.ports import Intent, Journal, OpenDataset, Provider
from reconciler.domain.renames import NameMap

Pool = Callable[[Callable[[], None]], object]
"""Takes a piece of work and sees that it is done, now or beside other work."""


class StepFailedError(ReconcilerError):
    """The step did not do what it is for. Other steps may go on."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class StepRefusedError(StepFailedError):
    """The step stopped at something that only a person can decide. Running again changes nothing before that.

    Shape:  `job` is the job that it is about, where that job is ours
    """

    def __init__(self, message: str, hint: str = "", job: RemoteJob | None = None) -> None:
        self.job = job
        super().__init__(message, hint)


class OutcomeUnknownError(StepFailedError):
    """A request was sent and its outcome is unknown. Running again is safe after the time that the hint names."""


class StoppedError(ReconcilerError):
    """A stop was requested before the step had any effect."""


class MemoryJournal:
    """A journal in memory. It keeps the steps of one run apart, and ends with the process."""

    def __init__(self) -> None:
        self._intents: dict[Stamp, Intent] = {}
        self._lock = threading.Lock()

    def open_intents(self) -> tuple[Intent, ...]:
        with self._lock:
            return tuple(self._intents.values())

    def put(self, intent: Intent, instead_of: Intent | None = None) -> Intent:
        with self._lock:
            current = self._intents.get(intent.stamp)
            if current is None or current == instead_of:
                self._intents[intent.stamp] = intent
            return self._intents[intent.stamp]

    def clear(self, intent: Intent) -> None:
        with self._lock:
            if self._intents.get(intent.stamp) == intent:
                del self._intents[intent.stamp]

    def is_abandoned(self, intent: Intent) -> bool:
        return False


def inline(work: Callable[[], None]) -> None:
    """Do a piece of work at once: the pool that runs one step after another."""
    work()


def beside(work: Callable[[], None]) -> None:
    """Do a piece of work in a thread of its own, which does not keep the program from ending."""
    threading.Thread(target=work, name="look", daemon=True).start()


@dataclass(kw_only=True)
class RunContext:
    """Everything that a run needs beside its plan. It holds what changes during the run, so that the plan need not.

    Shape:  `clock` returns seconds that only grow; `sleep` waits, and returns early when a stop is requested;
            `stopping` returns whether a stop was requested, or the time of the run is up, which is at `ends_at` by
            `clock`; `look_pool` is for reads that may take longer than the run
            has time; `find_change` says what names things on the service in another way than at the time of the plan;
            `run` is a name that no other run has; `names` are those that the specs declare, under which the journal may
            hold notes; `scope` is the place of the commands in its messages; `files_of_rows` are those that held a
            dataset's rows at the time of the plan, under any name; `trained` are the jobs that this run created or
            found for the models to train; `answering` are the models of each address at the time of the plan, and
            `kept_models` those of the wanted ones, on which a removal rests; `first_seen` says when this run first saw
            a job or an intent, by `clock`
    """

    provider: Provider
    open_dataset: OpenDataset
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    stopping: Callable[[], bool] = lambda: False
    ends_at: float = math.inf
    pool: Pool = inline
    look_pool: Pool = inline
    journal: Journal = field(default_factory=MemoryJournal)
    run: str = "this run"
    names: NameMap = field(default_factory=NameMap)
    scope: CommandScope = field(default_factory=CommandScope)
    find_change: Callable[[], str] = lambda: ""
    files: dict[Stamp, FileId] = field(default_factory=dict)
    files_of_rows: dict[Stamp, tuple[FileId, ...]] = field(default_factory=dict)
    trained: dict[Address, JobId] = field(default_factory=dict)
    answering: dict[Address, frozenset[ModelId]] = field(default_factory=dict)
    kept_models: tuple[frozenset[ModelId], ...] = ()
    first_seen: dict[JobId | Intent, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_out_of_time(self) -> bool:
        """Return whether the time of the run is up. A job that was created continues on the service."""
        return self.clock() >= self.ends_at

    def learn(self, dataset: Dataset, file: FileId) -> None:
        """Remember which file holds a dataset."""
        with self.lock:
            self.files[dataset.stamp] = file

    def learn_job(self, address: Address, job: JobId) -> None:
        """Remember which job makes a model that was to be trained."""
        with self.lock:
            self.trained[address] = job

    def rest_on(self, plan: Plan) -> None:
        """Remember which models answer for what a plan keeps or trains; of several for one name, one is enough."""
        ready = {keep.address: keep.model for keep in plan.kept if keep.why is KeepReason.READY and keep.model}
        wanted = {keep.address for keep in plan.kept if keep.why is not KeepReason.ORPHAN}
        wanted |= {train.address for train in plan.trains}
        kept = [frozenset({ready[each]}) if each in ready else self.answering.get(each) for each in sorted(wanted)]
        self.kept_models = tuple(models for models in kept if models)

    def remember(self, observed: Observed, datasets: tuple[Dataset, ...]) -> None:
        """Remember what the service held when the plan was made."""
        for job in observed.jobs:
            self.see(job.id)
            if job.model in observed.models and job.model:
                self.answering[job.address] = self.answering.get(job.address, frozenset()) | {job.model}
        usable = UsableFiles(observed.files)
        for dataset in datasets:
            if file := usable.find(*dataset.file_key):
                self.learn(dataset, file.id)
            rows = dataset.measure.digest, dataset.measure.size_bytes
            self.files_of_rows[dataset.stamp] = tuple(file.id for file in observed.files if file.has_rows_of(*rows))

    def see(self, thing: JobId | Intent) -> float:
        """Return when this run first saw a job or an intent; now, if it did not yet."""
        with self.lock:
            return self.first_seen.setdefault(thing, self.clock())

    def list_files_of_rows(self, dataset: Dataset) -> tuple[FileId, ...]:
        """Return every file that holds these rows: the one of this run, and those that earlier names were sent as."""
        return (self.file_of(dataset), *self.files_of_rows.get(dataset.stamp, ()))

    def file_of(self, dataset: Dataset) -> FileId:
        """Return the file of a dataset that this run uploaded or found."""
        return self.files[dataset.stamp]
