"""Jobs and models in the old API's JSON. Pure."""

from collections.abc import Mapping, Sequence

from reconciler.service.engines.port import AUTO
from reconciler.service.legacy.messages import Told
from reconciler.service.legacy.records import Face
from reconciler.service.routes.wire import file_json
from reconciler.service.store.files import FileRecord
from reconciler.service.store.jobs import RUNNING, JobRecord

Json = dict[str, object]
Files = Mapping[str, tuple[FileRecord, bool]]
"""Files by id, each with whether it was deleted since."""

PENDING = "pending"


def status_of(job: JobRecord) -> str:
    """Return the old word for how far a job is; one that is looked at, waits or is paused is pending."""
    return PENDING if job.is_alive and job.status != RUNNING else job.status


def fine_tune_json(job: JobRecord, face: Face, files: Files, organization: str) -> Json:
    """A job of the old API, without its events."""
    return {
        "object": "fine-tune",
        "id": job.id,
        "model": face.model,
        "created_at": job.created_at,
        "updated_at": job.finished_at or int(job.started_at or job.created_at),
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": organization,
        "status": status_of(job),
        "hyperparams": _hyperparams(job, face),
        "training_files": _files(files, job.training_file),
        "validation_files": _files(files, job.validation_file),
        "result_files": _files(files, job.result_file),
    }


def with_events(fine_tune: Json, told: Sequence[Told]) -> Json:
    """A job of the old API with what it said; it was updated when it last said something."""
    last = max((event.created_at for event in told), default=0)
    updated = max(last, int(str(fine_tune["updated_at"])))
    return {**fine_tune, "updated_at": updated, "events": [event.json for event in told]}


def _hyperparams(job: JobRecord, face: Face) -> Json:
    stated = {name: None if value == AUTO else value for name, value in job.hyperparameters.items()}
    found: Json = {
        "n_epochs": stated.get("n_epochs"),
        "batch_size": stated.get("batch_size"),
        "prompt_loss_weight": face.prompt_loss_weight,
        "learning_rate_multiplier": stated.get("learning_rate_multiplier"),
    }
    if face.classes:
        found |= {"compute_classification_metrics": True, "classification_n_classes": face.classes.count}
        if face.classes.positive is not None:
            found["classification_positive_class"] = face.classes.positive
            found["classification_betas"] = list(face.classes.betas)
    return found


def files_of(job: JobRecord) -> tuple[str, ...]:
    """Name the files that a job is shown with."""
    return tuple(filter(None, (job.training_file, job.validation_file, job.result_file)))


def _files(files: Files, file: str | None) -> list[Json]:
    """Return the file of a job as the list that the old API makes of it; a deleted one says so."""
    found = files.get(file) if file else None
    if found is None:
        return []
    record, deleted = found
    return [{**file_json(record), "status": "deleted"}] if deleted else [file_json(record)]


def old_model_json(model: Json, *, root: str, parent: str | None = None) -> Json:
    """A model in the old form: `root` is the engine that really answers, `parent` the name it was trained from."""
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


def engine_json(model: Mapping[str, object]) -> Json:
    """A model as the older word for it, an engine."""
    return {"id": model["id"], "object": "engine", "owner": model["owned_by"], "ready": True, "created": None}
