"""The verbs of the port in terms of client and wire. Asks, sends and reports; never decides what should happen."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from types import TracebackType

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import DeniedError, MalformedError, NotFoundError
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
    newest_first,
    oldest_first,
)
from reconciler.domain.ports import Capabilities, Done, Message, Refused, RemoteNote, Unknown, Write
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.openai import create, notes, wire
from reconciler.providers.openai.answers import ask
from reconciler.providers.openai.client import Client
from reconciler.providers.openai.stamps import DIGEST, names_file
from reconciler.providers.openai.wire import PURPOSE
from reconciler.providers.profiles import Profile

_COMPLETION_TOKENS = 256
"""The API's own default for completions is 16 tokens, which cuts answers in the middle of a sentence."""


class OpenAIProvider:
    """A service that speaks the OpenAI dialect, seen as the port of one project."""

    def __init__(self, client: Client, profile: Profile, *, project: str, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._profile = profile
        self._project = project
        self._sleep = sleep
        # Names of files never change, so those that were seen once need no second look.
        self._names: dict[FileId, str] = {}

    def __enter__(self) -> "OpenAIProvider":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections, and of the application behind the profile if there is one."""
        self._client.close()

    @property
    def name(self) -> str:
        return self._profile.name

    @property
    def capabilities(self) -> Capabilities:
        return self._profile.capabilities

    def service_time(self) -> float | None:
        return self._client.time.now()

    def observe(self) -> Observed:
        """Look at everything once: files, jobs and models, fetched side by side."""
        doubts = (ListWarnings(), ListWarnings(), ListWarnings())
        with ThreadPoolExecutor(max_workers=len(doubts), thread_name_prefix="observe") as pool:
            files_later = pool.submit(self._files, doubts[0])
            jobs_later = pool.submit(self._jobs, doubts[1])
            models_later = pool.submit(lambda: tuple(self._client.models(doubts[2])))
            files, (ours, in_use, garbled), models = files_later.result(), jobs_later.result(), models_later.result()
        contradicted = garbled | {job.id for job in ours if _is_contradicted(job, self._names)}
        in_use |= {file for job in ours if job.id in contradicted for file in job.files}
        whose = self._client.whose
        return Observed(
            service="/".join(part for part in (self._profile.label or self._client.host, whose.organization) if part),
            host=self._client.host,
            files=files,
            jobs=oldest_first(job for job in ours if job.id not in contradicted),
            models=frozenset(model.id for model in models),
            retiring=tuple(sorted((model.id, model.shutdown_date) for model in models if model.shutdown_date)),
            files_in_use=in_use,
            contradictions=tuple(sorted(contradicted)),
            list_warnings=(*(word for each in doubts for word in each.words), *whose.doubts),
            organization=whose.organization,
            project=whose.project,
            region=whose.region,
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """List every job of one stamp, oldest first.

        A job whose own words disagree with the file that it trains on is nobody's, here as in a look at everything.
        Raises: MalformedError when the list may not be whole, for on this answer depends whether a job is paid for
        Cost:   a request for each file of theirs whose name was never seen
        """
        doubts = ListWarnings()
        found = tuple(self._client.jobs(self._project, doubts, {DIGEST: str(stamp.digest)}))
        if why := (*doubts.words, *self._client.whose.doubts):
            raise MalformedError(
                f"the jobs of {stamp} cannot be told: {'; '.join(why)}",
                hint="nothing was created; run again, and if it stays so, ask the service's support",
            )
        return oldest_first(job for job in found if job.stamp == stamp and not self._is_forged(job))

    def job(self, job: JobId) -> RemoteJob:
        found = self._client.job(job, self._project)
        return replace(found, stamp=None) if self._is_forged(found) else found

    def _is_forged(self, job: RemoteJob) -> bool:
        """Return whether a job's marks disagree with the names of its files, asking for those that are not known."""
        for file in job.files if job.stamp and job.facts else ():
            if file not in self._names:
                self._names[file] = self._filename(file)
        return _is_contradicted(job, self._names)

    def _filename(self, file: FileId) -> str:
        # Jobs keep the ids of files that were deleted, and of files that others see: such an id says nothing.
        try:
            return self._client.file(file, wire.STRICT).filename
        except (NotFoundError, DeniedError):
            return ""

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> tuple[JobEvent, ...]:
        """Return a job's events; services list the newest first, so the walk ends at the one named."""
        listed = takewhile(lambda event: event.id != after, self._client.events(job, ListWarnings()))
        return tuple(islice(listed, most))[::-1]

    def checkpoints(self, job: JobId) -> tuple[Checkpoint, ...]:
        """Read a job's checkpoints, by step."""
        return tuple(sorted(self._client.checkpoints(job, ListWarnings()), key=lambda each: (each.step, each.id)))

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        same = (
            file
            for file in self._client.files(ListWarnings())
            if file.purpose == PURPOSE and (file.filename, file.size_bytes) == dataset.file_key and not file.is_broken
        )
        return min(same, key=lambda file: file.age_key, default=None)

    def file(self, file: FileId) -> RemoteFile:
        return self._client.file(file)

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        return self._client.content(file, most_bytes)

    def model(self, model: ModelId) -> RemoteModel:
        return self._client.model(model)

    def list_files(self) -> Inventory[RemoteFile]:
        doubts = ListWarnings()
        files = self._client.files(doubts, None, wire.LENIENT)
        return Inventory(items=newest_first(files), list_warnings=tuple(doubts.words))

    def list_jobs(self) -> Inventory[RemoteJob]:
        doubts = ListWarnings()
        jobs = self._client.jobs(self._project, doubts, reader=wire.LENIENT)
        return Inventory(items=newest_first(jobs), list_warnings=tuple(doubts.words))

    def list_models(self) -> Inventory[RemoteModel]:
        doubts = ListWarnings()
        models = self._client.models(doubts, wire.LENIENT)
        return Inventory(items=newest_first(models), list_warnings=tuple(doubts.words))

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        return self._client.upload(dataset, blocks, lambda body: create.check_upload(wire.read_file(body), dataset))

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        suffix = create.suffix_of(model, self.capabilities.suffix_length)
        body = create.write_job(self._project, model, training, validation, supersedes, suffix)
        return self._client.create_job(
            body, lambda answer: create.check_created(wire.read_job(answer, self._project), model, training)
        )

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        return self._client.cancel_job(job, lambda answer: self._echoed(job, answer))

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]:
        """Delete a file or a model; what is not there any more counts as deleted."""
        outcome = self._client.delete("models" if is_model else "files", thing)
        if not isinstance(outcome, Refused):
            return outcome
        if isinstance(outcome.error, NotFoundError):
            return Done(None)
        # Repeated on the way, so that the last attempt did not arrive says nothing of those before it.
        return outcome if outcome.error.status else Unknown(str(outcome.error))

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        return notes.leave(self._client, name, content, lives_seconds)

    def notes(self) -> tuple[RemoteNote, ...]:
        return notes.listed(self._client)

    def remove_note(self, note: FileId) -> Write[None]:
        return self.delete(note, is_model=False)

    def answer(self, model: ModelId, messages: tuple[Message, ...]) -> Iterator[str]:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return self._asked("chat/completions", {"model": model, "messages": turns})

    def complete(self, model: ModelId, prompt: str) -> Iterator[str]:
        return self._asked("completions", {"model": model, "prompt": prompt, "max_tokens": _COMPLETION_TOKENS})

    def _asked(self, path: str, body: dict[str, object]) -> Iterator[str]:
        return ask(self._client, path, body, warmup_seconds=self._profile.warmup_seconds, sleep=self._sleep)

    def _files(self, doubts: ListWarnings) -> tuple[RemoteFile, ...]:
        # Only names of our kind are kept: an account may hold a hundred thousand files of other people.
        # The names of all are remembered: a job's marks must agree with the files it trains on, ours or not.
        ours: list[RemoteFile] = []
        for file in self._client.files(doubts):
            self._names[file.id] = file.filename
            if file.stamp is not None:
                ours.append(file)
        return tuple(ours)

    def _jobs(self, doubts: ListWarnings) -> tuple[tuple[RemoteJob, ...], frozenset[FileId], frozenset[str]]:
        """Return our jobs, the files that others or living jobs use, and the ids of jobs whose marks are garbled."""
        ours: list[RemoteJob] = []
        in_use: set[FileId] = set()
        garbled: set[str] = set()
        for job in self._client.jobs(self._project, doubts):
            if job.stamp:
                ours.append(job)
            if wire.is_garbled(job, self._project):
                garbled.add(job.id)
            if job.status.is_active or not job.stamp:
                in_use.update(job.files)
        return tuple(ours), frozenset(in_use), frozenset(garbled)

    def _echoed(self, job: JobId, answer: bytes) -> RemoteJob:
        found = wire.read_job(answer, self._project)
        if found.stamp is None or found.id != job:
            raise MalformedError(f"the service answered the cancelling of {job} with something else")
        return found


def _is_contradicted(job: RemoteJob, names: dict[FileId, str]) -> bool:
    """Return whether what a job's marks say of its files disagrees with the names of the files it used."""
    if job.stamp is None:
        return False
    sides = (("training", job.training_file), ("validation", job.validation_file))
    return any(names.get(file) and not names_file(job.facts, side, names[file]) for side, file in sides if file)
