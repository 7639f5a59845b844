"""The provider port in front of the service in memory, where every call may go wrong."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import DeniedError, MalformedError, ProviderError, RejectedError, TemporaryError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobId, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.ports import Capabilities, Done, Refused, Unknown, Write
from reconciler.testing import MemoryProvider
from tests.simulation.boundary import Boundary
from tests.simulation.faults import CallOutcome
from tests.simulation.state import Lag

T = TypeVar("T")

_REFUSALS: tuple[Callable[[], ProviderError], ...] = (
    lambda: RejectedError("no \x1b[31msuch\x1b[0m thing \u202e", status=400),
    lambda: DeniedError("no right", status=403, code="training_not_available"),
    lambda: TemporaryError("too many", status=429),
)


class FaultyPort:
    """The service in memory as one run of one actor reaches it. What it does not name is not asked for by a run."""

    def __init__(self, memory: MemoryProvider, boundary: Boundary, lag: Lag) -> None:
        self._memory, self._boundary, self._lag = memory, boundary, lag
        self.name = memory.name
        self.capabilities: Capabilities = boundary.capabilities

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def service_time(self) -> float | None:
        return self._boundary.actor.now

    def observe(self) -> Observed:
        seen = self._read("observe", self._shown)
        return replace(
            seen,
            jobs=tuple(job for job in seen.jobs if self._lag.shows(job.id)),
            files=tuple(file for file in seen.files if self._lag.shows(file.id)),
        )

    def jobs_of(self, stamp: Stamp) -> tuple[RemoteJob, ...]:
        found = self._read(f"list jobs {stamp.address.name}", lambda: self._memory.jobs_of(stamp))
        return tuple(job for job in found if self._lag.shows(job.id))

    def job(self, job: JobId) -> RemoteJob:
        return self._read("read job", lambda: self._memory.job(job))

    def file(self, file: FileId) -> RemoteFile:
        return self._read("read file", lambda: self._memory.file(file))

    def find_file(self, dataset: Dataset) -> RemoteFile | None:
        observed = self._read(f"list files {dataset.name}", self._shown)
        same = [
            file
            for file in observed.files
            if (file.filename, file.size_bytes) == dataset.file_key and self._lag.shows(file.id)
        ]
        return min(same, key=lambda file: (file.created_at, file.id), default=None)

    def _shown(self) -> Observed:
        self._boundary.invariants.looking(self._boundary.record)
        return self._memory.observe()

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        content = tuple(blocks)
        return self._write("upload", dataset.name, lambda: self._memory.upload(dataset, iter(content)))

    def create_job(
        self,
        model: Model,
        training: FileId,
        validation: FileId | None,
        supersedes: tuple[JobId, ...],
        token: str = "",
    ) -> Write[RemoteJob]:
        send = partial(self._memory.create_job, model, training, validation, supersedes, token)
        return self._write("train", str(model.stamp), send)

    def cancel(self, job: JobId) -> Write[RemoteJob]:
        return self._write("cancel", job, lambda: self._memory.cancel(job))

    def delete(self, thing: FileId | ModelId, is_model: bool) -> Write[None]:
        return self._write("delete", thing, lambda: self._memory.delete(thing, is_model))

    def _read(self, what: str, look: Callable[[], T]) -> T:
        key, outcome = self._boundary.cross(what)
        if outcome in {CallOutcome.NO_CONNECTION, CallOutcome.UNDELIVERED, CallOutcome.UNCLEAR, CallOutcome.CUT}:
            self._boundary.no_answer(key, self.capabilities.send_seconds)
            raise TemporaryError("the service is away", status=503)
        if outcome is CallOutcome.REFUSED:
            raise _REFUSALS[self._boundary.decider.pick(key, len(_REFUSALS))]()
        if outcome is CallOutcome.FOREIGN:
            raise MalformedError("the list may not be whole")
        found = look()
        self._boundary.ended(outcome)
        return found

    def _write(self, verb: str, target: str, send: Callable[[], Write[T]]) -> Write[T]:
        boundary = self._boundary
        key, outcome = boundary.cross(f"{verb} {target}", is_write=True)
        sent = boundary.invariants.sending(boundary.record, verb, target)
        if outcome is CallOutcome.NO_CONNECTION:
            return Refused(TemporaryError("the service could not be reached"))
        if outcome is CallOutcome.REFUSED:
            return Refused(_REFUSALS[boundary.decider.pick(key, len(_REFUSALS))]())
        effect = partial(boundary.invariants.effect, sent, send)
        if outcome in {CallOutcome.LATE, CallOutcome.TOO_LATE, CallOutcome.KILLED_LATE}:
            if outcome is not CallOutcome.KILLED_LATE:
                boundary.no_answer(key, self.capabilities.send_seconds)
            boundary.actor.scheduler.time.after(boundary.late(key, outcome), effect)
            boundary.ended(outcome)
            return Unknown("no answer came")
        if outcome in {CallOutcome.UNDELIVERED, CallOutcome.UNCLEAR}:
            boundary.no_answer(key, self.capabilities.send_seconds)
            return Unknown("no answer came")
        done = effect()
        boundary.ended(outcome)
        if outcome is CallOutcome.DONE:
            return done
        boundary.no_answer(key, self.capabilities.send_seconds)
        return Unknown("the answer could not be read") if isinstance(done, Done) else done
