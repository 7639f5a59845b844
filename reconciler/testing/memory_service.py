"""A service in memory, with handles to let jobs run, succeed and fail, and to lose replies."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import NotFoundError, ProviderError
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    JobError,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.domain.ports import Capabilities, Done, Refused, RemoteNote, Unknown, Write

T = TypeVar("T")

_AT_ONCE = Capabilities(
    poll_seconds=1.0,
    fresh_seconds=10.0,
    send_seconds=5.0,
    effect_seconds=10.0,
    list_lag_seconds=0.0,
    ready_seconds=30.0,
    cancel_seconds=30.0,
)


class _PlannedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one write: refused with an error, or its reply lost."""

    verb: str | None
    error: ProviderError | None = None
    has_effect: bool = False
    late_seconds: float = 0.0


class MemoryService:
    """Everything that the service holds, and the handles that a test turns. Safe to use from several threads.

    Shape:  `writes` counts what was sent by verb (`upload`, `train`, `cancel`, `delete`), whatever became of it;
            `jobs` and `files` are all there are, listed or not yet; `contents` is what was uploaded;
            `notes_left` are the notes that lie there, until the moments that `expiring` says;
            `foreign` is what others have put there; `says` makes up answers; `foreign_files`, `retiring`,
            `contradictions`, `list_warnings`, `organization` and `account_project` are returned as they stand
    Units:  `list_lag_seconds`: how long after its making a thing turns up in lists, by the clock given
    """

    def __init__(
        self,
        *,
        name: str = "memory",
        clock: Callable[[], float] = time.time,
        capabilities: Capabilities = _AT_ONCE,
        list_lag_seconds: float = 0.0,
        files_are_ready: bool = True,
        cancels_at_once: bool = True,
    ) -> None:
        self._name = name
        self._clock = clock
        self._capabilities = capabilities
        self._lock = threading.RLock()
        self._scripts: deque[_PlannedOutcome] = deque()
        self._listed_at: dict[str, float] = {}
        self._events: dict[JobId, list[JobEvent]] = {}
        self._checkpoints: dict[JobId, list[Checkpoint]] = {}
        self._made = Counter[str]()
        self.list_lag_seconds = list_lag_seconds
        self.files_are_ready = files_are_ready
        self.cancels_at_once = cancels_at_once
        self.writes = Counter[str]()
        self.files: dict[FileId, RemoteFile] = {}
        self.contents: dict[FileId, bytes] = {}
        self.jobs: dict[JobId, RemoteJob] = {}
        self.notes_left: dict[FileId, RemoteNote] = {}
        self.expiring: dict[FileId, float] = {}
        self.tokens: dict[str, JobId] = {}
        self.models: set[ModelId] = set()
        self.foreign: list[RemoteFile | RemoteJob | RemoteModel] = []
        self.says: Callable[[ModelId, str], str] = lambda _, question: question
        self.foreign_files: frozenset[FileId] = frozenset()
        self.retiring: tuple[tuple[ModelId, str], ...] = ()
        self.contradictions: tuple[str, ...] = ()
        self.list_warnings: tuple[str, ...] = ()
        self.organization: str | None = None
        self.account_project: str | None = None

    def run(self, job: JobId) -> None:
        """Let a job begin."""
        self.move(job, "running")
        self.log(job, "Fine-tuning job started")

    def finish(self, job: JobId) -> ModelId:
        """Let a job succeed; gives its model."""
        with self._lock:
            found = self._job(job)
            model = ModelId(f"ft:{found.base}:{self.organization or 'acme'}:{found.address.name}:{job}")
            self.models.add(model)
            self.jobs[job] = replace(
                found, status=JobStatus("succeeded"), model=model, finished_at=self._now(), trained_tokens=1000
            )
            self.log(job, f"New fine-tuned model created: {model}")
            return model

    def fail(self, job: JobId, code: str, message: str) -> None:
        """Let a job fail."""
        with self._lock:
            error = JobError(message=message, code=code)
            self.jobs[job] = replace(self._job(job), status=JobStatus("failed"), error=error, finished_at=self._now())
            self.log(job, message, "error")

    def move(self, job: JobId, status: str) -> None:
        """Return a job any status, known or not."""
        with self._lock:
            self.jobs[job] = replace(self._job(job), status=JobStatus(status))

    def forget(self, thing: JobId | FileId | ModelId) -> None:
        """Let something vanish as if it had never been."""
        with self._lock:
            self.jobs.pop(JobId(thing), None)
            self.files.pop(FileId(thing), None)
            self.models.discard(ModelId(thing))

    def put(self, *things: RemoteJob | RemoteFile) -> None:
        """Add things that no call made; the model of a job comes with it."""
        with self._lock:
            for thing in things:
                if isinstance(thing, RemoteFile):
                    self.files[thing.id] = thing
                    continue
                self.jobs[thing.id] = thing
                if thing.model:
                    self.models.add(thing.model)

    def mark_file(self, file: FileId, status: str | None) -> None:
        """Return a file any status, such as `processed` or `error`."""
        with self._lock:
            self.files[file] = replace(self.files[file], status=status)

    def log(self, job: JobId, message: str, level: str = "info", /, **metrics: float) -> None:
        """Let a job say something."""
        with self._lock:
            event = JobEvent(
                id=self._new("ftevent"),
                created_at=self._now(),
                level=level,
                message=message,
                metrics=tuple(metrics.items()),
            )
            self._events.setdefault(job, []).append(event)

    def save(self, job: JobId, step: int) -> None:
        """Let a job save a checkpoint."""
        with self._lock:
            model = ModelId(f"ft:{self._job(job).base}:acme::{job}:ckpt-step-{step}")
            saved = Checkpoint(id=self._new("ftckpt"), model=model, step=step, created_at=self._now())
            self._checkpoints.setdefault(job, []).append(saved)

    def refuse_next(self, error: ProviderError, *, of: str | None = None) -> None:
        """Refuse the next write, or the next one of a verb, with an error."""
        self._scripts.append(_PlannedOutcome(verb=of, error=error))

    def lose_next_reply(self, *, effect: bool, of: str | None = None, late_seconds: float = 0.0) -> None:
        """Leave the next write without an answer; what it makes, if it has an effect, is listed so much later."""
        self._scripts.append(_PlannedOutcome(verb=of, has_effect=effect, late_seconds=late_seconds))

    def _write(self, verb: str, make: Callable[[], T]) -> Write[T]:
        with self._lock:
            self.writes[verb] += 1
            script = next((each for each in self._scripts if each.verb in {None, verb}), None)
            if script is not None:
                self._scripts.remove(script)
            if script is not None and script.error is not None:
                return Refused(script.error)
            lost = Unknown(f"the reply to this {verb} was lost")
            if script is not None and not script.has_effect:
                return lost
            try:
                made = make()
            except ProviderError as error:
                return Refused(error) if script is None else lost
            if isinstance(made, RemoteFile | RemoteJob | RemoteNote) and verb in {"upload", "train", "note"}:
                late = script.late_seconds if script is not None else 0.0
                self._listed_at[made.id] = self._clock() + max(self.list_lag_seconds, late)
            return Done(made) if script is None else lost

    def _job(self, job: JobId) -> RemoteJob:
        if job not in self.jobs:
            raise NotFoundError(f"there is no job {job}", status=404)
        return self.jobs[job]

    def _is_listed(self, thing: str) -> bool:
        return self._clock() >= self._listed_at.get(thing, float("-inf"))

    def _new(self, kind: str) -> str:
        self._made[kind] += 1
        return f"{kind}-{self._made[kind]}"

    def _now(self) -> int:
        return int(self._clock())
