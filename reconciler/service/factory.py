"""Builds the service: opens the store, lists the routes, and puts key, headers, errors and faults around them."""

import sqlite3
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reconciler.service.context import ModelCache, ServiceContext
from reconciler.service.endpoint import JsonResponse, endpoint, endpoint_with_body
from reconciler.service.engines.registry import load_engines
from reconciler.service.errors import ApiError, busy_error, full_store_error, server_error, store_error
from reconciler.service.faults.actions import FaultContext, FaultMiddleware
from reconciler.service.jobs import ensure_worker
from reconciler.service.legacy import legacy_routes
from reconciler.service.limits import BODY, SHORT_BODY, TEXT_BODY, BodyMemory, Limits
from reconciler.service.middleware import ApiMiddleware, RateLimit
from reconciler.service.routes import files, inference, jobs, models, responses, uploads
from reconciler.service.seeding import has_seeds, plant_seeds
from reconciler.service.settings import ServiceSettings
from reconciler.service.store.database import Store, StoreError, find_full_disk, open_store, organization
from reconciler.service.store.files import remove_unlisted_files

PREFIX = "/v1"
_PERMISSIONS = "/fine_tuning/checkpoints/{checkpoint}/permissions"


def open_app(root: Path, settings: ServiceSettings, api_key: str | None, *, shows_paths: bool = True) -> ASGIApp:
    """Open a store and put the application in front of it. On a port, callers need not know where the store is."""
    store = open_store(root)
    remove_unlisted_files(store)
    if settings.seeds is not None:
        plant_seeds(store, settings.seeds, int(settings.clock()))
    registry = load_engines(settings.engines, settings.legacy_bases)
    with store.read() as db:
        owner, seeded = organization(db), has_seeds(db)
        models.check_legacy_bases(db, registry)
    limits = Limits.of(settings)
    context = ServiceContext(
        store=store,
        organization=owner,
        models=ModelCache(store, registry),
        registry=registry,
        start_worker=partial(ensure_worker, store, settings.engines),
        clock=settings.clock,
        limits=limits,
        bodies=BodyMemory(limits.bodies_bytes),
        show_paused=settings.show_paused,
        seeded=seeded,
    )
    app = make_app(context, api_key, shows_paths=shows_paths)
    if not settings.faults:
        return app
    return FaultMiddleware(app, settings.faults, FaultContext(store=store, clock=settings.clock))


def make_app(context: ServiceContext, api_key: str | None, *, shows_paths: bool = True) -> ASGIApp:
    """Make the whole service as one ASGI application. Without a key it asks for none."""
    app = Starlette(routes=_routes(context), exception_handlers=_handlers(context.store, shows_paths=shows_paths))
    app.router.redirect_slashes = False
    limit = context.limits.requests_per_minute
    return ApiMiddleware(
        app,
        prefix=PREFIX,
        api_key=api_key,
        organization=context.organization,
        clock=context.clock,
        rate_limit=None if limit is None else RateLimit(limit, context.clock),
    )


def _routes(context: ServiceContext) -> list[Route]:
    def get(path: str, handler: Any) -> Route:
        return Route(PREFIX + path, endpoint(context, handler), methods=["GET"])

    def post(path: str, handler: Any, most_bytes: int = BODY) -> Route:
        return Route(PREFIX + path, endpoint_with_body(context, handler, most_bytes), methods=["POST"])

    def act(path: str, handler: Any, method: str = "POST") -> Route:
        return Route(PREFIX + path, endpoint(context, handler), methods=[method])

    return [
        Route(PREFIX + "/files", files.make_upload_endpoint(context), methods=["POST"]),
        get("/files", files.list_files),
        get("/files/{file}", files.show_file),
        get("/files/{file}/content", files.send_content),
        act("/files/{file}", files.delete_file, "DELETE"),
        post("/fine_tuning/jobs", jobs.create_job),
        get("/fine_tuning/jobs", jobs.list_jobs_route),
        get("/fine_tuning/jobs/{job}", jobs.show_job),
        act("/fine_tuning/jobs/{job}/cancel", jobs.cancel),
        act("/fine_tuning/jobs/{job}/pause", jobs.pause),
        act("/fine_tuning/jobs/{job}/resume", jobs.resume),
        get("/fine_tuning/jobs/{job}/events", jobs.list_job_events),
        get("/fine_tuning/jobs/{job}/checkpoints", jobs.list_job_checkpoints),
        get(_PERMISSIONS, models.list_permissions_route),
        post(_PERMISSIONS, models.create_permissions),
        act(_PERMISSIONS + "/{permission}", models.delete_permission_route, "DELETE"),
        post("/fine_tuning/alpha/graders/validate", jobs.validate_grader, TEXT_BODY),
        post("/fine_tuning/alpha/graders/run", jobs.run_grader, TEXT_BODY),
        post("/uploads", uploads.create_upload, SHORT_BODY),
        Route(PREFIX + "/uploads/{upload}/parts", uploads.make_part_endpoint(context), methods=["POST"]),
        post("/uploads/{upload}/complete", uploads.complete_upload),
        act("/uploads/{upload}/cancel", uploads.cancel_upload),
        get("/models", models.list_models_route),
        get("/models/{model}", models.show_model),
        act("/models/{model}", models.delete, "DELETE"),
        post("/chat/completions", inference.create_chat_completion, TEXT_BODY),
        post("/completions", inference.create_completion, TEXT_BODY),
        post("/responses", responses.create_response, TEXT_BODY),
        *legacy_routes(context, PREFIX),
    ]


async def _answer_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JsonResponse(error.envelope, error.status)


async def _answer_unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"Not allowed to {request.method} on {request.url.path}."
    else:
        message = f"Invalid URL ({request.method} {request.url.path})"
    return JsonResponse(ApiError(error.status_code, message).envelope, error.status_code, error.headers)


async def _answer_bug(_: Request, error: Exception) -> Response:
    # A bug: the framework raises the error again after this answer, so that it keeps its traceback.
    refusal = server_error()
    return JsonResponse(refusal.envelope, refusal.status)


def _handlers(store: Store, *, shows_paths: bool) -> dict[Any, Callable[[Request, Exception], Any]]:
    async def answer_unusable_store(_: Request, error: Exception) -> Response:
        # The disk is full, the directory was removed, a page is damaged: the caller is most likely the owner.
        if "locked" in str(error):
            return JsonResponse(busy_error().envelope, busy_error().status)
        full = find_full_disk(store, error)
        text = f"{error}; {full}" if full else str(error)
        why = text if shows_paths else store.without_paths(text)
        refusal = (full_store_error if full else store_error)(f"The store cannot be used: {why}")
        return JsonResponse(refusal.envelope, refusal.status, {"x-should-retry": "false"})

    return {
        ApiError: _answer_refusal,
        HTTPException: _answer_unrouted,
        sqlite3.Error: answer_unusable_store,
        StoreError: answer_unusable_store,
        OSError: answer_unusable_store,
        Exception: _answer_bug,
    }
