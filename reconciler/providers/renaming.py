"""A provider that shows a service under the specs' names: old names as today's, adopted jobs beside ours.

It renames and decides nothing. What it returns has the names of the specs; what it sends has the names that the
service knows. A job that was adopted is never cancelled through it.
"""

from typing import cast

from msgspec.structs import replace

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import NotFoundError, RejectedError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobId, Observed, RemoteFile, RemoteJob, oldest_first
from reconciler.domain.ports import Done, Notes, Provider, Refused, RemoteNote, Write
from reconciler.domain.renames import NameMap


def with_renames(provider: Provider, names: NameMap) -> Provider:
    """Return a provider as the specs' claims see it; the same one when they claim nothing."""
    # The verbs that no name goes through are handed on as they are, which no type checker can follow.
    renaming = _RenamingProviderWithNotes if isinstance(provider, Notes) else _RenamingProvider
    return provider if names.is_empty else cast(Provider, renaming(provider, names))


class _RenamingProvider:
    """The verbs that names go through; every other one is the provider's own."""

    def __init__(self, inner: Provider, names: NameMap) -> None:
        self._inner = inner
        self._names = names

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def observe(self) -> Observed:
        """Look at everything once, and at each adopted job, which the looks for ours pass over.

        Cost:   one request more for each adopted job
        """
        seen = self._names.rename_observed(self._inner.observe())
        listed = {job.id for job in seen.jobs}
        more = [job for each in self._names.adopted if each not in listed and (job := self._read_adopted(each))]
        return replace(seen, jobs=oldest_first((*seen.jobs, *more)), unmarked=self._not_adopted(seen.unmarked))

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        return self._not_adopted(self._inner.unmarked_jobs())

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """List every job of one stamp, under all the names it has had, and the job adopted for it; oldest first."""
        listed = (job for each in self._names.all_stamps(stamp) for job in self._inner.jobs_of(each))
        found = {job.id: self._names.rename_job(job) for job in listed}
        claims = self._names.adopted.items()
        adopted = [self._read_adopted(job) for job, of in claims if of.agrees(stamp) and job not in found]
        by_id = {job.id: job for job in (*found.values(), *adopted) if job and job.is_of(stamp)}
        return oldest_first(by_id.values())

    def job(self, job: JobId) -> RemoteJob:
        if job not in self._names.adopted:
            return self._names.rename_job(self._inner.job(job))
        found = self._read_adopted(job)
        if found is None:
            raise NotFoundError(f"there is no job {job}, which the specs adopt", status=404)
        return found

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        """Find a usable file of this content and purpose, under any of the names that its dataset has had."""
        for each in self._names.all_versions(dataset):
            if found := self._inner.find_file(each):
                return self._names.rename_file(found)
        return None

    def file(self, file: FileId) -> RemoteFile:
        return self._names.rename_file(self._inner.file(file))

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        if job in self._names.adopted:
            return Refused(RejectedError(f"{job} was adopted and bears no stamp of ours; it is never cancelled"))
        written = self._inner.cancel(job)
        return Done(self._names.rename_job(written.value)) if isinstance(written, Done) else written

    def _not_adopted(self, jobs: tuple[RemoteJob, ...]) -> tuple[RemoteJob, ...]:
        return tuple(job for job in jobs if job.id not in self._names.adopted)

    def _read_adopted(self, job: JobId) -> RemoteJob | None:
        try:
            return self._names.rename_job(self._inner.job(job))
        except NotFoundError:
            return None


class _RenamingProviderWithNotes(_RenamingProvider):
    """The same for a service on which notes may be left; a note bears no name of the specs."""

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        return self._notes.leave_note(name, content, lives_seconds)

    def notes(self) -> tuple[RemoteNote, ...]:
        return self._notes.notes()

    def remove_note(self, note: FileId) -> Write[None]:
        return self._notes.remove_note(note)

    @property
    def _notes(self) -> Notes:
        return cast(Notes, self._inner)
