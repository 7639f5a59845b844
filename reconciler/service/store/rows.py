"""Rows as records: a record's fields are the columns of its table, and a list is read page by page.

A page is named by a cursor: the rows that come after one named row, in the order in which rows were made.
"""

import json
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec

from reconciler.service.errors import no_cursor_error
from reconciler.service.store.database import RESTORE, StoreError

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

_PLAIN = {str, int, float}


def insert(db: sqlite3.Connection, table: str, record: msgspec.Struct, **more: object) -> None:
    """Add a record to its table, with the columns that the record does not hold."""
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    for name in _readers(type(record)):
        if not isinstance(value := values[name], bool | NoneType):
            values[name] = json.dumps(msgspec.to_builtins(value))
    values |= more
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 (constants)


def select(
    db: sqlite3.Connection, record: type[R], tables: str, rest: str = "", values: Sequence[object] = ()
) -> Iterator[R]:
    """Yield the records that a query finds; `rest` is what follows the tables."""
    rows = db.execute(f"SELECT {columns(record)} FROM {tables} {rest}", tuple(values))  # noqa: S608 (constants)
    return (read_record(record, row) for row in rows)


def columns(record: type[msgspec.Struct]) -> str:
    """Return the columns of a record, as a query lists them."""
    return ", ".join(record.__struct_fields__)


def read_record(record: type[R], row: Sequence[Any]) -> R:
    """Read a row whose columns are those of the record, in order.

    Cost:   by position and not by name: a list may have ten thousand rows, and names cost more than all the rest
    """
    values = dict(zip(record.__struct_fields__, row, strict=True))
    try:
        for name, read in _readers(record).items():
            if values[name] is not None:
                values[name] = read(values[name])
        for name, kinds in _kinds(record):
            value = values[name]
            if not isinstance(value, kinds):
                raise TypeError(f"{name} is {type(value).__name__}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} is {value}")
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
        raise StoreError(f"a {record.__name__} of the store is damaged ({error}): {RESTORE}") from error
    return record(**values)


@cache
def _kinds(record: type[msgspec.Struct]) -> tuple[tuple[str, tuple[type, ...]], ...]:
    """Return the types that each column may have. A damaged database may hold any other."""
    found = []
    for field in msgspec.structs.fields(record):
        given = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
        kinds = {get_origin(each) or each for each in given}
        found.append((field.name, tuple(kinds | ({int} if float in kinds else set()))))
    return tuple(found)


def _json_reader(kind: Any) -> Callable[[Any], Any]:
    """Return a reader of JSON that checks the values and leaves numbers as they were written."""

    def read(text: Any) -> Any:
        value = json.loads(text)
        msgspec.convert(value, kind)
        # Python reads NaN and numbers beyond every bound, and no client does.
        json.dumps(value, allow_nan=False)
        return value

    return read


@cache
def _readers(record: type[msgspec.Struct]) -> dict[str, Callable[[Any], Any]]:
    """Return how columns are read that SQLite has no type for: booleans, and JSON for the others."""
    readers: dict[str, Callable[[Any], Any]] = {}
    for field in msgspec.structs.fields(record):
        optional = isinstance(field.type, UnionType)
        kind = next(arg for arg in get_args(field.type) if arg is not NoneType) if optional else field.type
        if kind is bool:
            readers[field.name] = bool
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            readers[field.name] = msgspec.json.Decoder(kind).decode
        elif kind not in _PLAIN:
            readers[field.name] = _json_reader(kind)
    return readers


class PageCursor(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted: so many rows after the one named, newest first unless `ascending`.

    Shape:  where `lenient`, an `after` that was never in the list gives an empty page instead of a refusal
    """

    limit: int
    after: str | None = None
    ascending: bool = False
    lenient: bool = False


class RowPage(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows of a list, and whether more come after them."""

    items: tuple[T, ...]
    has_more: bool


class TableView(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A table of records, seen through conditions that every listed row meets.

    Shape:  `where` holds SQL with one `?` for each of `values`; a cursor may name any row that meets `scope`
    """

    record: type[R]
    table: str
    where: tuple[str, ...] = ()
    values: tuple[object, ...] = ()
    scope: tuple[tuple[str, object], ...] = ()


def read_page(db: sqlite3.Connection, view: TableView[R], cursor: PageCursor) -> RowPage[R]:
    """Read one page.

    Raises: ApiError when the cursor names nothing that was ever in the list
    """
    conditions = [*view.where, *(f"{column} = ?" for column, _ in view.scope)]
    values = [*view.values, *(value for _, value in view.scope)]
    if cursor.after is not None:
        position = _position(db, view, cursor.after)
        if position is None:
            if cursor.lenient:
                return RowPage(items=(), has_more=False)
            raise no_cursor_error(cursor.after)
        conditions.append("seq > ?" if cursor.ascending else "seq < ?")
        values.append(position)
    # Every part of the text is a constant of this program; what a request says is bound.
    rest = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rest += f" ORDER BY seq {'ASC' if cursor.ascending else 'DESC'} LIMIT ?"
    records = tuple(select(db, view.record, view.table, rest, (*values, cursor.limit + 1)))
    return RowPage(items=records[: cursor.limit], has_more=len(records) > cursor.limit)


def _position(db: sqlite3.Connection, view: TableView[R], after: str) -> int | None:
    scope = "".join(f" AND {column} = ?" for column, _ in view.scope)
    query = f"SELECT seq FROM {view.table} WHERE id = ?{scope}"  # noqa: S608 (constants of this program)
    row = db.execute(query, (after, *(value for _, value in view.scope))).fetchone()
    return None if row is None else int(row["seq"])
