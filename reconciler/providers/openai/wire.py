"""JSON to nouns, pure. Members that are not known are passed over; nulls mean absence, in all their shapes."""

import math
from typing import Any, TypeVar

import msgspec

from reconciler.domain.errors import MalformedError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    UNSTATED,
    Checkpoint,
    FileId,
    JobDetails,
    JobError,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.providers.openai.stamps import PROJECT, Marks, read_marks

T = TypeVar("T")

PURPOSE = "fine-tune"
"""What every file of ours is uploaded for."""

Number = int | float

_TOO_LARGE = 2**63
"""No count, size or time is as large as this; a number that is says nothing."""


class _Head(msgspec.Struct):
    id: str
    created_at: Any = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw] | None
    has_more: bool | None = None


class _File(msgspec.Struct):
    id: str
    filename: Any = None
    purpose: Any = None
    bytes: Any = None
    created_at: Any = None
    expires_at: Any = None
    status: Any = None
    status_details: Any = None


class _Job(msgspec.Struct):
    id: str
    status: Any = None
    created_at: Any = None
    finished_at: Any = None
    estimated_finish: Any = None
    model: Any = None
    fine_tuned_model: Any = None
    method: Any = None
    hyperparameters: Any = None
    seed: Any = None
    suffix: Any = None
    training_file: Any = None
    validation_file: Any = None
    result_files: Any = None
    trained_tokens: Any = None
    error: Any = None
    metadata: Any = None


class _Event(msgspec.Struct):
    id: str
    created_at: Number | None = None
    level: str | None = None
    message: str | None = None
    data: Any = None


class _Checkpoint(msgspec.Struct):
    id: str
    fine_tuned_model_checkpoint: str
    step_number: Number = 0
    created_at: Number | None = None


class _Model(msgspec.Struct):
    id: str
    created: Any = None
    owned_by: Any = None
    shutdown_date: Any = None


class _Deleted(msgspec.Struct):
    deleted: bool


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list: items with their ids, not yet read.

    Shape:  `has_more` is None when the service does not say; `made` says when each item was made, where it says so;
            `nameless` counts the entries that have no id, which nobody can read
    """

    items: tuple[tuple[str, msgspec.Raw], ...]
    has_more: bool | None = None
    made: tuple[int | None, ...] = ()
    nameless: int = 0


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Takes members out of an object.

    Shape:  where `is_strict`, a member of another type is an error, because a plan rests on the object; else it says
            nothing, because a person only looks
    """

    is_strict: bool = True

    def text(self, name: str, value: Any) -> str | None:
        """Return a text that says something."""
        if self.is_strict and not isinstance(value, str | None):
            raise MalformedError(f"the service's answer has a {name} that is no text")
        return value if isinstance(value, str) and value else None

    def number(self, name: str, value: Any) -> int | None:
        """Return a count, size or time that can be."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.is_strict and not is_number and value is not None:
            raise MalformedError(f"the service's answer has a {name} that is no number")
        return to_int(value) if is_number else None


STRICT = Reader()
LENIENT = Reader(is_strict=False)


def read_page(body: bytes) -> Page:
    """Read a list's envelope and the ids of its items."""
    page = decode(body, _Page)
    entries = page.data or ()
    named = tuple((head, item) for item in entries if (head := _head(item)))
    return Page(
        items=tuple((head.id, item) for head, item in named),
        has_more=page.has_more,
        made=tuple(to_int(head.created_at) for head, _ in named),
        nameless=len(entries) - len(named),
    )


def _head(item: msgspec.Raw) -> _Head | None:
    try:
        head = decode(item, _Head)
    except MalformedError:
        return None
    return head if head.id else None


def read_file(body: bytes | msgspec.Raw, reader: Reader = STRICT) -> RemoteFile:
    """Read a file object. A name of our kind counts only on a file for fine-tuning."""
    found = decode(body, _File)
    filename, purpose = reader.text("filename", found.filename) or "", reader.text("purpose", found.purpose) or ""
    return RemoteFile(
        id=FileId(checked_id(found.id)),
        filename=filename,
        size_bytes=reader.number("size", found.bytes),
        created_at=reader.number("date", found.created_at),
        status=reader.text("status", found.status),
        stamp=Stamp.of_filename(filename) if purpose == PURPOSE else None,
        purpose=purpose,
        expires_at=LENIENT.number("date", found.expires_at),
        detail=LENIENT.text("detail", found.status_details),
    )


