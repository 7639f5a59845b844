"""Jobs that bear our marks in their metadata: lists them, and believes a mark only when everything agrees with it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import find_differences, is_one_file
from reconciler.domain.errors import DeniedError, MalformedError, NotFoundError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    Inventory,
    JobEvent,
    JobId,
    RemoteFile,
    RemoteJob,
    oldest_first,
    plain_id,
)
from reconciler.domain.ports import Done, Write
from reconciler.providers.http.client import segment
from reconciler.providers.http.dialect import JobRules, NewJob, SeenJobs, Session
from reconciler.providers.http.marks import DIGEST, is_garbled, is_unmarked, names_file
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.wire import FOREIGN, LENIENT, STRICT, Reader


class MetadataJobs:
    """The jobs of one project, recognised by their metadata."""

    def __init__(self, session: Session, rules: JobRules) -> None:
        self._client = session.client
        self._files = session.files
        self._project = session.project
        self._rules = rules
        # Names of files never change, so those that were read once need no second look.
        self._names: dict[FileId, str] = {}

    def observe(self) -> SeenJobs:
        """List files and jobs, fetched side by side."""
        file_warnings, job_warnings = ListWarnings(), ListWarnings()
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="observe") as pool:
            files_later = pool.submit(self._list_own_files, file_warnings)
            jobs_later = pool.submit(self._sort_jobs, job_warnings)
            files, sorted_jobs = files_later.result(), jobs_later.result()
        ours = sorted_jobs.ours
        contradicted = sorted_jobs.garbled | {job.id for job in ours if _is_contradicted(job, self._names)}
        in_doubt = [job for job in ours if job.id in contradicted]
        return SeenJobs(
            files=files,
            jobs=oldest_first(job for job in ours if job.id not in contradicted),
            files_in_use=sorted_jobs.in_use | {file for job in in_doubt for file in job.files},
            bases_in_use=sorted_jobs.bases | {job.base for job in in_doubt},
            contradictions=tuple(sorted(contradicted)),
            # Marks that name our project, and are not what was sealed, are a contradiction already.
            unmarked=self._on_own_files([job for job in sorted_jobs.unmarked if job.id not in sorted_jobs.garbled]),
            list_warnings=(*file_warnings.words, *job_warnings.words),
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """Return every job of one stamp, oldest first.

        A job whose marks disagree with the file that it trains on does not count, here as in a look at everything.
        Cost:   a request for each of its files whose name was never read
        """
        warnings = ListWarnings()
        filters = {DIGEST: str(stamp.digest)} if self._rules.filters_by_metadata else {}
        found = tuple(self._list(warnings, STRICT, filters))
        self._require_whole(f"the jobs of {stamp}", warnings)
        return oldest_first(job for job in found if job.stamp == stamp and not self._is_forged(job))

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        warnings = ListWarnings()
        self._list_own_files(warnings)
        unmarked = self._sort_jobs(warnings).unmarked
        self._require_whole("jobs", warnings)
        return self._on_own_files(unmarked)

    def list_all(self, warnings: ListWarnings) -> Iterator[RemoteJob]:
        return self._list(warnings, LENIENT, {})

    def job(self, job: JobId) -> RemoteJob:
        found = self._rules.read(self._client.get(self._path(job)), self._project, LENIENT)
        return replace(found, stamp=None) if self._is_forged(found) else found

    def events(self, job: JobId, after: str | None, most: int | None) -> Inventory[JobEvent]:
        """Return a job's events; services list the newest first, so the walk ends at the one named."""
        rules, path = self._rules, self._path(job, self._rules.events_path)
        warnings = ListWarnings()
        listed = self._client.list_paged("events", path, {}, rules.page_size, rules.read_event, warnings)
        later = tuple(islice(takewhile(lambda event: event.id != after, listed), most))[::-1]
        return Inventory(items=later, list_warnings=tuple(warnings.words))

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]:
        rules, path = self._rules, self._path(job, self._rules.checkpoints_path)
        warnings = ListWarnings()
        listed = self._client.list_paged("checkpoints", path, {}, rules.page_size, rules.read_checkpoint, warnings)
        saved = tuple(sorted(listed, key=lambda saved: (saved.step, saved.id)))
        return Inventory(items=saved, list_warnings=tuple(warnings.words))

    def create(self, request: NewJob) -> Write[RemoteJob]:
        body = self._rules.write(request)

        def read_created(answer: bytes) -> Done[RemoteJob]:
            # Leniently: an answer that names a job is about that job, whatever else is odd about it.
            return check_created(self._rules.read(answer, self._project, LENIENT), request, body.get("suffix"))

        return self._client.create(self._rules.path, body, read_created)

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        def read_cancelled(answer: bytes) -> RemoteJob:
            found = self._rules.read(answer, self._project, STRICT)
            if found.stamp is None or found.id != job:
                raise MalformedError(f"the service answered the cancelling of {job} with something else")
            return found

        return self._client.post(self._path(job, self._rules.cancel_path), read_cancelled)

    def _path(self, job: JobId, below: str = "") -> str:
        return f"{self._rules.path}/{segment(job)}" + (f"/{below}" if below else "")

    def _list(self, warnings: ListWarnings, reader: Reader, filters: Mapping[str, str]) -> Iterator[RemoteJob]:
        """List jobs, every page. A server that does not know a filter ignores it, so look at each job again."""
        rules, query = self._rules, {f"metadata[{key}]": value for key, value in filters.items()}
        return self._client.list_paged(
            "jobs",
            rules.path,
            query,
            rules.page_size,
            lambda item: self._read_listed(item, reader),
            warnings,
        )

    def _read_listed(self, item: msgspec.Raw, reader: Reader) -> RemoteJob:
        """Read a job of a list. What is odd about the job of another project concerns no plan."""
        try:
            return self._rules.read(item, self._project, reader)
        except MalformedError:
            found = self._rules.read(item, self._project, FOREIGN)
            if found.details.project == self._project:
                raise
            return found

    def _list_own_files(self, warnings: ListWarnings) -> tuple[RemoteFile, ...]:
        # Only names of our kind are kept: an account may hold a hundred thousand files of other people.
        # The names of all are remembered: a job's marks must agree with the files it trains on, ours or not.
        ours: list[RemoteFile] = []
        for file in self._files.list(warnings):
            self._names[file.id] = file.filename
            if file.stamp is not None:
                ours.append(file)
        return tuple(ours)

    def _require_whole(self, what: str, warnings: ListWarnings) -> None:
        if why := (*warnings.words, *self._client.account.warnings):
            raise MalformedError(
                f"the list of {what} may not be whole: {'; '.join(why)}",
                hint="nothing was created; run again, and if it stays so, ask the service's support",
            )

    def _on_own_files(self, jobs: Sequence[RemoteJob]) -> tuple[RemoteJob, ...]:
        by_id = {plain_id(file): name for file, name in self._names.items()} if jobs else {}
        names = (by_id.get(plain_id(job.training_file or ""), "") for job in jobs)
        return oldest_first(job for job, name in zip(jobs, names, strict=True) if Stamp.of_filename(name))

    def _sort_jobs(self, warnings: ListWarnings) -> "_SortedJobs":
        """Sort the jobs of the service by whose they are."""
        ours: list[RemoteJob] = []
        unmarked: list[RemoteJob] = []
        in_use: set[FileId] = set()
        bases: set[str] = set()
        garbled: set[str] = set()
        for job in self._list(warnings, STRICT, {}):
            if job.stamp:
                ours.append(job)
            if is_garbled(job, self._project):
                garbled.add(job.id)
            if job.status.is_active or not job.stamp:
                in_use.update(job.files)
            if not job.stamp and job.base:
                bases.add(job.base)
            if is_unmarked(job, self._project):
                unmarked.append(job)
        return _SortedJobs(tuple(ours), frozenset(in_use), frozenset(bases), frozenset(garbled), tuple(unmarked))

    def _is_forged(self, job: RemoteJob) -> bool:
        """Return whether a job's marks disagree with the names of its files, asking for those that are not known."""
        for file in job.files if job.stamp and job.facts else ():
            if file not in self._names:
                self._names[file] = self._filename(file)
        return _is_contradicted(job, self._names)

    def _filename(self, file: FileId) -> str:
        # Jobs keep the ids of files that were deleted, and of files that others see: such an id says nothing.
        try:
            return self._files.read(file).filename
        except (NotFoundError, DeniedError):
            return ""


