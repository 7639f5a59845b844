"""The routes of the old API: fine-tunes, their events, engines. Files, models and completions are the current ones."""

import sqlite3
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.routing import Route

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import ApiRequest, JsonResponse, endpoint, endpoint_with_body
from reconciler.service.engines.port import AUTO
from reconciler.service.errors import ApiError, no_job_error, no_model_error
from reconciler.service.legacy.events import CANCELLING_MESSAGE, LegacyEvent, legacy_events, make_events_endpoint
from reconciler.service.legacy.events import creation_message as created_words
from reconciler.service.routes.inference import create_completion
from reconciler.service.routes.job_request import FineTuneRequest, read_fine_tune_request
from reconciler.service.routes.models import known_models
from reconciler.service.routes.wire import Json, deleted_json, file_json
from reconciler.service.store.database import new_id
from reconciler.service.store.files import FINE_TUNE, FileRecord, find_file, find_past_files
from reconciler.service.store.fine_tunes import (
    FineTuneRecord,
    add_fine_tune,
    add_queue_event,
    find_fine_tune,
    hide_fine_tune,
    is_listed,
    list_fine_tunes,
)
from reconciler.service.store.jobs import (
    RUNNING,
    VALIDATING,
    WARN,
    JobRecord,
    active_jobs,
    add_event,
    add_job,
    all_events,
    cancel_job,
    get_job,
    get_jobs,
)

SEED = 0
"""The old API had no seed; the same rows with the same numbers give the same model."""


def legacy_routes(context: ServiceContext, prefix: str) -> list[Route]:
    """Make the routes of the old API."""
    return [
        Route(prefix + "/fine-tunes", endpoint_with_body(context, create_fine_tune), methods=["POST"]),
        Route(prefix + "/fine-tunes", endpoint(context, list_fine_tunes_route), methods=["GET"]),
        Route(prefix + "/fine-tunes/{job}", endpoint(context, show_fine_tune), methods=["GET"]),
        Route(prefix + "/fine-tunes/{job}", endpoint(context, delete_fine_tune), methods=["DELETE"]),
        Route(prefix + "/fine-tunes/{job}/cancel", endpoint(context, cancel_fine_tune), methods=["POST"]),
        Route(prefix + "/fine-tunes/{job}/events", make_events_endpoint(context), methods=["GET"]),
        Route(prefix + "/engines", endpoint(context, list_engines), methods=["GET"]),
        Route(prefix + "/engines/{engine}", endpoint(context, show_engine), methods=["GET"]),
        Route(
            prefix + "/engines/{engine}/completions",
            endpoint_with_body(context, complete_with_engine),
            methods=["POST"],
        ),
    ]


def create_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Create a fine-tune and see to it that somebody does it."""
    wanted = read_fine_tune_request(request.body, context.registry)
    job = _job_record(wanted, context.now())
    face = FineTuneRecord(
        job=job.id, model=wanted.model, prompt_loss_weight=wanted.prompt_loss_weight, classes=wanted.classes
    )
    with context.store.write() as db:
        for param, file in (("training_file", job.training_file), ("validation_file", job.validation_file)):
            found = find_file(db, file) if file else None
            if file and (found is None or found.purpose != FINE_TUNE):
                raise ApiError(400, f"invalid {param}: {file}", param=param)
        add_job(db, job)
        add_fine_tune(db, face)
        add_event(db, job.id, job.created_at, created_words(job.id, wanted.model, job.base))
        add_queue_event(db, job.id, job.created_at)
        answer = _with_events(context, db, job, face)
    context.wake()
    return answer


def list_fine_tunes_route(context: ServiceContext, request: ApiRequest) -> Response:
    """List every fine-tune, oldest first, without what they said."""
    with context.store.read() as db:
        faces = list_fine_tunes(db)
        jobs = get_jobs(db, (face.job for face in faces))
        files = find_past_files(db, (file for job in jobs.values() for file in file_ids(job)))
        waiting = bool(active_jobs(db))
    if waiting:
        context.wake()
    data = [fine_tune_json(jobs[face.job], face, files, context.organization) for face in faces]
    return JsonResponse({"object": "list", "data": data})


def show_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one fine-tune with everything it said."""
    with context.store.read() as db:
        job, face = _find(db, request)
        answer = _with_events(context, db, job, face)
    if job.is_active:
        context.wake()
    return answer


