"""The records of the store in the API's JSON."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from reconciler.service.engines.port import Engine
from reconciler.service.store.files import FileRecord
from reconciler.service.store.jobs import PAUSED, QUEUED, EventRecord, JobRecord
from reconciler.service.store.models import CheckpointRecord, ModelRecord, PermissionRecord
from reconciler.service.store.rows import RowPage
from reconciler.service.store.uploads import PartRecord, UploadRecord

T = TypeVar("T")

Json = dict[str, object]


def file_json(file: FileRecord) -> Json:
    """Return a file. It was checked on arrival, so it is processed from the start.

    An unset field is left out: in the API's description of a file no field may be null.
    """
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size_bytes,
        "created_at": file.created_at,
        **({} if file.expires_at is None else {"expires_at": file.expires_at}),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
    }


def upload_json(upload: UploadRecord, file: FileRecord | None) -> Json:
    """Return an upload, with the file that it became."""
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.size_bytes,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
        "file": None if file is None else file_json(file),
    }


def part_json(part: PartRecord) -> Json:
    """Return a part of an upload."""
    return {"id": part.id, "object": "upload.part", "created_at": part.created_at, "upload_id": part.upload}


def permission_json(permission: PermissionRecord) -> Json:
    """Return a permission to use a checkpoint."""
    return {
        "id": permission.id,
        "object": "checkpoint.permission",
        "created_at": permission.created_at,
        "project_id": permission.project,
    }


def seeded_model_json(name: str) -> Json:
    """Return a seeded model."""
    return _model_json(name, 0, "seeded")


def job_json(job: JobRecord, organization: str, *, show_paused: bool = False) -> Json:
    """Return a job. A paused job is shown as queued to clients that do not know the status `paused`."""
    hyperparameters = dict(job.hyperparameters)
    return {
        "object": "fine_tuning.job",
        "id": job.id,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "model": job.base,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": organization,
        "status": QUEUED if job.status == PAUSED and not show_paused else job.status,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "result_files": [job.result_file] if job.result_file else [],
        "trained_tokens": job.trained_tokens,
        "hyperparameters": hyperparameters,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "seed": job.seed,
        "estimated_finish": job.estimated_finish,
        "integrations": [],
        "metadata": job.metadata,
        "error": job.error,
    }


def event_json(event: EventRecord) -> Json:
    """Return an event of a job."""
    return {
        "object": "fine_tuning.job.event",
        "id": event.id,
        "created_at": event.created_at,
        "level": event.level,
        "message": event.message,
        "type": "message" if event.data is None else "metrics",
        "data": event.data or {},
    }


def checkpoint_json(checkpoint: CheckpointRecord) -> Json:
    """Return a checkpoint of a job."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": checkpoint.id,
        "created_at": checkpoint.created_at,
        "fine_tuning_job_id": checkpoint.job,
        "fine_tuned_model_checkpoint": checkpoint.model,
        "step_number": checkpoint.step,
        "metrics": checkpoint.metrics,
    }


def base_json(engine: Engine) -> Json:
    """Return a model that can be fine-tuned."""
    return _model_json(engine.base, engine.created, "finetune-reconciler")


def model_json(model: ModelRecord, organization: str) -> Json:
    """Return a model that was fine-tuned here."""
    return _model_json(model.id, model.created_at, organization)


def extended_model_json(model: Json, *, root: str, parent: str | None = None) -> Json:
    """Return a model in the form of 2021: `root` is the engine that answers, `parent` the name it was trained from."""
    permission = {
        "id": f"modelperm-{model['id']}",
        "object": "model_permission",
        "created": model["created"],
        "allow_create_engine": False,
        "allow_sampling": parent is not None,
        "allow_logprobs": parent is not None,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": parent is None,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
    return {**model, "permission": [permission], "root": root, "parent": parent}


def deleted_json(object_id: str, kind: str) -> Json:
    """Return that an object is deleted."""
    return {"id": object_id, "object": kind, "deleted": True}


def page_json(page: RowPage[T], show: Callable[[T], Mapping[str, object]], *, ends: bool) -> Json:
    """Return a page of a list, with the ids at its ends where the API has them."""
    data = [show(item) for item in page.items]
    found: Json = {"object": "list", "data": data, "has_more": page.has_more}
    if ends:
        found["first_id"] = data[0]["id"] if data else None
        found["last_id"] = data[-1]["id"] if data else None
    return found


def _model_json(model_id: str, created: int, owner: str) -> Json:
    return {"id": model_id, "object": "model", "created": created, "owned_by": owner, "shutdown_date": None}
