"""The Python door: the port in front of the service in memory, where every call may go wrong."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from reconciler.domain.desired import Dataset, Model
from reconciler.domain.errors import DeniedError, MalformedError, ProviderError, RejectedError, TemporaryError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobId, ModelId, Observed, RemoteFile, RemoteJob
from reconciler.domain.ports import Capabilities, Done, Refused, Unknown, Write
from reconciler.testing.memory import MemoryProvider
from tests.simulation.boundary import Boundary
from tests.simulation.faults import Fate
from tests.simulation.state import Lag

T = TypeVar("T")

_REFUSALS: tuple[Callable[[], ProviderError], ...] = (
    lambda: RejectedError("no \x1b[31msuch\x1b[0m thing \u202e", status=400),
    lambda: DeniedError("no right", status=403, code="training_not_available"),
    lambda: TemporaryError("too many", status=429),
)


class PortDoor:
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
        self._boundary.ledger.looking(self._boundary.book)
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
        key, fate = self._boundary.cross(what)
        if fate in {Fate.NO_ROAD, Fate.UNDELIVERED, Fate.UNCLEAR, Fate.CUT}:
            self._boundary.no_answer(key, self.capabilities.send_seconds)
            raise TemporaryError("the service is away", status=503)
        if fate is Fate.REFUSED:
            raise _REFUSALS[self._boundary.decider.pick(key, len(_REFUSALS))]()
        if fate is Fate.FOREIGN:
            raise MalformedError("the list may not be whole")
        found = look()
        self._boundary.ended(fate)
        return found

    def _write(self, verb: str, target: str, send: Callable[[], Write[T]]) -> Write[T]:
        boundary = self._boundary
        key, fate = boundary.cross(f"{verb} {target}", is_write=True)
        sent = boundary.ledger.sending(boundary.book, verb, target)
        if fate is Fate.NO_ROAD:
            return Refused(TemporaryError("the service could not be reached"))
        if fate is Fate.REFUSED:
            return Refused(_REFUSALS[boundary.decider.pick(key, len(_REFUSALS))]())
        effect = partial(boundary.ledger.effect, sent, send)
        if fate in {Fate.LATE, Fate.TOO_LATE, Fate.KILLED_LATE}:
            if fate is not Fate.KILLED_LATE:
                boundary.no_answer(key, self.capabilities.send_seconds)
            boundary.actor.stage.time.after(boundary.late(key, fate), effect)
            boundary.ended(fate)
            return Unknown("no answer came")
        if fate in {Fate.UNDELIVERED, Fate.UNCLEAR}:
            boundary.no_answer(key, self.capabilities.send_seconds)
            return Unknown("no answer came")
        done = effect()
        boundary.ended(fate)
        if fate is Fate.DONE:
            return done
        boundary.no_answer(key, self.capabilities.send_seconds)
        return Unknown("the answer could not be read") if isinstance(done, Done) else done
