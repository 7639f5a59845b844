"""Permissions: which projects may use a checkpoint. Kept and shown; a store has one project, and enforces none."""

import sqlite3

import msgspec

from reconciler.service.errors import no_permission
from reconciler.service.store.paging import Cursor, Listing, Page, page


class PermissionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One project that may use one checkpoint."""

    id: str
    checkpoint: str
    project: str
    created_at: int


def add_permission(db: sqlite3.Connection, permission: PermissionRecord) -> None:
    """Write a permission down."""
    db.execute(
        "INSERT INTO permissions (id, checkpoint, project, created_at) VALUES (?, ?, ?, ?)",
        (permission.id, permission.checkpoint, permission.project, permission.created_at),
    )


def list_permissions(
    db: sqlite3.Connection, checkpoint: str, cursor: Cursor, project: str | None
) -> Page[PermissionRecord]:
    """Read a page of a checkpoint's permissions: those of one project, where it is named."""
    narrowed = () if project is None else ("project = ?",)
    listing = Listing(
        table="permissions",
        where=narrowed,
        values=() if project is None else (project,),
        scope=(("checkpoint", checkpoint),),
    )
    found = page(db, listing, cursor)
    return Page(items=tuple(_record(row) for row in found.items), has_more=found.has_more)


def find_permission(db: sqlite3.Connection, checkpoint: str, project: str) -> PermissionRecord | None:
    """Look up whether a project has a checkpoint's permission already."""
    query = "SELECT * FROM permissions WHERE checkpoint = ? AND project = ?"
    row = db.execute(query, (checkpoint, project)).fetchone()
    return _record(row) if row else None


def delete_permission(db: sqlite3.Connection, checkpoint: str, permission: str) -> None:
    """Withdraw a permission.

    Raises: ApiError when the checkpoint has none of that id
    """
    query = "DELETE FROM permissions WHERE checkpoint = ? AND id = ?"
    if not db.execute(query, (checkpoint, permission)).rowcount:
        raise no_permission(permission)


def _record(row: sqlite3.Row) -> PermissionRecord:
    return PermissionRecord(
        id=row["id"], checkpoint=row["checkpoint"], project=row["project"], created_at=row["created_at"]
    )
