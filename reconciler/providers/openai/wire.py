"""JSON to nouns, pure. Members that are not known are passed over; nulls mean absence, in all their shapes."""

import math
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import MalformedError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    JobError,
    JobEvent,
    JobId,
    JobStatus,
    ModelId,
    RemoteFile,
    RemoteJob,
)
from reconciler.providers.openai.stamps import Garbled, Marks, read_marks

T = TypeVar("T")
Number = int | float
_UNSAID = JobStatus("unknown")
"""The status of a job that the service says nothing about: alive, like every word that is not terminal."""

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
    filename: str | None = None
    bytes: Number | None = None
    created_at: Number | None = None
    purpose: str | None = None
    status: str | None = None


class _Job(msgspec.Struct):
    id: str
    status: str | None = None
    created_at: Number | None = None
    finished_at: Number | None = None
    estimated_finish: Number | None = None
    model: str | None = None
    fine_tuned_model: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    trained_tokens: Number | None = None
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
    shutdown_date: str | None = None


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


class SeenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with the purpose that it was uploaded for."""

    file: RemoteFile
    purpose: str


class SeenJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job, whosever it is. `job` and `marks` are there when it is ours; `is_garbled` when it claims to be."""

    id: str
    is_active: bool
    files: tuple[FileId, ...] = ()
    job: RemoteJob | None = None
    marks: Marks | None = None
    is_garbled: bool = False


def read_page(body: bytes) -> Page:
    """Read a list's envelope and the ids of its items."""
    page = decoded(body, _Page)
    entries = page.data or ()
    named = tuple((head, item) for item in entries if (head := _head(item)))
    return Page(
        items=tuple((head.id, item) for head, item in named),
        has_more=page.has_more,
        made=tuple(whole(head.created_at) for head, _ in named),
        nameless=len(entries) - len(named),
    )


def _head(item: msgspec.Raw) -> _Head | None:
    try:
        head = decoded(item, _Head)
    except MalformedError:
        return None
    return head if head.id else None


def read_file(body: bytes | msgspec.Raw) -> SeenFile:
    """Read a file object."""
    found = decoded(body, _File)
    filename = found.filename or ""
    return SeenFile(
        file=RemoteFile(
            id=FileId(sound(found.id)),
            filename=filename,
            size_bytes=whole(found.bytes) or 0,
            created_at=whole(found.created_at) or 0,
            status=found.status,
            stamp=Stamp.of_filename(filename),
        ),
        purpose=found.purpose or "",
    )


def read_job(body: bytes | msgspec.Raw, project: str) -> SeenJob:
    """Read a job object, whosever it is."""
    found = decoded(body, _Job)
    status = JobStatus(found.status) if found.status else _UNSAID
    files = tuple(FileId(each) for each in (found.training_file, found.validation_file) if each)
    marks = read_marks(found.metadata, project)
    seen = SeenJob(id=sound(found.id), is_active=status.is_active, files=files)
    if isinstance(marks, Marks):
        return replace(seen, job=_ours(found, status, marks), marks=marks)
    return replace(seen, is_garbled=isinstance(marks, Garbled))


def read_event(body: bytes | msgspec.Raw) -> JobEvent:
    """Read one line of a job's log; of its data, the numbers."""
    found = decoded(body, _Event)
    data = found.data if isinstance(found.data, dict) else {}
    return JobEvent(
        id=found.id,
        created_at=whole(found.created_at) or 0,
        level=found.level or "info",
        message=found.message or "",
        metrics=tuple((name, value) for name, value in data.items() if _is_number(value)),
    )


def read_checkpoint(body: bytes | msgspec.Raw) -> Checkpoint:
    """Read a model saved in the middle of a job."""
    found = decoded(body, _Checkpoint)
    return Checkpoint(
        id=found.id,
        model=ModelId(found.fine_tuned_model_checkpoint),
        step=whole(found.step_number) or 0,
        created_at=whole(found.created_at) or 0,
    )


def read_model(body: bytes | msgspec.Raw) -> tuple[ModelId, str | None]:
    """Read a model's id, and the day it ends if the service says one."""
    found = decoded(body, _Model)
    return ModelId(sound(found.id)), found.shutdown_date or None


def read_deleted(body: bytes) -> None:
    """Read that something was deleted; anything else is not an answer to that."""
    if not decoded(body, _Deleted).deleted:
        raise MalformedError("the service answered a deletion without saying that it deleted")


def _ours(found: _Job, status: JobStatus, marks: Marks) -> RemoteJob:
    return RemoteJob(
        id=JobId(found.id),
        stamp=marks.stamp,
        status=status,
        created_at=whole(found.created_at) or 0,
        base=found.model or "",
        finished_at=whole(found.finished_at) or None,
        estimated_finish=whole(found.estimated_finish) or None,
        model=ModelId(found.fine_tuned_model) if found.fine_tuned_model else None,
        training_file=FileId(found.training_file) if found.training_file else None,
        validation_file=FileId(found.validation_file) if found.validation_file else None,
        trained_tokens=whole(found.trained_tokens),
        error=read_error(found.error),
        facts=marks.facts,
        supersedes=marks.supersedes,
    )


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


def whole(value: Number | None) -> int | None:
    """Return a count, size or time; None where the service says none that can be."""
    return int(value) if _is_number(value) and value is not None else None


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _TOO_LARGE
    return isinstance(value, float) and math.isfinite(value)


def sound(item_id: str) -> str:
    """Return an id that is one."""
    if not item_id:
        raise MalformedError("the service answered with an empty id; nothing was concluded from it")
    return item_id


def decoded(body: bytes | msgspec.Raw, shape: type[T]) -> T:
    """Read JSON in a shape; MalformedError when it has another."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        name = shape.__name__.strip("_").lower()
        raise MalformedError(f"the service's answer is not a {name}: {str(error)[:200]}") from error