class _SortedJobs(NamedTuple):
    """Our jobs, the files that others or living jobs use, the bases of others, garbled ids, and jobs without marks."""

    ours: tuple[RemoteJob, ...]
    in_use: frozenset[FileId]
    bases: frozenset[str]
    garbled: frozenset[str]
    unmarked: tuple[RemoteJob, ...]


def check_created(job: RemoteJob, request: NewJob, suffix: str | None) -> Done[RemoteJob]:
    """Return the job that the answer to a create names, and in what it differs from what was sent.

    A job that does not bear its stamp, or trains on another file, is returned without a stamp.
    """
    model, training = request.model, (request.training,)
    validation = (request.validation,) if request.validation else ()
    doubts = tuple(find_differences(model, job, training, validation, suffix))
    if job.stamp != model.stamp:
        kept = "without the metadata that was sent" if job.details.project is None else "with other metadata"
        return Done(replace(job, stamp=None), (kept, *doubts))
    if job.training_file is not None and not is_one_file(job.training_file, training):
        return Done(replace(job, stamp=None), doubts)
    return Done(job, doubts)


def _is_contradicted(job: RemoteJob, names: Mapping[FileId, str]) -> bool:
    """Return whether what a job's marks say of its files disagrees with the names of the files it used."""
    if job.stamp is None:
        return False
    sides = (("training", job.training_file), ("validation", job.validation_file))
    return any(names.get(file) and not names_file(job.facts, side, names[file]) for side, file in sides if file)
