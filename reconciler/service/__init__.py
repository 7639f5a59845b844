"""The built-in fine-tuning service: the API's files, jobs and models over a directory. Knows no specs and no plans.

Importing this loads neither the web framework nor an engine's libraries. Opening the service loads the first; training
and inference load the second.
"""

from collections.abc import Callable
from pathlib import Path

from reconciler.service.engines.registry import EngineMissingError, require_packages
from reconciler.service.faults import Fault, read_faults
from reconciler.service.settings import (
    ALL_LEGACY_BASES,
    SECRET_VARIABLE,
    AsgiApp,
    ServiceSettings,
    Webhook,
    read_legacy_bases,
    read_webhook,
)

__all__ = [
    "ALL_LEGACY_BASES",
    "SECRET_VARIABLE",
    "AsgiApp",
    "EngineMissingError",
    "Fault",
    "ServiceSettings",
    "Webhook",
    "open_service",
    "read_faults",
    "read_legacy_bases",
    "read_webhook",
    "serve",
]

_DEFAULTS = ServiceSettings()


def open_service(store: Path, settings: ServiceSettings = _DEFAULTS, *, api_key: str | None = None) -> AsgiApp:
    """Open the service on a directory, made if it is missing, as an ASGI application for use in this process.

    Shape:  without `api_key` it asks for none
    Raises: EngineMissingError, naming the command that installs what is missing; StoreError; UsageError for an unknown
            set of seeds or a name of a base that stands for nothing
    """
    require_packages("starlette", "python_multipart")
    # The web framework is an optional dependency: a missing one is reported above, with the command that installs it.
    from reconciler.service.factory import open_app

    return open_app(store, settings, api_key)


def serve(
    store: Path,
    settings: ServiceSettings = _DEFAULTS,
    *,
    host: str,
    port: int,
    api_key: str | None,
    on_ready: Callable[[str], None],
) -> None:
    """Serve a directory over HTTP until SIGINT or SIGTERM, then return.

    Shape:  port 0 is any free port; without `api_key` it asks for none; `on_ready` receives the base URL, ending in
            /v1, once connections are accepted
    Raises: EngineMissingError; StoreError, also when another process serves the same directory; UnusablePlaceError when
            the directory or the port cannot be used
    """
    require_packages("starlette", "python_multipart", "uvicorn")
    # The web server is an optional dependency: a missing one is reported above, with the command that installs it.
    from reconciler.service.uvicorn_server import serve_until_stopped

    serve_until_stopped(store, settings, api_key, host=host, port=port, on_ready=on_ready)
