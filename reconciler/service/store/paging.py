"""Pages through a table by cursor: the rows that come after one named row, in the order in which rows came to be."""

import sqlite3
from typing import Generic, TypeVar

import msgspec

from reconciler.service.errors import no_cursor

T = TypeVar("T")


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is wanted: so many rows after the one named, newest first unless `ascending`.

    Shape:  where `kind`, an `after` that was never in the list gives an empty page instead of a refusal
    """

    limit: int
    after: str | None = None
    ascending: bool = False
    kind: bool = False


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows of a list, and whether more come after them."""

    items: tuple[T, ...]
    has_more: bool


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A table, seen through conditions that every listed row meets.

    Shape:  `where` holds SQL with one `?` for each of `values`; a cursor may name any row that meets `scope`
    """

    table: str
    columns: str = "*"
    where: tuple[str, ...] = ()
    values: tuple[object, ...] = ()
    scope: tuple[tuple[str, object], ...] = ()


def page(db: sqlite3.Connection, listing: Listing, cursor: Cursor) -> Page[sqlite3.Row]:
    """Read one page.

    Raises: ApiError when the cursor names nothing that was ever in the list
    """
    conditions = [*listing.where, *(f"{column} = ?" for column, _ in listing.scope)]
    values = [*listing.values, *(value for _, value in listing.scope)]
    if cursor.after is not None:
        position = _position(db, listing, cursor.after)
        if position is None:
            if cursor.kind:
                return Page(items=(), has_more=False)
            raise no_cursor(cursor.after)
        conditions.append("seq > ?" if cursor.ascending else "seq < ?")
        values.append(position)
    # Every part of the text is a constant of this program; what a request says is bound.
    query = f"SELECT {listing.columns} FROM {listing.table}"  # noqa: S608
    if conditions:
        query += f" WHERE {' AND '.join(conditions)}"
    query += f" ORDER BY seq {'ASC' if cursor.ascending else 'DESC'} LIMIT ?"
    rows = db.execute(query, (*values, cursor.limit + 1)).fetchall()
    return Page(items=tuple(rows[: cursor.limit]), has_more=len(rows) > cursor.limit)


def _position(db: sqlite3.Connection, listing: Listing, after: str) -> int | None:
    scope = "".join(f" AND {column} = ?" for column, _ in listing.scope)
    query = f"SELECT seq FROM {listing.table} WHERE id = ?{scope}"  # noqa: S608 (constants of this program)
    row = db.execute(query, (after, *(value for _, value in listing.scope))).fetchone()
    return None if row is None else int(row["seq"])
