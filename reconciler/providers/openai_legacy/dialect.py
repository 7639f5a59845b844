"""The dialect of 2021 to 2023, `/fine-tunes`: files and models as today, and jobs that keep nothing of ours.

Labels beside the jobs say whose they are; identity is judged in `identity`.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from reconciler.domain.errors import MalformedError, NotFoundError, ProviderError, RejectedError, TemporaryError
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import (
    FAILED,
    Checkpoint,
    FileId,
    Inventory,
    JobEvent,
    JobId,
    RemoteFile,
    RemoteJob,
    oldest_first,
)
from reconciler.domain.ports import Done, Refused, Unknown, Write
from reconciler.providers.http.client import segment
from reconciler.providers.http.dialect import Dialect, NewJob, SeenJobs, Session
from reconciler.providers.http.files import FileRules
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.wire import PURPOSE, read_deleted
from reconciler.providers.openai_legacy import create
from reconciler.providers.openai_legacy.create import PROOFS, refusal_of_rows
from reconciler.providers.openai_legacy.identity import Verdict, is_of, judge
from reconciler.providers.openai_legacy.labels import JobLabel, project_key, read_label
from reconciler.providers.openai_legacy.wire import Tune, job_of, place_of, read_events, read_tune

Labels = tuple[JobLabel, ...]

_NAMES_HINT = "a gateway before the service has to pass the names of files on as they are sent"


class LabelledJobs:
    """The fine-tunes of one project."""

    def __init__(self, session: Session) -> None:
        self._client = session.client
        self._files = session.files
        self._project = session.project
        self._capabilities = session.profile.capabilities
        self._key = project_key(session.project)
        # Labels never change, so those that were seen once need no second look at the whole list of files.
        self._seen: Labels = ()

    def observe(self) -> SeenJobs:
        """List jobs, then files; then ask why the last jobs failed."""
        tune_warnings, file_warnings = ListWarnings(), ListWarnings()
        # Jobs before files: a label is written before its job, so no job is seen without it.
        tunes = tuple(self._list_tunes(tune_warnings))
        files = tuple(self._files.list(file_warnings))
        labels = self._remember_labels(files)
        judged = [(tune, self._judge(tune, labels)) for tune in tunes]
        ours = [_show(tune, verdict) for tune, verdict in judged if verdict.stamp]
        in_use = {file for tune, verdict in judged if tune.status.is_active or not verdict.stamp for file in tune.files}
        return SeenJobs(
            files=tuple(file for file in files if file.stamp),
            jobs=self._with_errors(oldest_first(ours)),
            files_in_use=frozenset(in_use),
            bases_in_use=frozenset(tune.base for tune, verdict in judged if not verdict.stamp or verdict.is_by_name),
            contradictions=tuple(sorted(tune.id for tune, verdict in judged if verdict.is_unclear)),
            list_warnings=(*file_warnings.words, *tune_warnings.words),
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """Return every job of one stamp, oldest first.

        Raises: MalformedError when the list may not be whole, or a living job may be of this stamp or of another
        """
        warnings = ListWarnings()
        tunes = tuple(self._list_tunes(warnings))
        labels = self._labels(warnings)
        if why := (*warnings.words, *self._client.account.warnings):
            raise MalformedError(
                f"the list of the jobs of {stamp} may not be whole: {'; '.join(why)}",
                hint="nothing was created; run again, and if it stays so, ask those who run the server",
            )
        judged = [(tune, self._judge(tune, labels)) for tune in tunes]
        unclear = [tune.id for tune, verdict in judged if stamp in verdict.may_be and tune.status.is_active]
        if unclear:
            raise MalformedError(
                f"job {unclear[0]} may be of {stamp} or of another model with the same base, files and settings",
                hint="nothing was created; run again when that job has ended",
            )
        length = self._capabilities.suffix_length
        return oldest_first(job_of(tune, stamp) for tune, verdict in judged if is_of(tune, verdict, stamp, length))

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        """Return none: no job bears marks here, and `judge` finds those that may be ours."""
        return ()

    def list_all(self, warnings: ListWarnings) -> Iterator[RemoteJob]:
        tunes = tuple(self._list_tunes(warnings))
        labels = self._labels(warnings)
        return (_show(tune, self._judge(tune, labels)) for tune in tunes)

    def job(self, job: JobId) -> RemoteJob:
        tune = self._read_tune(job)
        # A label that was seen stays true, so the list of files is read again only for a job that none of them names.
        verdict = self._judge(tune, self._seen)
        if verdict.stamp is None or all(label.job != tune.id for label in self._seen):
            verdict = self._judge(tune, self._labels(ListWarnings()))
        return _show(tune, verdict)

    def events(self, job: JobId, after: str | None, most: int | None) -> Inventory[JobEvent]:
        """Return a job's events; the service gives all of them each time, so those before `after` are counted off."""
        later = read_events(self._client.get(f"{_path(job)}/events"), job)[place_of(after, job) :]
        return Inventory(items=later if most is None else later[-most:])

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]:
        """Return none: this dialect keeps no models from the middle of a job."""
        return Inventory()

    def create(self, request: NewJob) -> Write[RemoteJob]:
        """Create a job between two labels: one that says what is about to be asked for, and one that names the job.

        The names by which other runs recognise the job are read back before it is paid for.

        The second takes the first one's place. Should it fail, the first says the same, only less briefly.
        """
        model, length = request.model, request.suffix_length
        refusal = create.refusal_of(model, length)
        if refusal:
            return Refused(refusal)
        body, asked = create.write_tune(model, request.training, request.validation, length)
        spent = self._client.time.stopwatch()
        try:
            self._check_name_kept(request.training)
            label = JobLabel(project=self._key, stamp=model.stamp, request=asked.text)
            intent = self._send_label(label)
            self._check_label_kept(intent, label)
        except ProviderError as error:
            return Refused(error)
        if spent() > self._capabilities.delay_seconds:
            self._remove_label(intent)
            return Refused(
                TemporaryError("the label before the job took too long, so no job was created", hint="run again")
            )
        written = self._client.create(
            "fine-tunes",
            body,
            lambda answer: create.check_created(read_tune(answer), model, request.training, request.validation),
        )
        job = written.value if isinstance(written, Done) and written.value.stamp else None
        if isinstance(written, Refused) or (job and self._label_job(job)):
            self._remove_label(intent)
        return written

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        try:
            stamp = self.job(job).stamp
            if stamp is None:
                raise NotFoundError(f"{job} is not a job of the project {self._project}")
        except ProviderError as error:
            return Refused(error)

        def read_cancelled(answer: bytes) -> RemoteJob:
            tune = read_tune(answer)
            if tune.id != job:
                raise MalformedError(f"the service answered the cancelling of {job} with something else")
            return job_of(tune, stamp)

        return self._client.post(f"{_path(job)}/cancel", read_cancelled)

    def _list_tunes(self, warnings: ListWarnings) -> Iterator[Tune]:
        """List every job there ever was, without its events.

        Raises: NotFoundError, on being asked, when the server does not speak this dialect
        """
        try:
            yield from self._client.list_whole("fine-tunes", "fine-tunes", read_tune, warnings)
        except NotFoundError as error:
            hint = "this server has no /fine-tunes: use the profile openai for servers that speak today's API"
            raise NotFoundError(
                str(error), status=error.status, code=error.code, request_id=error.request_id, hint=hint
            ) from error

    def _read_tune(self, job: JobId) -> Tune:
        return read_tune(self._client.get(_path(job)))

    def _judge(self, tune: Tune, labels: Labels) -> Verdict:
        return judge(tune, labels, self._key, self._capabilities.suffix_length)

    def _labels(self, warnings: ListWarnings) -> Labels:
        return self._remember_labels(self._files.list(warnings))

    def _remember_labels(self, files: Iterable[RemoteFile]) -> Labels:
        read = (read_label(file.filename, file.created_at or 0) for file in files if file.purpose == PURPOSE)
        self._seen = tuple(label for label in read if label)
        return self._seen

    def _send_label(self, label: JobLabel) -> FileId:
        """Write a label and return its file.

        Raises: ProviderError when it is not there
        """
        match self._files.send_label(label.filename, label.content(self._project)):
            case Done(made):
                return made
            case Refused(error):
                raise error
            case Unknown(why):
                # A label that was made without an answer does its work as well.
                for file in self._files.list(ListWarnings()):
                    if file.filename == label.filename:
                        return file.id
                raise TemporaryError(
                    f"a label for {label.stamp} did not arrive, so no job was created: {why}",
                    hint=f"run again. If it stays so, {_NAMES_HINT}",
                )

    def _check_name_kept(self, training: FileId) -> None:
        """Check that the file of a job keeps its name, by which a job without a label is still seen as perhaps ours.

        Raises: ProviderError
        """
        try:
            kept = self._files.read(training)
        except NotFoundError as error:
            raise RejectedError(
                str(error), status=error.status, code=error.code, param="training_file", request_id=error.request_id
            ) from error
        if not kept.stamp:
            raise MalformedError(
                f"the service keeps file {training} under the name {kept.filename!r}, not the one that was sent; no job"
                " was created on it",
                hint=f"{_NAMES_HINT}; see to that, then run again",
            )

    def _check_label_kept(self, made: FileId, label: JobLabel) -> None:
        """Check that the service keeps a label under its name. Its answer may have repeated what it then changed.

        Raises: ProviderError when it does not, or cannot be asked: no run would recognise the job
        """
        kept = self._files.read(made)
        if (kept.filename, kept.purpose) == (label.filename, PURPOSE):
            return
        self._remove_label(made)
        raise MalformedError(
            f"the service keeps the label of {label.stamp} under the name {kept.filename!r}, so that no run would"
            " recognise its job; none was created",
            hint=f"{_NAMES_HINT}; see to that, then run again",
        )

    def _remove_label(self, label: FileId) -> None:
        self._client.delete(f"files/{segment(label)}", read_deleted)

    def _label_job(self, job: RemoteJob) -> bool:
        try:
            self._send_label(JobLabel(project=self._key, stamp=job.own_stamp, job=job.id))
        except ProviderError:
            return False
        return True

    def _with_errors(self, jobs: tuple[RemoteJob, ...]) -> tuple[RemoteJob, ...]:
        """Ask why the newest job of each model failed; the list does not say, and no plan shows the older ones."""
        newest: dict[Address, RemoteJob] = {job.address: job for job in jobs}
        failed = {job.id for job in newest.values() if job.status == FAILED}
        return tuple(replace(job, error=self._read_tune(job.id).error) if job.id in failed else job for job in jobs)


def _show(tune: Tune, verdict: Verdict) -> RemoteJob:
    return replace(job_of(tune, verdict.stamp), is_known_by_name=verdict.is_by_name)


def _path(job: JobId) -> str:
    return f"fine-tunes/{segment(job)}"


DIALECT = Dialect(
    name="openai-legacy",
    jobs=LabelledJobs,
    proofs=PROOFS,
    # Nothing can be asked of that generation's lists: neither a page nor a purpose.
    files=FileRules(page_size=0, refuse_rows=refusal_of_rows),
    chat_path="",
)