def cancel_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """End a fine-tune that is not finished; its process is stopped within moments."""
    with context.store.write() as db:
        job, face = _find(db, request)
        if not job.is_alive:
            message = f"Fine-tune {job.id} cannot be cancelled: it is already {job.status}."
            raise ApiError(400, message, param="fine_tune_id", code="invalid_job_status")
        now = context.now()
        cancel_job(db, job.id, now)
        add_event(db, job.id, now, CANCELLING_MESSAGE, level=WARN)
        return _with_events(context, db, get_job(db, job.id), face)


def delete_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Delete a fine-tune that has ended. Its model stays, and is deleted by its own name."""
    with context.store.write() as db:
        job, _ = _find(db, request)
        if job.is_alive:
            message = f"Fine-tune {job.id} cannot be deleted while it is not finished: cancel it first."
            raise ApiError(400, message, param="fine_tune_id", code="invalid_job_status")
        hide_fine_tune(db, job.id)
    return JsonResponse(deleted_json(job.id, "fine-tune"))


def list_engines(context: ServiceContext, request: ApiRequest) -> Response:
    """List the models under their older name."""
    return JsonResponse({"object": "list", "data": [engine_json(model) for model in known_models(context)]})


def show_engine(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one model under its older name."""
    name = request.path["engine"]
    for model in known_models(context):
        if model["id"] == name:
            return JsonResponse(engine_json(model))
    raise no_model_error(name)


def complete_with_engine(context: ServiceContext, request: ApiRequest) -> Response:
    """Answer as completions do, with the model in the path."""
    body = {**request.body, "model": request.path["engine"]}
    return create_completion(context, ApiRequest(path=request.path, query=request.query, body=body))


def _job_record(request: FineTuneRequest, now: int) -> JobRecord:
    return JobRecord(
        id=new_id("ft-", 24),
        base=request.engine.base,
        training_file=request.training_file,
        validation_file=request.validation_file,
        suffix=request.suffix,
        seed=SEED,
        metadata=None,
        hyperparameters=request.hyperparameters,
        status=VALIDATING,
        created_at=now,
    )


def _find(db: sqlite3.Connection, request: ApiRequest) -> tuple[JobRecord, FineTuneRecord]:
    face = find_fine_tune(db, request.path["job"])
    if face is None or not is_listed(db, face.job):
        raise no_job_error(request.path["job"])
    return get_job(db, face.job), face


def _with_events(context: ServiceContext, db: sqlite3.Connection, job: JobRecord, face: FineTuneRecord) -> Response:
    told = tuple(legacy_events(job, all_events(db, job.id)))
    shown = fine_tune_json(job, face, find_past_files(db, file_ids(job)), context.organization)
    return JsonResponse(with_events(shown, told))


Files = Mapping[str, tuple[FileRecord, bool]]
"""Files by id, each with whether it was deleted since."""

PENDING_STATUS = "pending"


def legacy_status(job: JobRecord) -> str:
    """Return the old word for how far a job is; one that is looked at, waits or is paused is pending."""
    return PENDING_STATUS if job.is_alive and job.status != RUNNING else job.status


def fine_tune_json(job: JobRecord, face: FineTuneRecord, files: Files, organization: str) -> Json:
    """A job of the old API, without its events."""
    return {
        "object": "fine-tune",
        "id": job.id,
        "model": face.model,
        "created_at": job.created_at,
        "updated_at": job.finished_at or int(job.started_at or job.created_at),
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": organization,
        "status": legacy_status(job),
        "hyperparams": _hyperparams(job, face),
        "training_files": _file_list(files, job.training_file),
        "validation_files": _file_list(files, job.validation_file),
        "result_files": _file_list(files, job.result_file),
    }


def with_events(fine_tune: Json, told: Sequence[LegacyEvent]) -> Json:
    """A job of the old API with what it said; it was updated when it last said something."""
    last = max((event.created_at for event in told), default=0)
    updated = max(last, int(str(fine_tune["updated_at"])))
    return {**fine_tune, "updated_at": updated, "events": [event.json for event in told]}


def _hyperparams(job: JobRecord, face: FineTuneRecord) -> Json:
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


def file_ids(job: JobRecord) -> tuple[str, ...]:
    """Name the files that a job is shown with."""
    return tuple(filter(None, (job.training_file, job.validation_file, job.result_file)))


def _file_list(files: Files, file: str | None) -> list[Json]:
    """Return the file of a job as the list that the old API makes of it; a deleted one says so."""
    found = files.get(file) if file else None
    if found is None:
        return []
    record, deleted = found
    return [{**file_json(record), "status": "deleted"}] if deleted else [file_json(record)]


def engine_json(model: Mapping[str, object]) -> Json:
    """A model as the older word for it, an engine."""
    return {"id": model["id"], "object": "engine", "owner": model["owned_by"], "ready": True, "created": None}
