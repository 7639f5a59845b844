"""A provider in dictionaries, for tests. It keeps the port's promises and holds no rule about what should happen."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import MalformedError, NotFoundError, RejectedError
from reconciler.domain.identity import Stamp
from reconciler.domain.lock import name_service
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    Inventory,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    Observed,
    RemoteFile,
    RemoteJob,
    RemoteModel,
    newest_first,
)
from reconciler.domain.ports import AtEnd, Capabilities, Message, RemoteNote, Write, ignore_end
from reconciler.testing.memory_service import MemoryService


class MemoryProvider(MemoryService):
    """The port of a service in memory. Safe to use from several threads."""

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def service_time(self) -> float | None:
        return self._clock()

    def observe(self) -> Observed:
        with self._lock:
            jobs = tuple(job for job in _oldest_first(self.jobs.values()) if self._is_listed(job.id))
            used = {
                file
                for job in self.jobs.values()
                if job.status.is_active
                for file in (job.training_file, job.validation_file)
                if file
            }
            return Observed(
                service=name_service(self._name, self.organization, self.account_project),
                files=tuple(file for file in self.files.values() if file.stamp and self._is_listed(file.id)),
                jobs=jobs,
                models=frozenset(self.models),
                retiring=self.retiring,
                files_in_use=frozenset(used) | self.foreign_files,
                bases_in_use=frozenset(each.base for each in self.foreign if isinstance(each, RemoteJob) and each.base),
                contradictions=self.contradictions,
                unmarked=self.unmarked_jobs(),
                list_warnings=self.list_warnings,
                organization=self.organization,
                project=self.account_project,
            )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        with self._lock:
            same = (job for job in self.jobs.values() if job.stamp == stamp and self._is_listed(job.id))
            return _oldest_first(same)

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        with self._lock:
            ours = {file.id for file in self.files.values() if file.stamp}
            bare = (thing for thing in self.foreign if isinstance(thing, RemoteJob) and not thing.details.project)
            return _oldest_first(job for job in bare if job.training_file in ours and self._is_listed(job.id))

    def job(self, job: JobId) -> RemoteJob:
        with self._lock:
            theirs = (thing for thing in self.foreign if isinstance(thing, RemoteJob) and thing.id == job)
            return next(theirs, None) or self._job(job)

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
        with self._lock:
            self.job(job)
            found = self._events.get(job, [])
            ids = [event.id for event in found]
            later = tuple(found[ids.index(after) + 1 :] if after in ids else found)
            return Inventory(items=later if most is None else later[-most:])

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]:
        with self._lock:
            self.job(job)
            return Inventory(items=tuple(sorted(self._checkpoints.get(job, []), key=lambda saved: saved.step)))

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        with self._lock:
            same = (
                file
                for file in self.files.values()
                if (file.filename, file.size_bytes) == (dataset.stamp.filename, dataset.measure.size_bytes)
                and not file.is_broken
                and self._is_listed(file.id)
            )
            return min(same, key=lambda file: file.age_key, default=None)

    def file(self, file: FileId) -> RemoteFile:
        with self._lock:
            theirs = (thing for thing in self.foreign if isinstance(thing, RemoteFile) and thing.id == file)
            found = next(theirs, None) or self.files.get(file)
            if found is None:
                raise NotFoundError(f"there is no file {file}", status=404)
            return found

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        with self._lock:
            if file not in self.contents:
                raise NotFoundError(f"there is no file {file}", status=404)
            content = self.contents[file]
        if most_bytes is not None and len(content) > most_bytes:
            raise MalformedError(f"the content of {file} is longer than the file is said to be")
        yield content

    def model(self, model: ModelId) -> RemoteModel:
        with self._lock:
            theirs = (thing for thing in self.foreign if isinstance(thing, RemoteModel) and thing.id == model)
            found = next(theirs, None)
            if found is None and model not in self.models:
                raise NotFoundError(f"there is no model {model}", status=404, code="model_not_found")
            return found or RemoteModel(id=model)

    def list_files(self) -> Inventory[RemoteFile]:
        with self._lock:
            ours = tuple(file for file in self.files.values() if self._is_listed(file.id))
            theirs = tuple(thing for thing in self.foreign if isinstance(thing, RemoteFile))
            return Inventory(items=newest_first(ours + theirs), list_warnings=self.list_warnings)

    def list_jobs(self) -> Inventory[RemoteJob]:
        with self._lock:
            ours = tuple(job for job in self.jobs.values() if self._is_listed(job.id))
            theirs = tuple(thing for thing in self.foreign if isinstance(thing, RemoteJob))
            return Inventory(items=newest_first(ours + theirs), list_warnings=self.list_warnings)

    def list_models(self) -> Inventory[RemoteModel]:
        with self._lock:
            ours = tuple(RemoteModel(id=model) for model in sorted(self.models))
            theirs = tuple(thing for thing in self.foreign if isinstance(thing, RemoteModel))
            return Inventory(items=newest_first(ours + theirs), list_warnings=self.list_warnings)

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        content = b"".join(blocks)

        def make() -> RemoteFile:
            file = RemoteFile(
                id=FileId(self._new("file")),
                filename=dataset.stamp.filename,
                size_bytes=len(content),
                created_at=self._now(),
                status="processed" if self.files_are_ready else "uploaded",
                purpose="fine-tune",
                stamp=Stamp.of_filename(dataset.stamp.filename),
            )
            self.files[file.id] = file
            self.contents[file.id] = content
            return file

        return self._write("upload", make)

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        def make() -> RemoteJob:
            if self._capabilities.takes_token and token in self.tokens:
                return self.jobs[self.tokens[token]]
            for param, file in (("training_file", training), ("validation_file", validation)):
                if file is not None and (file not in self.files or self.files[file].is_broken):
                    raise RejectedError(f"invalid {param}: {file}", status=400, param=param)
            job = RemoteJob(
                id=JobId(self._new("ftjob")),
                stamp=model.stamp,
                status=JobStatus("queued"),
                created_at=self._now(),
                base=model.recipe.base,
                training_file=training,
                validation_file=validation,
                facts=model.displayed_facts,
                supersedes=supersedes,
            )
            self.jobs[job.id] = job
            self.tokens[token] = job.id
            self.log(job.id, f"Created fine-tuning job: {job.id}")
            return job

        return self._write("train", make)

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        def make() -> RemoteJob:
            found = self._job(job)
            if found.status.is_terminal:
                raise RejectedError(f"{job} has {found.status} already", status=400)
            status = JobStatus("cancelled" if self.cancels_at_once else "cancelling")
            self.jobs[job] = replace(found, status=status, finished_at=self._now() if status.is_terminal else None)
            return self.jobs[job]

        return self._write("cancel", make)

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]:
        def make() -> None:
            if is_model:
                self.models.discard(ModelId(thing))
            else:
                self.files.pop(FileId(thing), None)

        return self._write("delete", make)

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        def make() -> RemoteNote:
            note = RemoteNote(id=FileId(self._new("note")), name=name, created_at=self._now())
            self.notes_left[note.id] = note
            self.expiring[note.id] = self._clock() + lives_seconds
            return note

        return self._write("note", make)

    def notes(self) -> tuple[RemoteNote, ...]:
        with self._lock:
            there = (note for note in self.notes_left.values() if self._clock() < self.expiring[note.id])
            return tuple(note for note in there if self._is_listed(note.id))

    def remove_note(self, note: FileId) -> Write[None]:
        def make() -> None:
            self.notes_left.pop(note, None)

        return self._write("unnote", make)

    def answer(self, model: ModelId, messages: tuple[Message, ...], at_end: AtEnd = ignore_end) -> Iterator[str]:
        yield from self._words(model, messages[-1].content)

    def complete(self, model: ModelId, prompt: str, at_end: AtEnd = ignore_end) -> Iterator[str]:
        yield from self._words(model, prompt)

    def _words(self, model: ModelId, question: str) -> Iterator[str]:
        reply = self.says(self.model(model).id, question)
        for index, word in enumerate(reply.split(" ")):
            yield word if index == 0 else f" {word}"


def _oldest_first(jobs: Iterable[RemoteJob]) -> tuple[RemoteJob, ...]:
    return tuple(sorted(jobs, key=lambda job: (job.created_at or 0, _number(job.id))))


def _number(job: JobId) -> tuple[int, str]:
    # Jobs made within one second keep the order in which they were made.
    return len(job), job
