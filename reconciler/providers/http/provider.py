"""The port of any HTTP service: a client and a dialect, composed. Asks, sends and reports; decides nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import msgspec

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import NotFoundError, ProviderError, RejectedError
from reconciler.domain.identity import Stamp
from reconciler.domain.lock import name_service
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
)
from reconciler.domain.ports import AtEnd, Capabilities, Done, Message, Refused, RemoteNote, Unknown, Write, ignore_end
from reconciler.providers.http.client import Client, segment
from reconciler.providers.http.dialect import Dialect, NewJob, Session
from reconciler.providers.http.files import Files
from reconciler.providers.http.inference import ask
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.wire import LENIENT, Reader, read_deleted, read_model
from reconciler.providers.profile import Profile

_COMPLETION_TOKENS = 256
"""The API's own default for completions is 16 tokens, which cuts answers in the middle of a sentence."""


class HttpProvider:
    """A service, seen as the port of one project. Safe to use from several threads."""

    def __init__(
        self,
        client: Client,
        dialect: Dialect,
        profile: Profile,
        *,
        project: str,
        sleep: Callable[[float], None],
        origin: str = "",
        environment: str | None = None,
    ) -> None:
        self._client = client
        self._dialect = dialect
        self._profile = profile
        self._project = project
        self._origin = origin
        self._environment = environment
        self._sleep = sleep
        self._files = Files(client, dialect.files)
        self._jobs = dialect.jobs(Session(client=client, files=self._files, profile=profile, project=project))

    def __enter__(self) -> "HttpProvider":
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
        """Look at everything once: models beside files and jobs."""
        warnings = ListWarnings()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="observe") as pool:
            models_later = pool.submit(lambda: tuple(self._models(warnings, LENIENT)))
            seen = self._jobs.observe()
            models = models_later.result()
        account = self._client.account
        return Observed(
            service=name_service(self._profile.label or self._client.host, account.organization, account.project),
            host=self._client.host,
            files=seen.files,
            jobs=seen.jobs,
            models=frozenset(model.id for model in models),
            retiring=tuple(sorted((model.id, model.shutdown_date) for model in models if model.shutdown_date)),
            files_in_use=seen.files_in_use,
            bases_in_use=seen.bases_in_use,
            contradictions=seen.contradictions,
            unmarked=seen.unmarked,
            list_warnings=(*seen.list_warnings, *warnings.words, *account.warnings),
            organization=account.organization,
            project=account.project,
            region=account.region,
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        return self._jobs.jobs_of(stamp)

    def unmarked_jobs(self) -> tuple[RemoteJob, ...]:
        return self._jobs.unmarked_jobs()

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        return self._files.find(dataset)

    def list_files(self) -> Inventory[RemoteFile]:
        warnings = ListWarnings()
        files = newest_first(self._files.list(warnings, None, LENIENT))
        return Inventory(items=files, list_warnings=tuple(warnings.words))

    def list_jobs(self) -> Inventory[RemoteJob]:
        warnings = ListWarnings()
        jobs = newest_first(self._jobs.list_all(warnings))
        return Inventory(items=jobs, list_warnings=tuple(warnings.words))

    def list_models(self) -> Inventory[RemoteModel]:
        warnings = ListWarnings()
        models = newest_first(self._models(warnings, LENIENT))
        return Inventory(items=models, list_warnings=tuple(warnings.words))

    def file(self, file: FileId) -> RemoteFile:
        return self._files.read(file)

    def job(self, job: JobId) -> RemoteJob:
        return self._jobs.job(job)

    def model(self, model: ModelId) -> RemoteModel:
        return read_model(self._client.get(f"{self._dialect.models_path}/{segment(model)}"), LENIENT)

    def events(self, job: JobId, after: str | None = None, most: int | None = None) -> Inventory[JobEvent]:
        return self._jobs.events(job, after, most)

    def checkpoints(self, job: JobId) -> Inventory[Checkpoint]:
        return self._jobs.checkpoints(job)

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        return self._files.content(file, most_bytes)

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        return self._files.upload(dataset, blocks)

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        request = NewJob(
            project=self._project,
            origin=self._origin,
            environment=self._environment,
            model=model,
            training=training,
            validation=validation,
            supersedes=supersedes,
            suffix_length=self.capabilities.suffix_length,
        )
        return self._jobs.create(request)

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        return self._jobs.cancel(job)

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]:
        """Delete a file or a model; what is not there any more counts as deleted.

        Cost:   one request; one more where its answer does not say that the thing was deleted
        """
        if is_model and not self.capabilities.deletes_models:
            what = f"{self.name} deletes no models through its API"
            return Refused(RejectedError(what, hint="delete it in the pages of the service"))
        path = f"{self._dialect.models_path if is_model else self._dialect.files.path}/{segment(thing)}"
        outcome = self._client.delete(path, read_deleted)
        if isinstance(outcome, Done):
            return outcome
        if isinstance(outcome, Refused) and not isinstance(outcome.error, NotFoundError):
            # Repeated on the way, so that the last attempt did not arrive says nothing of those before it.
            return outcome if outcome.error.status else Unknown(str(outcome.error))
        return self._look_after_delete(path, thing, outcome)

    def _look_after_delete(self, path: str, thing: str, outcome: Refused | Unknown) -> Write[None]:
        """Return how a deletion ended that was not answered with one: what is not there is deleted.

        A service that has no deletions says of what is there that there is nothing to delete.
        """
        try:
            self._client.get(path)
        except NotFoundError:
            return Done(None)
        except ProviderError as error:
            return Unknown(f"whether {thing} is there cannot be read: {error}")
        if isinstance(outcome, Unknown):
            return outcome
        return Refused(
            RejectedError(
                f"{self.name} says that there is no {thing} to delete, and shows it all the same",
                hint="it may have no deletions: delete it in the pages of the service",
            )
        )

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        return self._files.leave_note(name, content, lives_seconds)

    def notes(self) -> tuple[RemoteNote, ...]:
        return self._files.notes()

    def remove_note(self, note: FileId) -> Write[None]:
        return self.delete(note, is_model=False)

    def answer(self, model: ModelId, messages: tuple[Message, ...], at_end: AtEnd = ignore_end) -> Iterator[str]:
        if self._dialect.chat_path:
            turns = [{"role": message.role, "content": message.content} for message in messages]
            return self._ask(self._dialect.chat_path, {"model": model, "messages": turns}, at_end)
        if len(messages) != 1 or messages[0].role != "user":
            raise RejectedError(
                f"{model} completes a prompt and knows no conversation",
                hint="ask with one prompt, and nothing beside it",
            )
        return self.complete(model, messages[0].content, at_end)

    def complete(self, model: ModelId, prompt: str, at_end: AtEnd = ignore_end) -> Iterator[str]:
        body: dict[str, object] = {"model": model, "prompt": prompt, "max_tokens": _COMPLETION_TOKENS}
        return self._ask(self._dialect.completions_path, body, at_end)

    def _ask(self, path: str, body: dict[str, object], at_end: AtEnd) -> Iterator[str]:
        return ask(
            self._client, path, body, warmup_seconds=self._profile.warmup_seconds, sleep=self._sleep, at_end=at_end
        )

    def _models(self, warnings: ListWarnings, reader: Reader) -> Iterator[RemoteModel]:
        read: Callable[[msgspec.Raw], RemoteModel] = lambda item: read_model(item, reader)  # noqa: E731 (typed)
        return self._client.list_once("models", self._dialect.models_path, read, warnings)
