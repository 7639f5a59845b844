"""The built-in fine-tuning service: the API's files, jobs and models over a directory. Knows no specs and no plans.

Importing this loads neither the web framework nor any engine; opening the service loads the first, training and asking
the second.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.server.missing import EngineMissingError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["EngineMissingError", "open_service", "serve"]


def open_service(
    store: Path,
    *,
    api_key: str | None = None,
    engines: tuple[str, ...] | None = None,
    clock: Callable[[], float] | None = None,
    file_bytes: int | None = None,
) -> "ASGIApp":
    """Open the service on a directory, made when there is none, as an ASGI application for use in this process.

    Shape:  without `api_key` it asks for none; `engines` are module names, by default the ones that are built in;
            `clock` gives seconds since 1970; `file_bytes` is the largest file it takes
    Raises: EngineMissingError, naming the command that installs what is missing; StoreError
    """
    from reconciler.server.opening import open_app

    return open_app(store, api_key=api_key, engines=engines, clock=clock, file_bytes=file_bytes)


def serve(store: Path, *, host: str, port: int, api_key: str, on_ready: Callable[[str], None]) -> None:
    """Serve a directory over HTTP until SIGINT or SIGTERM, then return.

    Shape:  port 0 is any free port; `on_ready` is given the base URL, ending in /v1, once connections are taken
    Raises: EngineMissingError; StoreError; OSError when the port cannot be had
    """
    from reconciler.server.opening import serve_until_stopped

    serve_until_stopped(store, host=host, port=port, api_key=api_key, on_ready=on_ready)
