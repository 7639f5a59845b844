"""The routes of the service, and what stands before each of them: the key, the headers, the error envelope."""

import sqlite3
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reconciler.service.context import Service
from reconciler.service.endpoint import JsonResponse, endpoint, endpoint_with_body
from reconciler.service.errors import ApiError, busy, server_error
from reconciler.service.legacy.routes import legacy_routes
from reconciler.service.middleware import Door
from reconciler.service.rate_limit import Pace
from reconciler.service.routes import files, graders, inference, jobs, models, permissions, responses, uploads

PREFIX = "/v1"
_PERMISSIONS = "/fine_tuning/checkpoints/{checkpoint}/permissions"


def make_app(service: Service, api_key: str | None) -> ASGIApp:
    """Make the whole service as one ASGI application; it asks for no key when there is none."""
    app = Starlette(routes=_routes(service), exception_handlers=_HANDLERS)
    app.router.redirect_slashes = False
    most = service.limits.requests_per_minute
    return Door(
        app,
        prefix=PREFIX,
        api_key=api_key,
        organization=service.organization,
        clock=service.clock,
        pace=None if most is None else Pace(most, service.clock),
    )


def _routes(service: Service) -> list[Route]:
    def get(path: str, handler: Any) -> Route:
        return Route(PREFIX + path, endpoint(service, handler), methods=["GET"])

    def post(path: str, handler: Any) -> Route:
        return Route(PREFIX + path, endpoint_with_body(service, handler), methods=["POST"])

    def act(path: str, handler: Any, method: str = "POST") -> Route:
        return Route(PREFIX + path, endpoint(service, handler), methods=[method])

    return [
        Route(PREFIX + "/files", files.uploading(service), methods=["POST"]),
        get("/files", files.listed),
        get("/files/{file}", files.shown),
        get("/files/{file}/content", files.content),
        act("/files/{file}", files.deleted, "DELETE"),
        post("/fine_tuning/jobs", jobs.created),
        get("/fine_tuning/jobs", jobs.listed),
        get("/fine_tuning/jobs/{job}", jobs.shown),
        act("/fine_tuning/jobs/{job}/cancel", jobs.cancelled),
        act("/fine_tuning/jobs/{job}/pause", jobs.paused),
        act("/fine_tuning/jobs/{job}/resume", jobs.resumed),
        get("/fine_tuning/jobs/{job}/events", jobs.events),
        get("/fine_tuning/jobs/{job}/checkpoints", jobs.checkpoints),
        get(_PERMISSIONS, permissions.listed),
        post(_PERMISSIONS, permissions.created),
        act(_PERMISSIONS + "/{permission}", permissions.deleted, "DELETE"),
        post("/fine_tuning/alpha/graders/validate", graders.validated),
        post("/fine_tuning/alpha/graders/run", graders.ran),
        post("/uploads", uploads.created),
        Route(PREFIX + "/uploads/{upload}/parts", uploads.adding(service), methods=["POST"]),
        post("/uploads/{upload}/complete", uploads.completed),
        act("/uploads/{upload}/cancel", uploads.cancelled),
        get("/models", models.listed),
        get("/models/{model}", models.shown),
        act("/models/{model}", models.deleted, "DELETE"),
        post("/chat/completions", inference.chat),
        post("/completions", inference.completion),
        post("/responses", responses.created),
        *legacy_routes(service, PREFIX),
    ]


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JsonResponse(error.envelope, error.status)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"Not allowed to {request.method} on {request.url.path}."
    else:
        message = f"Invalid URL ({request.method} {request.url.path})"
    return JsonResponse(ApiError(error.status_code, message).envelope, error.status_code, error.headers)


async def _unusable(_: Request, error: Exception) -> Response:
    # The disk is full, the directory is gone, another process has it: whoever asks is most likely its owner.
    refusal = busy() if "locked" in str(error) else server_error(f"The store cannot be used: {error}")
    return JsonResponse(refusal.envelope, refusal.status)


async def _broken(_: Request, error: Exception) -> Response:
    # A bug: the error itself goes on to whoever runs the application, with its traceback.
    refusal = server_error()
    return JsonResponse(refusal.envelope, refusal.status)


_HANDLERS: dict[Any, Callable[[Request, Exception], Any]] = {
    ApiError: _refused,
    HTTPException: _unrouted,
    sqlite3.OperationalError: _unusable,
    OSError: _unusable,
    Exception: _broken,
}
