"""Trained models and the checkpoints on the way to them."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec

from reconciler.service.errors import no_permission_error
from reconciler.service.store.database import PageCursor, RowPage, Store, TableView, read_page


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Trained weights that can be asked. `folder` lies in the folder of the job that made them."""

    id: str
    base: str
    job: str
    folder: str
    checkpoint: bool
    created_at: int


class CheckpointRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The model as it was after one step of a job, with what was measured then."""

    id: str
    job: str
    created_at: int
    model: str
    step: int
    metrics: Mapping[str, float]


def add_model(db: sqlite3.Connection, model: ModelRecord) -> None:
    """List a model whose weights lie in place already."""
    db.execute(
        "INSERT INTO models (id, base, job, folder, checkpoint, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (model.id, model.base, model.job, model.folder, int(model.checkpoint), model.created_at),
    )


def find_model(db: sqlite3.Connection, model: str) -> ModelRecord | None:
    """Look a model up; None when it is not there."""
    row = db.execute("SELECT * FROM models WHERE id = ?", (model,)).fetchone()
    return _model(row) if row else None


def list_models(db: sqlite3.Connection) -> tuple[ModelRecord, ...]:
    """Return every finished model, oldest first; checkpoints are found by their jobs."""
    return tuple(_model(row) for row in db.execute("SELECT * FROM models WHERE NOT checkpoint ORDER BY seq"))


def delete_model(db: sqlite3.Connection, model: ModelRecord) -> None:
    """Take a model and its checkpoints out of use; their weights go when the transaction is through."""
    db.execute("DELETE FROM models WHERE job = ?", (model.job,))


def add_checkpoint(db: sqlite3.Connection, checkpoint: CheckpointRecord) -> None:
    """List a checkpoint of a job."""
    db.execute(
        "INSERT INTO checkpoints (id, job, created_at, model, step, metrics) VALUES (?, ?, ?, ?, ?, ?)",
        (
            checkpoint.id,
            checkpoint.job,
            checkpoint.created_at,
            checkpoint.model,
            checkpoint.step,
            json.dumps(dict(checkpoint.metrics)),
        ),
    )


def list_checkpoints(db: sqlite3.Connection, job: str, cursor: PageCursor) -> RowPage[CheckpointRecord]:
    """Read a page of a job's checkpoints, latest step first."""
    found = read_page(db, TableView(table="checkpoints", scope=(("job", job),)), cursor)
    return RowPage(items=tuple(_checkpoint(row) for row in found.items), has_more=found.has_more)


def weights_path(store: Store, model: ModelRecord) -> Path:
    """Tell where the weights of a model lie."""
    return store.models / model.job / model.folder


def _model(row: sqlite3.Row) -> ModelRecord:
    return ModelRecord(
        id=row["id"],
        base=row["base"],
        job=row["job"],
        folder=row["folder"],
        checkpoint=bool(row["checkpoint"]),
        created_at=row["created_at"],
    )


def _checkpoint(row: sqlite3.Row) -> CheckpointRecord:
    return CheckpointRecord(
        id=row["id"],
        job=row["job"],
        created_at=row["created_at"],
        model=row["model"],
        step=row["step"],
        metrics=json.loads(row["metrics"]),
    )


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
    db: sqlite3.Connection, checkpoint: str, cursor: PageCursor, project: str | None
) -> RowPage[PermissionRecord]:
    """Read a page of a checkpoint's permissions: those of one project, where it is named."""
    narrowed = () if project is None else ("project = ?",)
    listing = TableView(
        table="permissions",
        where=narrowed,
        values=() if project is None else (project,),
        scope=(("checkpoint", checkpoint),),
    )
    found = read_page(db, listing, cursor)
    return RowPage(items=tuple(_permission(row) for row in found.items), has_more=found.has_more)


def find_permission(db: sqlite3.Connection, checkpoint: str, project: str) -> PermissionRecord | None:
    """Look up whether a project has a checkpoint's permission already."""
    query = "SELECT * FROM permissions WHERE checkpoint = ? AND project = ?"
    row = db.execute(query, (checkpoint, project)).fetchone()
    return _permission(row) if row else None


def delete_permission(db: sqlite3.Connection, checkpoint: str, permission: str) -> None:
    """Withdraw a permission.

    Raises: ApiError when the checkpoint has none of that id
    """
    query = "DELETE FROM permissions WHERE checkpoint = ? AND id = ?"
    if not db.execute(query, (checkpoint, permission)).rowcount:
        raise no_permission_error(permission)


def _permission(row: sqlite3.Row) -> PermissionRecord:
    return PermissionRecord(
        id=row["id"], checkpoint=row["checkpoint"], project=row["project"], created_at=row["created_at"]
    )
