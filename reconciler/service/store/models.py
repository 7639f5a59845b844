"""Trained models, their checkpoints, and the permissions of checkpoints, which are shown but not enforced."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.foundation.private import child_path
from reconciler.service.errors import no_permission_error
from reconciler.service.store.database import Store
from reconciler.service.store.rows import PageCursor, RowPage, TableView, insert, read_page, select


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Trained weights. `folder` is in the folder of the job that made them."""

    id: str
    base: str
    job: str
    folder: str
    checkpoint: bool
    created_at: int


class CheckpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The model after one step of a job, with the measurements of that step."""

    id: str
    job: str
    created_at: int
    model: str
    step: int
    metrics: Mapping[str, float]


def add_model(db: sqlite3.Connection, model: ModelRecord) -> None:
    """List a model whose weights are in place already."""
    insert(db, "models", model)


def find_model(db: sqlite3.Connection, model: str) -> ModelRecord | None:
    """Return a model, or None when it does not exist."""
    return next(select(db, ModelRecord, "models", "WHERE id = ?", (model,)), None)


def list_models(db: sqlite3.Connection) -> tuple[ModelRecord, ...]:
    """Return every finished model, oldest first. Checkpoints are found by their jobs."""
    return tuple(select(db, ModelRecord, "models", "WHERE NOT checkpoint ORDER BY seq"))


def delete_model(db: sqlite3.Connection, model: ModelRecord) -> None:
    """Delete a model and its checkpoints. Their weights are deleted after the transaction."""
    db.execute("DELETE FROM models WHERE job = ?", (model.job,))


def add_checkpoint(db: sqlite3.Connection, checkpoint: CheckpointRecord) -> None:
    """List a checkpoint of a job."""
    insert(db, "checkpoints", checkpoint)


def list_checkpoints(db: sqlite3.Connection, job: str, cursor: PageCursor) -> RowPage[CheckpointRecord]:
    """Read a page of a job's checkpoints, latest step first."""
    return read_page(db, TableView(record=CheckpointRecord, table="checkpoints", scope=(("job", job),)), cursor)


def weights_path(store: Store, model: ModelRecord) -> Path:
    """Return the path of the weights of a model."""
    return child_path(job_weights_path(store, model.job), model.folder)


def job_weights_path(store: Store, job: str) -> Path:
    """Return the path of the folder that holds the weights of a job's checkpoints."""
    return child_path(store.models, job)


class PermissionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One project that may use one checkpoint."""

    id: str
    checkpoint: str
    project: str
    created_at: int


def add_permission(db: sqlite3.Connection, permission: PermissionRecord) -> None:
    """Store a permission."""
    insert(db, "permissions", permission)


def list_permissions(
    db: sqlite3.Connection, checkpoint: str, cursor: PageCursor, project: str | None
) -> RowPage[PermissionRecord]:
    """Read a page of a checkpoint's permissions, or those of one project."""
    view = TableView(
        record=PermissionRecord,
        table="permissions",
        where=() if project is None else ("project = ?",),
        values=() if project is None else (project,),
        scope=(("checkpoint", checkpoint),),
    )
    return read_page(db, view, cursor)


def find_permission(db: sqlite3.Connection, checkpoint: str, project: str) -> PermissionRecord | None:
    """Return the permission that a project has for a checkpoint already."""
    rest = "WHERE checkpoint = ? AND project = ?"
    return next(select(db, PermissionRecord, "permissions", rest, (checkpoint, project)), None)


def delete_permission(db: sqlite3.Connection, checkpoint: str, permission: str) -> None:
    """Withdraw a permission.

    Raises: ApiError when the checkpoint has none of that id
    """
    query = "DELETE FROM permissions WHERE checkpoint = ? AND id = ?"
    if not db.execute(query, (checkpoint, permission)).rowcount:
        raise no_permission_error(permission)
