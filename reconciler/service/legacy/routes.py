"""The routes of the old API: fine-tunes, their events, engines. Files, models and completions are the current ones."""

import sqlite3

from starlette.responses import Response
from starlette.routing import Route

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse, endpoint, endpoint_with_body
from reconciler.service.errors import ApiError, no_job, no_model
from reconciler.service.ids import new_id
from reconciler.service.legacy.messages import CANCELLING, tell
from reconciler.service.legacy.messages import created as created_words
from reconciler.service.legacy.queue import say_enqueued
from reconciler.service.legacy.records import Face, add_face, find_face, hide, is_shown, shown_faces
from reconciler.service.legacy.request import FineTuneRequest, read_fine_tune_request
from reconciler.service.legacy.stream import events
from reconciler.service.legacy.wire import engine_json, files_of, fine_tune_json, with_events
from reconciler.service.routes.inference import completion
from reconciler.service.routes.models import known_models
from reconciler.service.routes.wire import deleted_json
from reconciler.service.store.events import WARN, add_event, all_events
from reconciler.service.store.files import FINE_TUNE, find_file, past_files
from reconciler.service.store.jobs import VALIDATING, JobRecord, active_jobs, add_job, cancel_job, get_job, get_jobs

SEED = 0
"""The old API had no seed; the same rows with the same numbers give the same model."""


def legacy_routes(service: Service, prefix: str) -> list[Route]:
    """Make the routes of the old API."""
    return [
        Route(prefix + "/fine-tunes", endpoint_with_body(service, create), methods=["POST"]),
        Route(prefix + "/fine-tunes", endpoint(service, listed), methods=["GET"]),
        Route(prefix + "/fine-tunes/{job}", endpoint(service, shown), methods=["GET"]),
        Route(prefix + "/fine-tunes/{job}", endpoint(service, deleted), methods=["DELETE"]),
        Route(prefix + "/fine-tunes/{job}/cancel", endpoint(service, cancelled), methods=["POST"]),
        Route(prefix + "/fine-tunes/{job}/events", events(service), methods=["GET"]),
        Route(prefix + "/engines", endpoint(service, engines), methods=["GET"]),
        Route(prefix + "/engines/{engine}", endpoint(service, engine), methods=["GET"]),
        Route(prefix + "/engines/{engine}/completions", endpoint_with_body(service, asked), methods=["POST"]),
    ]


def create(service: Service, call: Call) -> Response:
    """Create a fine-tune and see to it that somebody does it."""
    request = read_fine_tune_request(call.body, service.shelf)
    job = _job(request, service.now())
    face = Face(job=job.id, model=request.model, prompt_loss_weight=request.prompt_loss_weight, classes=request.classes)
    with service.store.write() as db:
        for param, file in (("training_file", job.training_file), ("validation_file", job.validation_file)):
            found = find_file(db, file) if file else None
            if file and (found is None or found.purpose != FINE_TUNE):
                raise ApiError(400, f"invalid {param}: {file}", param=param)
        add_job(db, job)
        add_face(db, face)
        add_event(db, job.id, job.created_at, created_words(job.id, request.model, job.base))
        say_enqueued(db, job.id, job.created_at)
        answer = _whole(service, db, job, face)
    service.wake()
    return answer


def listed(service: Service, call: Call) -> Response:
    """List every fine-tune, oldest first, without what they said."""
    with service.store.read() as db:
        faces = shown_faces(db)
        jobs = get_jobs(db, (face.job for face in faces))
        files = past_files(db, (file for job in jobs.values() for file in files_of(job)))
        waiting = bool(active_jobs(db))
    if waiting:
        service.wake()
    data = [fine_tune_json(jobs[face.job], face, files, service.organization) for face in faces]
    return JsonResponse({"object": "list", "data": data})


def shown(service: Service, call: Call) -> Response:
    """Show one fine-tune with everything it said."""
    with service.store.read() as db:
        job, face = _find(db, call)
        answer = _whole(service, db, job, face)
    if job.is_active:
        service.wake()
    return answer


def cancelled(service: Service, call: Call) -> Response:
    """End a fine-tune that is not finished; its process is stopped within moments."""
    with service.store.write() as db:
        job, face = _find(db, call)
        if not job.is_alive:
            message = f"Fine-tune {job.id} cannot be cancelled: it is already {job.status}."
            raise ApiError(400, message, param="fine_tune_id", code="invalid_job_status")
        now = service.now()
        cancel_job(db, job.id, now)
        add_event(db, job.id, now, CANCELLING, level=WARN)
        return _whole(service, db, get_job(db, job.id), face)


def deleted(service: Service, call: Call) -> Response:
    """Delete a fine-tune that has ended. Its model stays, and is deleted by its own name."""
    with service.store.write() as db:
        job, _ = _find(db, call)
        if job.is_alive:
            message = f"Fine-tune {job.id} cannot be deleted while it is not finished: cancel it first."
            raise ApiError(400, message, param="fine_tune_id", code="invalid_job_status")
        hide(db, job.id)
    return JsonResponse(deleted_json(job.id, "fine-tune"))


def engines(service: Service, call: Call) -> Response:
    """List the models under their older name."""
    return JsonResponse({"object": "list", "data": [engine_json(model) for model in known_models(service)]})


def engine(service: Service, call: Call) -> Response:
    """Show one model under its older name."""
    name = call.path["engine"]
    for model in known_models(service):
        if model["id"] == name:
            return JsonResponse(engine_json(model))
    raise no_model(name)


def asked(service: Service, call: Call) -> Response:
    """Answer as completions do, with the model in the path."""
    body = {**call.body, "model": call.path["engine"]}
    return completion(service, Call(path=call.path, query=call.query, body=body))


def _job(request: FineTuneRequest, now: int) -> JobRecord:
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


def _find(db: sqlite3.Connection, call: Call) -> tuple[JobRecord, Face]:
    face = find_face(db, call.path["job"])
    if face is None or not is_shown(db, face.job):
        raise no_job(call.path["job"])
    return get_job(db, face.job), face


def _whole(service: Service, db: sqlite3.Connection, job: JobRecord, face: Face) -> Response:
    told = tuple(tell(job, all_events(db, job.id)))
    shown = fine_tune_json(job, face, past_files(db, files_of(job)), service.organization)
    return JsonResponse(with_events(shown, told))
