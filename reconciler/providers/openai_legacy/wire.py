"""JSON of the old dialect to nouns, pure. Files come as objects, settings as `hyperparams`, events without an id."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    FAILED,
    UNSTATED,
    FileId,
    JobDetails,
    JobError,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
)
from reconciler.providers.http.wire import LENIENT, STRICT, Reader, checked_id, decode, read_file
from reconciler.providers.openai_legacy.labels import ECHOED, Request

Number = int | float
_ERROR = "error"
_PLACE = re.compile("[0-9]{1,18}")
_NAMED = Reader(names=frozenset({"filename"}))
"""Of a job's files only the names matter: they say whether the job may be ours."""


class _TuneEventObject(msgspec.Struct):
    created_at: Any = None
    level: Any = None
    message: Any = None


class _TuneObject(msgspec.Struct):
    id: str
    status: Any = None
    created_at: Any = None
    updated_at: Any = None
    model: str | None = None
    fine_tuned_model: str | None = None
    hyperparams: Any = None
    training_files: list[msgspec.Raw] | None = None
    validation_files: list[msgspec.Raw] | None = None
    result_files: Any = None
    events: Any = None


class _TuneEventsObject(msgspec.Struct):
    data: list[_TuneEventObject] | None


class Tune(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it describes itself, ours or not.

    Shape:  `settings` as stated or chosen by the service, without those it has not chosen yet; `events` are there
            only where one job was asked for
    """

    id: JobId
    status: JobStatus
    created_at: int
    updated_at: int
    base: str
    model: ModelId | None = None
    training: tuple[RemoteFile, ...] = ()
    validation: tuple[RemoteFile, ...] = ()
    results: tuple[FileId, ...] = ()
    settings: Mapping[str, object] = msgspec.field(default_factory=dict)
    events: tuple[JobEvent, ...] = ()

    @property
    def files(self) -> tuple[FileId, ...]:
        return tuple(file.id for file in (*self.training, *self.validation))

    @property
    def request(self) -> Request:
        """What the job was asked to be, as far as it says."""
        return Request(
            base=self.base, training=_first(self.training), validation=_first(self.validation), settings=self.settings
        )

    @property
    def error(self) -> JobError | None:
        """Why the job failed: its last event of level error, because a job has no other place for it."""
        errors = [event.message for event in self.events if event.level == _ERROR and event.message]
        return JobError(message=errors[-1]) if errors and self.status == FAILED else None


def read_tune(body: bytes | msgspec.Raw) -> Tune:
    """Read a fine-tune object. What says nothing of whose it is, is read leniently.

    Raises: MalformedError also for one on a file of our kind without a time that can be read: it may be ours
    """
    found = decode(body, _TuneObject)
    job = JobId(checked_id(found.id))
    settings = found.hyperparams if isinstance(found.hyperparams, dict) else {}
    training, validation = _files(found.training_files), _files(found.validation_files)
    is_perhaps_ours = any(file.stamp for file in (*training, *validation))
    status = LENIENT.text("status", found.status)
    return Tune(
        id=job,
        status=JobStatus(status) if status else UNSTATED,
        created_at=(STRICT if is_perhaps_ours else LENIENT).number("date", found.created_at) or 0,
        updated_at=LENIENT.number("date", found.updated_at) or 0,
        base=found.model or "",
        model=ModelId(found.fine_tuned_model) if found.fine_tuned_model else None,
        training=training,
        validation=validation,
        results=_result_files(found.result_files),
        settings={name: settings[name] for name in ECHOED if settings.get(name) is not None},
        events=_number_events(job, _events(found.events)),
    )


def read_events(body: bytes, job: JobId) -> tuple[JobEvent, ...]:
    """Read all events of a job, oldest first.

    Events have no id of their own; the list only ever grows at its end, so an event's place in it names it.
    """
    return _number_events(job, decode(body, _TuneEventsObject).data or [])


def place_of(event: str | None, job: JobId) -> int:
    """Return how many events of a job come up to this one; 0 for an id that is no event of it."""
    owner, _, place = (event or "").rpartition(":")
    return int(place) if owner == job and _PLACE.fullmatch(place) else 0


def job_of(tune: Tune, stamp: Stamp | None) -> RemoteJob:
    """Return a job as it describes itself, with its stamp when it is ours; it ended when it was last updated."""
    return RemoteJob(
        id=tune.id,
        stamp=stamp,
        status=tune.status,
        created_at=tune.created_at,
        base=tune.base,
        finished_at=(tune.updated_at or None) if tune.status.is_terminal else None,
        model=tune.model,
        training_file=_first(tune.training),
        validation_file=_first(tune.validation),
        error=tune.error,
        details=JobDetails(
            hyperparameters=tuple(sorted((name, str(value)) for name, value in tune.settings.items())),
            result_files=tune.results,
        ),
    )


def _number_events(job: JobId, events: list[_TuneEventObject]) -> tuple[JobEvent, ...]:
    return tuple(
        JobEvent(
            id=f"{job}:{number}",
            created_at=LENIENT.number("date", event.created_at) or 0,
            level=LENIENT.text("level", event.level) or "info",
            message=LENIENT.text("message", event.message) or "",
        )
        for number, event in enumerate(events, start=1)
    )


def _events(found: Any) -> list[_TuneEventObject]:
    try:
        return msgspec.convert(found, list[_TuneEventObject])
    except msgspec.ValidationError:
        return []


def _result_files(found: Any) -> tuple[FileId, ...]:
    ids = (each.get("id") if isinstance(each, dict) else each for each in (found if isinstance(found, list) else ()))
    return tuple(FileId(each) for each in ids if isinstance(each, str) and each)


def _files(found: list[msgspec.Raw] | None) -> tuple[RemoteFile, ...]:
    return tuple(_file(each) for each in found or ())


def _file(raw: msgspec.Raw) -> RemoteFile:
    # Some servers give ids where the API has objects.
    if bytes(raw).lstrip().startswith(b'"'):
        return RemoteFile(id=FileId(checked_id(decode(raw, str))))
    # Servers leave the purpose out of the files of a job; what trains is for training.
    file = read_file(raw, _NAMED)
    return replace(file, stamp=Stamp.of_filename(file.filename))


def _first(files: tuple[RemoteFile, ...]) -> FileId | None:
    return files[0].id if files else None