def read_job(body: bytes | msgspec.Raw, project: str, reader: Reader = STRICT) -> RemoteJob:
    """Read a job object. It has a stamp when it bears sound marks of the project."""
    found = decode(body, _Job)
    marks = read_marks(found.metadata, project)
    text, number = reader.text, reader.number
    model, status = text("fine_tuned_model", found.fine_tuned_model), text("status", found.status)
    training, validation = text("training_file", found.training_file), text("validation_file", found.validation_file)
    return RemoteJob(
        id=JobId(checked_id(found.id)),
        stamp=marks.stamp if isinstance(marks, Marks) else None,
        status=JobStatus(status) if status else UNSTATED,
        created_at=number("date", found.created_at),
        base=text("model", found.model) or "",
        finished_at=number("date", found.finished_at) or None,
        estimated_finish=number("date", found.estimated_finish) or None,
        model=ModelId(model) if model else None,
        training_file=FileId(training) if training else None,
        validation_file=FileId(validation) if validation else None,
        trained_tokens=number("number of tokens", found.trained_tokens),
        error=read_error(found.error),
        facts=marks.facts if isinstance(marks, Marks) else (),
        supersedes=marks.supersedes if isinstance(marks, Marks) else (),
        details=_details(found),
    )


def is_garbled(job: RemoteJob, project: str) -> bool:
    """Return whether a job's marks name a project, and the rest of them cannot be read or is not what was sealed."""
    return job.stamp is None and job.details.project == project


def read_event(body: bytes | msgspec.Raw) -> JobEvent:
    """Read one line of a job's log; of its data, the numbers."""
    found = decode(body, _Event)
    data = found.data if isinstance(found.data, dict) else {}
    return JobEvent(
        id=found.id,
        created_at=to_int(found.created_at) or 0,
        level=found.level or "info",
        message=found.message or "",
        metrics=tuple((name, value) for name, value in data.items() if _is_number(value)),
    )


def read_checkpoint(body: bytes | msgspec.Raw) -> Checkpoint:
    """Read a model saved in the middle of a job."""
    found = decode(body, _Checkpoint)
    return Checkpoint(
        id=found.id,
        model=ModelId(found.fine_tuned_model_checkpoint),
        step=to_int(found.step_number) or 0,
        created_at=to_int(found.created_at) or 0,
    )


def read_model(body: bytes | msgspec.Raw, reader: Reader = STRICT) -> RemoteModel:
    """Read a model object, with the day on which it ends if the service says one."""
    found = decode(body, _Model)
    return RemoteModel(
        id=ModelId(checked_id(found.id)),
        created_at=LENIENT.number("date", found.created),
        owner=LENIENT.text("owner", found.owned_by),
        shutdown_date=reader.text("shutdown date", found.shutdown_date),
    )


def read_deleted(body: bytes) -> None:
    """Read that something was deleted; anything else is not an answer to that."""
    if not decode(body, _Deleted).deleted:
        raise MalformedError("the service answered a deletion without saying that it deleted")


def _details(found: _Job) -> JobDetails:
    metadata = found.metadata if isinstance(found.metadata, dict) else {}
    method, hyperparameters = _method(found)
    results = found.result_files if isinstance(found.result_files, list) else []
    return JobDetails(
        method=method,
        hyperparameters=_pairs(hyperparameters),
        seed=LENIENT.number("seed", found.seed),
        suffix=LENIENT.text("suffix", found.suffix),
        result_files=tuple(FileId(file) for file in results if isinstance(file, str) and file),
        metadata=_pairs(metadata),
        project=LENIENT.text("project", metadata.get(PROJECT)),
    )


def _method(found: _Job) -> tuple[str | None, Any]:
    """Return the method and its hyperparameters: what the method says, else what stands beside it, as it used to."""
    method = found.method if isinstance(found.method, dict) else {}
    name = LENIENT.text("type", method.get("type"))
    inner = method.get(name) if name else None
    stated = inner.get("hyperparameters") if isinstance(inner, dict) else None
    return name, stated if isinstance(stated, dict) and stated else found.hyperparameters


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return ()
    return tuple(sorted((str(name), _json(item)) for name, item in value.items() if item is not None))


def _json(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def read_error(value: Any) -> JobError | None:
    """Read why a job failed; None when nothing is wrong."""
    # Absent, null, {} and an object of nulls have all been seen, and all mean that nothing is wrong.
    if isinstance(value, str) and value:
        return JobError(message=value)
    if not isinstance(value, dict):
        return None
    code, message, param = (_word(value.get(name)) for name in ("code", "message", "param"))
    return JobError(message=message or "", code=code, param=param) if code or message else None


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def to_int(value: Number | None) -> int | None:
    """Return a count, size or time; None where the service says none that can be."""
    return int(value) if _is_number(value) and value is not None else None


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _TOO_LARGE
    return isinstance(value, float) and math.isfinite(value)


def checked_id(item_id: str) -> str:
    """Return an id that is one."""
    if not item_id:
        raise MalformedError("the service answered with an empty id; nothing was concluded from it")
    return item_id


def decode(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """Read JSON in a shape; MalformedError when it has another."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        name = shape.__name__.strip("_").lower()
        raise MalformedError(f"the service's answer is not a {name}: {str(error)[:200]}") from error
