"""JSON that most services share: pages, files, models and errors, as nouns. Pure.

Members that are not known are passed over; null means absence, in all its shapes.
"""

import math
from typing import Any, TypeVar

import msgspec

from reconciler.domain.errors import MalformedError
from reconciler.domain.identity import Stamp
from reconciler.domain.observed import FileId, JobError, ModelId, RemoteFile, RemoteModel

T = TypeVar("T")

PURPOSE = "fine-tune"
"""What every file of ours is uploaded for."""

OWN_PREFIX = "reconciler"
"""How the names of our labels and notes begin."""

Number = int | float

_TOO_LARGE = 2**63
"""No count, size or time is as large as this; a number that is says nothing."""


class _FileObject(msgspec.Struct):
    id: str
    filename: Any = None
    purpose: Any = None
    bytes: Any = None
    created_at: Any = None
    expires_at: Any = None
    status: Any = None
    status_details: Any = None


class _ModelObject(msgspec.Struct):
    id: str
    created: Any = None
    owned_by: Any = None
    shutdown_date: Any = None


class _Deleted(msgspec.Struct):
    deleted: bool


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Takes members out of an object.

    Shape:  where `is_strict`, a member of another type is an error, because a plan rests on the object; else it says
            nothing, because a person only looks; `names` are the only members that are read strictly, if there are any
    """

    is_strict: bool = True
    names: frozenset[str] = frozenset()

    def _rests_on(self, name: str) -> bool:
        return self.is_strict and (not self.names or name in self.names)

    def text(self, name: str, value: Any) -> str | None:
        """Return a text that says something."""
        if self._rests_on(name) and not isinstance(value, str | None):
            raise MalformedError(f"the service's answer has a {name} that is no text")
        return value if isinstance(value, str) and value else None

    def number(self, name: str, value: Any) -> int | None:
        """Return a count, size or time that can be."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self._rests_on(name) and not is_number and value is not None:
            raise MalformedError(f"the service's answer has a {name} that is no number")
        return to_int(value) if is_number else None


STRICT = Reader()
LENIENT = Reader(is_strict=False)
FOREIGN = Reader(names=frozenset({"training_file", "validation_file", "model"}))
"""Reads what is not ours: only the files and the base that it uses matter to a plan, which never deletes them."""


def read_file(body: bytes | msgspec.Raw, reader: Reader = STRICT) -> RemoteFile:
    """Read a file object. A name of our kind counts only on a file for fine-tuning."""
    found = decode(body, _FileObject)
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


def read_listed_file(body: bytes | msgspec.Raw, reader: Reader) -> RemoteFile:
    """Read a file of a list. One that does not bear our kind of name is read leniently: no plan rests on it."""
    found = read_file(body, LENIENT)
    is_ours = Stamp.of_filename(found.filename) is not None or found.filename.startswith(OWN_PREFIX)
    return read_file(body, reader) if is_ours and reader.is_strict else found


def read_model(body: bytes | msgspec.Raw, reader: Reader = STRICT) -> RemoteModel:
    """Read a model object, with the day on which it ends if the service says one."""
    found = decode(body, _ModelObject)
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
    return int(value) if is_number(value) and value is not None else None


def is_number(value: Any) -> bool:
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
        name = shape.__name__.strip("_").removesuffix("Object").lower()
        raise MalformedError(f"the service's answer is not a {name}: {str(error)[:200]}") from error
