"""The routes of fine-tuning: jobs and graders. A request for an active job makes sure that a worker runs."""

import re
import time
from functools import partial

from starlette.responses import Response

from reconciler.evaluation import Grader, GraderError, MultiGrader, Score, read_grader, score_sample
from reconciler.service.context import ServiceContext
from reconciler.service.endpoint import ApiRequest, JsonResponse, check_known, read_object, read_required_text
from reconciler.service.errors import ApiError, grader_refusal, missing_error, value_error
from reconciler.service.routes.job_request import MOST_METADATA, check_new_job, read_job_request
from reconciler.service.routes.wire import checkpoint_json, event_json, job_json, page_json
from reconciler.service.seeding import SeedKind, is_seed, seeded_job
from reconciler.service.store.database import new_id
from reconciler.service.store.jobs import (
    WARN,
    JobRecord,
    active_jobs,
    add_event,
    add_job,
    cancel_job,
    get_job,
    list_events,
    list_jobs,
    pause_job,
    resume_job,
)
from reconciler.service.store.models import list_checkpoints

JOBS_A_PAGE = EVENTS_A_PAGE = 20
CHECKPOINTS_A_PAGE = 10

_METADATA = re.compile(r"metadata\[(.+)\]", re.DOTALL)


def create_job(context: ServiceContext, request: ApiRequest) -> Response:
    """Create a job and make sure that a worker runs."""
    if seed := seeded_job(context, request.body):
        return _answer(context, seed)
    job = read_job_request(request.body, context.registry).record(new_id("ftjob-"), context.now())
    with context.store.write() as db:
        check_new_job(db, job)
        add_job(db, job)
        add_event(db, job.id, job.created_at, f"Created fine-tuning job: {job.id}")
    context.wake_after_write()
    return _answer(context, job)


def list_jobs_route(context: ServiceContext, request: ApiRequest) -> Response:
    """List jobs, newest first, or those with some metadata."""
    found = ((_METADATA.fullmatch(name), value) for name, value in request.query.multi_items())
    metadata = {match[1]: value for match, value in found if match}
    if len(metadata) > MOST_METADATA:
        # No job has more. SQLite refuses a query of very many conditions.
        message = f"expected at most {MOST_METADATA} pairs, got {len(metadata)}."
        raise value_error("metadata", message, "object_above_max_properties")
    bare = request.query.get("metadata") == "null"
    with context.store.read() as db:
        page = list_jobs(db, request.cursor(JOBS_A_PAGE), metadata, bare=bare)
        waiting = bool(active_jobs(db))
    if waiting:
        context.wake()
    show = partial(job_json, organization=context.organization, show_paused=context.show_paused)
    return JsonResponse(page_json(page, show, ends=False))


def show_job(context: ServiceContext, request: ApiRequest) -> Response:
    """Show one job."""
    return _answer(context, _look(context, request))


def cancel(context: ServiceContext, request: ApiRequest) -> Response:
    """End a job that is not finished; its process is stopped within moments."""
    with context.store.write() as db:
        job = get_job(db, request.path["job"])
        if not job.is_alive and not is_seed(db, SeedKind.JOB, job.id):
            message = f"Job {job.id} cannot be cancelled: it is already {job.status}."
            raise ApiError(400, message, param="fine_tuning_job_id", code="invalid_job_status")
        if job.is_alive:
            now = context.now()
            cancel_job(db, job.id, now)
            add_event(db, job.id, now, "Fine tuning process stopping due to job cancellation", level=WARN)
        return _answer(context, get_job(db, job.id))


def pause(context: ServiceContext, request: ApiRequest) -> Response:
    """Pause an active job. A job that has ended or is paused is shown as it is."""
    with context.store.write() as db:
        job = get_job(db, request.path["job"])
        if pause_job(db, job.id):
            add_event(db, job.id, context.now(), "The job is paused; resumed, it begins again from the start")
        return _answer(context, get_job(db, job.id))


def resume(context: ServiceContext, request: ApiRequest) -> Response:
    """Put a paused job back into the queue, to start again. Any other job is shown as it is."""
    with context.store.write() as db:
        job = get_job(db, request.path["job"])
        is_waiting = resume_job(db, job.id)
        if is_waiting:
            add_event(db, job.id, context.now(), "The job is resumed: it begins again from the start")
        job = get_job(db, job.id)
    if is_waiting:
        context.wake_after_write()
    return _answer(context, job)


def list_job_events(context: ServiceContext, request: ApiRequest) -> Response:
    """List the events of a job, newest first."""
    job = _look(context, request)
    with context.store.read() as db:
        page = list_events(db, job.id, request.cursor(EVENTS_A_PAGE))
    return JsonResponse(page_json(page, event_json, ends=False))


def list_job_checkpoints(context: ServiceContext, request: ApiRequest) -> Response:
    """List the checkpoints of a job, latest step first."""
    job = _look(context, request)
    with context.store.read() as db:
        page = list_checkpoints(db, job.id, request.cursor(CHECKPOINTS_A_PAGE))
    return JsonResponse(page_json(page, checkpoint_json, ends=True))


def _look(context: ServiceContext, request: ApiRequest) -> JobRecord:
    with context.store.read() as db:
        job = get_job(db, request.path["job"])
    if job.is_active:
        context.wake()
    return job


def _answer(context: ServiceContext, job: JobRecord) -> Response:
    return JsonResponse(job_json(job, context.organization, show_paused=context.show_paused))


_ERRORS = (
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
)
_DETAILS = (
    "python_grader_server_error_type",
    "python_grader_runtime_error_details",
    "model_grader_server_error_details",
)


def validate_grader(context: ServiceContext, request: ApiRequest) -> Response:
    """Return a grader as it came when its shape is right, of any kind that the API knows."""
    check_known(request.body, ("grader",))
    _grader(request)
    return JsonResponse({"grader": request.body["grader"]})


def run_grader(context: ServiceContext, request: ApiRequest) -> Response:
    """Grade one sample with a grader that needs no model."""
    check_known(request.body, ("grader", "model_sample", "item"))
    grader = _grader(request)
    sample = read_required_text(request.body, "model_sample")
    item = read_object(request.body, "item") or {}
    began = time.perf_counter()
    try:
        result = score_sample(grader, sample, item)
    except GraderError as error:
        raise grader_refusal(error) from error
    kind = (read_object(request.body, "grader") or {}).get("type")
    return JsonResponse(_run_json(grader, str(kind), result, time.perf_counter() - began))


def _grader(request: ApiRequest) -> Grader:
    body = read_object(request.body, "grader")
    if body is None:
        raise missing_error("grader")
    try:
        return read_grader(body)
    except GraderError as error:
        raise grader_refusal(error) from error


def _run_json(grader: Grader, kind: str, result: Score, seconds: float) -> dict[str, object]:
    scores = dict(result.parts) if isinstance(grader, MultiGrader) else {grader.name: result.reward}
    return {
        "reward": result.reward,
        "sub_rewards": dict(result.parts),
        "model_grader_token_usage_per_model": {},
        "metadata": {
            "name": grader.name,
            "type": kind,
            "execution_time": seconds,
            "scores": scores,
            "token_usage": None,
            "sampled_model_name": None,
            "errors": {**{name: name in result.errors for name in _ERRORS}, **dict.fromkeys(_DETAILS)},
        },
    }
