"""The verbs of the port on the old dialect. Identity is judged elsewhere; here labels are written and read."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import MalformedError, ProviderError, RejectedError, TemporaryError
from reconciler.domain.identity import Address, Stamp
from reconciler.domain.observed import (
    FAILED,
    Checkpoint,
    FileId,
    Inventory,
    JobEvent,
    JobId,
    ModelId,
    Observed,
    RemoteFile,
    RemoteJob,
    newest_first,
    oldest_first,
)
from reconciler.domain.ports import Done, Message, Refused, Unknown, Write, own_job
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.openai.provider import OpenAIProvider
from reconciler.providers.openai.wire import PURPOSE
from reconciler.providers.openai_legacy import create
from reconciler.providers.openai_legacy.client import LegacyClient
from reconciler.providers.openai_legacy.identity import Verdict, is_of, judge
from reconciler.providers.openai_legacy.labels import Label, project_key, read_label
from reconciler.providers.openai_legacy.wire import Tune, job_of, place_of, read_tune
from reconciler.providers.profiles import Profile

Labels = tuple[Label, ...]


class LegacyProvider(OpenAIProvider):
    """A service that speaks `/fine-tunes`, seen as the port of one project."""

    def __init__(self, client: LegacyClient, profile: Profile, *, project: str, sleep: Callable[[float], None]) -> None:
        super().__init__(client, profile, project=project, sleep=sleep)
        self._tunes = client
        self._key = project_key(project)
        # Labels never change, so those that were seen once need no second look at the whole list of files.
        self._seen: Labels = ()

    def observe(self) -> Observed:
        """Look at everything once: jobs, files and models; then at why the last jobs failed."""
        doubts = (ListWarnings(), ListWarnings(), ListWarnings())
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="observe") as pool:
            models_later = pool.submit(lambda: tuple(self._client.models(doubts[2])))
            # Jobs before files: a label is written before its job, so no job is seen without it.
            tunes = tuple(self._tunes.tunes(doubts[1]))
            files = tuple(self._client.files(doubts[0]))
            models = models_later.result()
        labels = self._learned(files)
        judged = [(tune, self._judge(tune, labels)) for tune in tunes]
        ours = [job_of(tune, verdict.stamp) for tune, verdict in judged if verdict.stamp]
        in_use = {file for tune, verdict in judged if tune.status.is_active or not verdict.stamp for file in tune.files}
        whose = self._client.whose
        return Observed(
            service="/".join(part for part in (self._profile.label or self._client.host, whose.organization) if part),
            host=self._client.host,
            files=tuple(file for file in files if file.stamp),
            jobs=self._explained(oldest_first(ours)),
            models=frozenset(model.id for model in models),
            retiring=tuple(sorted((model.id, model.shutdown_date) for model in models if model.shutdown_date)),
            files_in_use=frozenset(in_use),
            contradictions=tuple(sorted(tune.id for tune, verdict in judged if verdict.is_unclear)),
            list_warnings=(*(word for each in doubts for word in each.words), *whose.doubts),
            organization=whose.organization,
            project=whose.project,
            region=whose.region,
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        """List every job of one stamp, oldest first.

        Raises: MalformedError when the list may not be whole, or a living job may be of this stamp or of another
        """
        doubts = ListWarnings()
        tunes = tuple(self._tunes.tunes(doubts))
        labels = self._labels(doubts)
        if why := (*doubts.words, *self._client.whose.doubts):
            raise MalformedError(
                f"the jobs of {stamp} cannot be told: {'; '.join(why)}",
                hint="nothing was created; run again, and if it stays so, ask those who run the server",
            )
        judged = [(tune, self._judge(tune, labels)) for tune in tunes]
        unclear = [tune.id for tune, verdict in judged if stamp in verdict.may_be and tune.status.is_active]
        if unclear:
            raise MalformedError(
                f"job {unclear[0]} may be of {stamp} or of another model with the same base, files and settings",
                hint="nothing was created; run again when that job has ended",
            )
        length = self.capabilities.suffix_length
        return oldest_first(job_of(tune, stamp) for tune, verdict in judged if is_of(tune, verdict, stamp, length))

    def job(self, job: JobId) -> RemoteJob:
        tune = self._tunes.tune(job)
        # A label that was seen stays true, so the list of files is read again only for a job that none of them names.
        verdict = self._judge(tune, self._seen)
        if verdict.stamp is None or all(label.job != tune.id for label in self._seen):
            verdict = self._judge(tune, self._labels(ListWarnings()))
        return job_of(tune, verdict.stamp)

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> tuple[JobEvent, ...]:
        """Return a job's events; the service gives all of them each time, so those before `after` are counted off."""
        later = self._tunes.said(job)[place_of(after, job) :]
        return later if most is None else later[-most:]

    def checkpoints(self, job: JobId) -> tuple[Checkpoint, ...]:
        """Return none: this dialect keeps no models from the middle of a job."""
        return ()

    def list_jobs(self) -> Inventory[RemoteJob]:
        doubts = ListWarnings()
        tunes = tuple(self._tunes.tunes(doubts))
        labels = self._labels(doubts)
        jobs = (job_of(tune, self._judge(tune, labels).stamp) for tune in tunes)
        return Inventory(items=newest_first(jobs), list_warnings=tuple(doubts.words))

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        """Send a dataset's lines, when this dialect can train on them."""
        refusal = create.refusal_of_rows(dataset)
        return Refused(refusal) if refusal else super().upload(dataset, blocks)

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        """Create a job between two labels: one that says what is about to be asked for, and one that names the job.

        The second takes the first one's place. Should it fail, the first says the same, only less briefly.
        """
        refusal = create.refusal_of(model, self.capabilities.suffix_length)
        if refusal:
            return Refused(refusal)
        body, request = create.write_tune(model, training, validation, self.capabilities.suffix_length)
        spent = self._client.time.stopwatch()
        try:
            intent = self._put(Label(project=self._key, stamp=model.stamp, request=request.text))
        except ProviderError as error:
            return Refused(error)
        if spent() > self.capabilities.delay_seconds:
            self._client.delete("files", intent)
            return Refused(
                TemporaryError("the label before the job took too long, so no job was created", hint="run again")
            )
        written = self._tunes.create_tune(
            body, lambda answer: create.check_created(read_tune(answer), model, training, validation)
        )
        if isinstance(written, Refused) or (isinstance(written, Done) and self._named(written.value)):
            self._client.delete("files", intent)
        return written

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        try:
            ours = own_job(self, job)
        except ProviderError as error:
            return Refused(error)

        def echoed(answer: bytes) -> RemoteJob:
            tune = read_tune(answer)
            if tune.id != job:
                raise MalformedError(f"the service answered the cancelling of {job} with something else")
            return job_of(tune, ours.stamp)

        return self._tunes.cancel_tune(job, echoed)

    def answer(self, model: ModelId, messages: tuple[Message, ...]) -> Iterator[str]:
        """Put a single question to a model, as a prompt; models of this dialect know no conversations.

        Raises: RejectedError for anything longer
        """
        if len(messages) != 1 or messages[0].role != "user":
            raise RejectedError(
                f"{model} completes a prompt and knows no conversation",
                hint="ask with one prompt, and nothing beside it",
            )
        return self.complete(model, messages[0].content)

    def _judge(self, tune: Tune, labels: Labels) -> Verdict:
        return judge(tune, labels, self._key, self.capabilities.suffix_length)

    def _labels(self, doubts: ListWarnings) -> Labels:
        return self._learned(self._client.files(doubts))

    def _learned(self, files: Iterable[RemoteFile]) -> Labels:
        read = (read_label(file.filename, file.created_at or 0) for file in files if file.purpose == PURPOSE)
        self._seen = tuple(label for label in read if label)
        return self._seen

    def _put(self, label: Label) -> FileId:
        """Write a label and give its file.

        Raises: ProviderError when it is not there
        """
        match self._tunes.put(label.filename, label.content(self._project)):
            case Done(made):
                return made
            case Refused(error):
                raise error
            case Unknown(why):
                # A label that was made without an answer does its work as well.
                for file in self._client.files(ListWarnings()):
                    if file.filename == label.filename:
                        return file.id
                raise TemporaryError(
                    f"a label for {label.stamp} did not arrive, so no job was created: {why}", hint="run again"
                )

    def _named(self, job: RemoteJob) -> bool:
        try:
            self._put(Label(project=self._key, stamp=job.own_stamp, job=job.id))
        except ProviderError:
            return False
        return True

    def _explained(self, jobs: tuple[RemoteJob, ...]) -> tuple[RemoteJob, ...]:
        """Ask why the newest job of each model failed; the list does not say, and nobody reads of the older ones."""
        newest: dict[Address, RemoteJob] = {job.address: job for job in jobs}
        failed = {job.id for job in newest.values() if job.status == FAILED}
        return tuple(replace(job, error=self._tunes.tune(job.id).error) if job.id in failed else job for job in jobs)
