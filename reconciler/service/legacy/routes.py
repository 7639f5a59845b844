"""The routes of the API of 2021: fine-tunes, their events, engines. Files, models and completions are shared."""

import sqlite3
from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.routing import Route

from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import ApiRequest, JsonResponse, endpoint, endpoint_with_body
from reconciler.service.engines.port import AUTO
from reconciler.service.errors import ApiError, no_job_error, no_model_error
from reconciler.service.legacy.events import (
    CANCELLING_MESSAGE,
    LegacyEvent,
    creation_message,
    legacy_events,
    make_events_endpoint,
)
from reconciler.service.limits import TEXT_BODY
from reconciler.service.routes.inference import create_completion
from reconciler.service.routes.job_request import check_new_job, read_fine_tune_request
from reconciler.service.routes.models import known_models
from reconciler.service.routes.wire import Json, deleted_json, file_json
from reconciler.service.store.database import new_id
from reconciler.service.store.files import FileRecord, find_past_files
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


def legacy_routes(context: ServiceContext, prefix: str) -> list[Route]:
    """Return the routes of the API of 2021."""
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
            endpoint_with_body(context, complete_with_engine, TEXT_BODY),
            methods=["POST"],
        ),
    ]


def create_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Create a fine-tune and make sure that a worker runs."""
    wanted = read_fine_tune_request(request.body, context.registry)
    job = wanted.job.record(new_id("ft-", 24), context.now())
    fine_tune = FineTuneRecord(
        job=job.id, model=wanted.model, prompt_loss_weight=wanted.prompt_loss_weight, classes=wanted.classes
    )
    with context.store.write() as db:
        check_new_job(db, job)
        add_job(db, job)
        add_fine_tune(db, fine_tune)
        add_event(db, job.id, job.created_at, creation_message(job.id, wanted.model, job.base))
        add_queue_event(db, job.id, job.created_at)
        answer = _with_events(context, db, job, fine_tune)
    context.wake_after_write()
    return answer


def list_fine_tunes_route(context: ServiceContext, request: ApiRequest) -> Response:
    """List every fine-tune, oldest first, without events."""
    with context.store.read() as db:
        fine_tunes = list_fine_tunes(db)
        jobs = get_jobs(db, (fine_tune.job for fine_tune in fine_tunes))
        files = find_past_files(db, (file for job in jobs.values() for file in file_ids(job)))
        waiting = bool(active_jobs(db))
    if waiting:
        context.wake()
    data = [fine_tune_json(jobs[fine_tune.job], fine_tune, files, context.organization) for fine_tune in fine_tunes]
    return JsonResponse({"object": "list", "data": data})


def show_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one fine-tune with all its events."""
    with context.store.read() as db:
        job, fine_tune = _find(db, request)
        answer = _with_events(context, db, job, fine_tune)
    if job.is_active:
        context.wake()
    return answer


def cancel_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """End a fine-tune that is not finished; its process is stopped within moments."""
    with context.store.write() as db:
        job, fine_tune = _find(db, request)
        if not job.is_alive:
            message = f"Fine-tune {job.id} cannot be cancelled: it is already {job.status}."
            raise ApiError(400, message, param="fine_tune_id", code="invalid_job_status")
        now = context.now()
        cancel_job(db, job.id, now)
        add_event(db, job.id, now, CANCELLING_MESSAGE, level=WARN)
        return _with_events(context, db, get_job(db, job.id), fine_tune)


def delete_fine_tune(context: ServiceContext, request: ApiRequest) -> Response:
    """Delete a fine-tune that has ended. Its model stays; it is deleted by its own name."""
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


def _find(db: sqlite3.Connection, request: ApiRequest) -> tuple[JobRecord, FineTuneRecord]:
    fine_tune = find_fine_tune(db, request.path["job"])
    if fine_tune is None or not is_listed(db, fine_tune.job):
        raise no_job_error(request.path["job"])
    return get_job(db, fine_tune.job), fine_tune


def _with_events(
    context: ServiceContext, db: sqlite3.Connection, job: JobRecord, fine_tune: FineTuneRecord
) -> Response:
    events = tuple(legacy_events(job, all_events(db, job.id)))
    shown = fine_tune_json(job, fine_tune, find_past_files(db, file_ids(job)), context.organization)
    return JsonResponse(with_events(shown, events))


Files = Mapping[str, tuple[FileRecord, bool]]
"""Files by id, each with whether it was deleted since."""

PENDING_STATUS = "pending"


def legacy_status(job: JobRecord) -> str:
    """Return the status in the words of the API of 2021; a job that is validated, waits or is paused is pending."""
    return PENDING_STATUS if job.is_alive and job.status != RUNNING else job.status


def fine_tune_json(job: JobRecord, fine_tune: FineTuneRecord, files: Files, organization: str) -> Json:
    """Return a fine-tune, without its events."""
    return {
        "object": "fine-tune",
        "id": job.id,
        "model": fine_tune.model,
        "created_at": job.created_at,
        "updated_at": job.finished_at or int(job.started_at or job.created_at),
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": organization,
        "status": legacy_status(job),
        "hyperparams": _hyperparams(job, fine_tune),
        "training_files": _file_list(files, job.training_file),
        "validation_files": _file_list(files, job.validation_file),
        "result_files": _file_list(files, job.result_file),
    }


def with_events(fine_tune: Json, events: Sequence[LegacyEvent]) -> Json:
    """Return a fine-tune with its events; the last event sets `updated_at`."""
    last = max((event.created_at for event in events), default=0)
    updated = max(last, int(str(fine_tune["updated_at"])))
    return {**fine_tune, "updated_at": updated, "events": [event.json for event in events]}


def _hyperparams(job: JobRecord, fine_tune: FineTuneRecord) -> Json:
    stated = {name: None if value == AUTO else value for name, value in job.hyperparameters.items()}
    found: Json = {
        "n_epochs": stated.get("n_epochs"),
        "batch_size": stated.get("batch_size"),
        "prompt_loss_weight": fine_tune.prompt_loss_weight,
        "learning_rate_multiplier": stated.get("learning_rate_multiplier"),
    }
    if fine_tune.classes:
        found |= {"compute_classification_metrics": True, "classification_n_classes": fine_tune.classes.count}
        if fine_tune.classes.positive is not None:
            found["classification_positive_class"] = fine_tune.classes.positive
            found["classification_betas"] = list(fine_tune.classes.betas)
    return found


def file_ids(job: JobRecord) -> tuple[str, ...]:
    """Return the ids of the files that a job is shown with."""
    return tuple(filter(None, (job.training_file, job.validation_file, job.result_file)))


def _file_list(files: Files, file: str | None) -> list[Json]:
    """Return a file of a job as a list, as the API of 2021 has it; a deleted one has the status `deleted`."""
    found = files.get(file) if file else None
    if found is None:
        return []
    record, deleted = found
    return [{**file_json(record), "status": "deleted"}] if deleted else [file_json(record)]


def engine_json(model: Mapping[str, object]) -> Json:
    """Return a model under its older name, an engine."""
    return {"id": model["id"], "object": "engine", "owner": model["owned_by"], "ready": True, "created": None}
