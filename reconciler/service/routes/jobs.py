"""Fine-tuning jobs: created, listed, followed, cancelled, paused. A look at one that is to be done wakes the worker."""

import re
from functools import partial

from starlette.responses import Response

from reconciler.service.context import Service
from reconciler.service.endpoint import Call, JsonResponse
from reconciler.service.errors import ApiError
from reconciler.service.ids import new_id
from reconciler.service.routes.job_request import read_job_request
from reconciler.service.routes.seeded import seeded_job
from reconciler.service.routes.wire import checkpoint_json, event_json, job_json, page_json
from reconciler.service.store.events import WARN, add_event, list_events
from reconciler.service.store.files import FINE_TUNE, find_file
from reconciler.service.store.jobs import (
    VALIDATING,
    JobRecord,
    active_jobs,
    add_job,
    cancel_job,
    get_job,
    list_jobs,
    pause_job,
    resume_job,
)
from reconciler.service.store.models import list_checkpoints
from reconciler.service.store.seeds import Seeded, is_seed

JOBS_A_PAGE = EVENTS_A_PAGE = 20
CHECKPOINTS_A_PAGE = 10

_METADATA = re.compile(r"metadata\[(.+)\]", re.DOTALL)


def created(service: Service, call: Call) -> Response:
    """Create a job and see to it that somebody does it."""
    if seed := seeded_job(service, call.body):
        return _answer(service, seed)
    asked = read_job_request(call.body, service.shelf)
    job = JobRecord(
        id=new_id("ftjob-"),
        base=asked.engine.base,
        training_file=asked.training_file,
        validation_file=asked.validation_file,
        suffix=asked.suffix,
        seed=asked.seed,
        metadata=asked.metadata,
        hyperparameters=asked.hyperparameters,
        status=VALIDATING,
        created_at=service.now(),
    )
    with service.store.write() as db:
        for param, file in (("training_file", job.training_file), ("validation_file", job.validation_file)):
            found = find_file(db, file) if file else None
            if file and (found is None or found.purpose != FINE_TUNE):
                raise ApiError(400, f"invalid {param}: {file}", param=param)
        add_job(db, job)
        add_event(db, job.id, job.created_at, f"Created fine-tuning job: {job.id}")
    service.wake()
    return _answer(service, job)


def listed(service: Service, call: Call) -> Response:
    """List jobs, newest first; those of some metadata, where it is asked for."""
    found = ((_METADATA.fullmatch(name), value) for name, value in call.query.multi_items())
    metadata = {match[1]: value for match, value in found if match}
    bare = call.query.get("metadata") == "null"
    with service.store.read() as db:
        page = list_jobs(db, call.cursor(JOBS_A_PAGE), metadata, bare=bare)
        waiting = bool(active_jobs(db))
    if waiting:
        service.wake()
    show = partial(job_json, organization=service.organization, show_paused=service.show_paused)
    return JsonResponse(page_json(page, show, ends=False))


def shown(service: Service, call: Call) -> Response:
    """Show one job."""
    return _answer(service, _look(service, call))


def cancelled(service: Service, call: Call) -> Response:
    """End a job that is not finished; its process is stopped within moments."""
    with service.store.write() as db:
        job = get_job(db, call.path["job"])
        if not job.is_alive and not is_seed(db, Seeded.JOB, job.id):
            message = f"Job {job.id} cannot be cancelled: it is already {job.status}."
            raise ApiError(400, message, param="fine_tuning_job_id", code="invalid_job_status")
        if job.is_alive:
            now = service.now()
            cancel_job(db, job.id, now)
            add_event(db, job.id, now, "Fine tuning process stopping due to job cancellation", level=WARN)
        return _answer(service, get_job(db, job.id))


def paused(service: Service, call: Call) -> Response:
    """Stop a job that is to be done; what has ended, or is paused already, is shown as it is."""
    with service.store.write() as db:
        job = get_job(db, call.path["job"])
        if pause_job(db, job.id):
            add_event(db, job.id, service.now(), "The job is paused; resumed, it begins again from the start")
        return _answer(service, get_job(db, job.id))


def resumed(service: Service, call: Call) -> Response:
    """Put a paused job back into the queue, to be begun again from the start; any other is shown as it is."""
    with service.store.write() as db:
        job = get_job(db, call.path["job"])
        is_waiting = resume_job(db, job.id)
        if is_waiting:
            add_event(db, job.id, service.now(), "The job is resumed: it begins again from the start")
        job = get_job(db, job.id)
    if is_waiting:
        service.wake()
    return _answer(service, job)


def events(service: Service, call: Call) -> Response:
    """List what a job said, newest first."""
    job = _look(service, call)
    with service.store.read() as db:
        page = list_events(db, job.id, call.cursor(EVENTS_A_PAGE))
    return JsonResponse(page_json(page, event_json, ends=False))


def checkpoints(service: Service, call: Call) -> Response:
    """List the checkpoints of a job, latest step first."""
    job = _look(service, call)
    with service.store.read() as db:
        page = list_checkpoints(db, job.id, call.cursor(CHECKPOINTS_A_PAGE))
    return JsonResponse(page_json(page, checkpoint_json, ends=True))


def _look(service: Service, call: Call) -> JobRecord:
    with service.store.read() as db:
        job = get_job(db, call.path["job"])
    if job.is_active:
        service.wake()
    return job


def _answer(service: Service, job: JobRecord) -> Response:
    return JsonResponse(job_json(job, service.organization, show_paused=service.show_paused))
