"""The verbs of the port in terms of client and wire. Asks, sends and reports; never decides what should happen."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from types import TracebackType

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import DeniedError, MalformedError, NotFoundError
from reconciler.domain.identity import Stamp
from reconciler.domain.inventory import HeldFile, HeldJob, HeldModel, Inventory, newest_first
from reconciler.domain.observed import Checkpoint, FileId, JobEvent, JobId, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.ports import Capabilities, Done, Message, Refused, RemoteNote, Unknown, Write
from reconciler.providers.http.paging import Doubts
from reconciler.providers.openai import create, notes, wire
from reconciler.providers.openai.answers import ask
from reconciler.providers.openai.client import Client
from reconciler.providers.openai.content import read_content
from reconciler.providers.openai.stamps import DIGEST
from reconciler.providers.openai.wire import SeenFile, SeenJob
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
        doubts = (Doubts(), Doubts(), Doubts())
        with ThreadPoolExecutor(max_workers=len(doubts), thread_name_prefix="observe") as pool:
            files_later = pool.submit(self._files, doubts[0])
            jobs_later = pool.submit(self._jobs, doubts[1])
            models_later = pool.submit(lambda: tuple(self._client.models(doubts[2])))
            files, (ours, in_use, garbled), models = files_later.result(), jobs_later.result(), models_later.result()
        contradicted = garbled | {seen.id for seen in ours if _is_contradicted(seen, self._names)}
        in_use |= {file for seen in ours if seen.id in contradicted for file in seen.files}
        whose = self._client.whose
        return Observed(
            service="/".join(part for part in (self._profile.label or self._client.host, whose.organization) if part),
            host=self._client.host,
            files=tuple(seen.file for seen in files if seen.file.stamp),
            jobs=_oldest_first(seen.job for seen in ours if seen.job and seen.id not in contradicted),
            models=frozenset(model for model, _ in models),
            retiring=tuple(sorted((model, day) for model, day in models if day)),
            files_in_use=in_use,
            contradictions=tuple(sorted(contradicted)),
            doubts=(*(word for each in doubts for word in each.words), *whose.doubts),
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
        doubts = Doubts()
        found = tuple(self._client.jobs(self._project, doubts, {DIGEST: str(stamp.digest)}))
        if why := (*doubts.words, *self._client.whose.doubts):
            raise MalformedError(
                f"the jobs of {stamp} cannot be told: {'; '.join(why)}",
                hint="nothing was created; run again, and if it stays so, ask the service's support",
            )
        same = [seen for seen in found if seen.job and seen.job.stamp == stamp and not self._is_forged(seen)]
        return _oldest_first(seen.job for seen in same if seen.job)

    def job(self, job: JobId) -> RemoteJob:
        seen = self._client.job(job, self._project)
        if seen.job is None or self._is_forged(seen):
            raise NotFoundError(f"{job} is not a job of the project {self._project}")
        return seen.job

    def _is_forged(self, seen: SeenJob) -> bool:
        """Return whether a job's marks disagree with the names of its files, asking for those that are not known."""
        for file in seen.files if seen.marks and seen.marks.facts else ():
            if file not in self._names:
                self._names[file] = self._filename(file)
        return _is_contradicted(seen, self._names)

    def _filename(self, file: FileId) -> str:
        # Jobs keep the ids of files that were deleted, and of files that others see: such an id says nothing.
        try:
            return self._client.file(file).file.filename
        except (NotFoundError, DeniedError):
            return ""

    def events(self, job: JobId, after: str | None) -> tuple[JobEvent, ...]:
        """Read a job's events, oldest first, later than the one named; all of them when it is not there any more.

        Services list the newest first, so walking ends at the one named.
        """
        newest_first = takewhile(lambda event: event.id != after, self._client.events(job, Doubts()))
        return tuple(newest_first)[::-1]

    def checkpoints(self, job: JobId) -> tuple[Checkpoint, ...]:
        """Read a job's checkpoints, by step."""
        return tuple(sorted(self._client.checkpoints(job, Doubts()), key=lambda each: (each.step, each.id)))

    def file_of(self, dataset: Dataset) -> RemoteFile | None:
        """Find a usable file of exactly this name, size and purpose; the oldest of several."""
        same = (
            seen.file
            for seen in self._client.files(Doubts())
            if seen.purpose == create.PURPOSE
            and seen.file.filename == dataset.stamp.filename
            and seen.file.size_bytes == dataset.measure.size_bytes
            and not seen.file.is_broken
        )
        return min(same, key=lambda file: (file.created_at, file.id), default=None)

    def file(self, file: FileId) -> RemoteFile:
        return self._client.file(file).file

    def content(self, file: RemoteFile) -> Iterator[bytes]:
        return read_content(self._client, file)

    def model(self, model: ModelId) -> ModelId:
        return self._client.model(model)

    def inventory_files(self) -> Inventory[HeldFile]:
        doubts = Doubts()
        return Inventory(items=newest_first(self._client.all_files(doubts)), doubts=tuple(doubts.words))

    def inventory_jobs(self) -> Inventory[HeldJob]:
        doubts = Doubts()
        return Inventory(items=newest_first(self._client.all_jobs(self._project, doubts)), doubts=tuple(doubts.words))

    def inventory_models(self) -> Inventory[HeldModel]:
        doubts = Doubts()
        return Inventory(items=newest_first(self._client.all_models(doubts)), doubts=tuple(doubts.words))

    def held_file(self, file: FileId) -> HeldFile:
        return self._client.any_file(file)

    def held_job(self, job: JobId) -> HeldJob:
        return self._client.any_job(job, self._project)

    def held_content(self, file: FileId) -> Iterator[bytes]:
        return self._client.content(file)

    def held_model(self, model: ModelId) -> HeldModel:
        return self._client.any_model(model)

    def last_events(self, job: JobId, most: int) -> tuple[JobEvent, ...]:
        """Read the newest events of a job, oldest first; services list the newest first, so few are asked for."""
        return tuple(islice(self._client.events(job, Doubts()), most))[::-1]

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        return self._client.upload(dataset, blocks, lambda body: create.check_upload(wire.read_file(body), dataset))

    def train(
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

    def _files(self, doubts: Doubts) -> tuple[SeenFile, ...]:
        # Only names of our kind are kept: an account may hold a hundred thousand files of other people.
        # Of all, the names are remembered: a job's marks must agree with what it trains on, whosever that is.
        ours: list[SeenFile] = []
        for seen in self._client.files(doubts):
            self._names[seen.file.id] = seen.file.filename
            if seen.purpose == create.PURPOSE and seen.file.stamp is not None:
                ours.append(seen)
        return tuple(ours)

    def _jobs(self, doubts: Doubts) -> tuple[tuple[SeenJob, ...], frozenset[FileId], frozenset[str]]:
        """Return our jobs, the files that others or living jobs use, and the ids of jobs whose marks are garbled."""
        ours: list[SeenJob] = []
        in_use: set[FileId] = set()
        garbled: set[str] = set()
        for seen in self._client.jobs(self._project, doubts):
            if seen.job:
                ours.append(seen)
            if seen.is_garbled:
                garbled.add(seen.id)
            if seen.is_active or not seen.job:
                in_use.update(seen.files)
        return tuple(ours), frozenset(in_use), frozenset(garbled)

    def _echoed(self, job: JobId, answer: bytes) -> RemoteJob:
        seen = wire.read_job(answer, self._project)
        if seen.job is None or seen.job.id != job:
            raise MalformedError(f"the service answered the cancelling of {job} with something else")
        return seen.job


def _is_contradicted(seen: SeenJob, names: dict[FileId, str]) -> bool:
    """Return whether a job's own words about its files disagree with the names of the files it used."""
    if seen.job is None or seen.marks is None:
        return False
    sides = (("training", seen.job.training_file), ("validation", seen.job.validation_file))
    return any(names.get(file) and not seen.marks.names_file(side, names[file]) for side, file in sides if file)


def _oldest_first(jobs: Iterator[RemoteJob]) -> tuple[RemoteJob, ...]:
    return tuple(sorted(jobs, key=lambda job: (job.created_at, job.id)))
