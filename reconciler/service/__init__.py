"""The built-in fine-tuning service: the API's files, jobs and models over a directory. Knows no specs and no plans.

Importing this loads neither the web framework nor any engine; opening the service loads the first, training and asking
the second.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.service.faults import Fault, read_faults
from reconciler.service.legacy.base_aliases import ALL_LEGACY_BASES, read_bases
from reconciler.service.optional_deps import EngineMissingError
from reconciler.service.options import Options

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = [
    "ALL_LEGACY_BASES",
    "EngineMissingError",
    "Fault",
    "Options",
    "open_service",
    "read_bases",
    "read_faults",
    "serve",
]

_PLAIN = Options()


def open_service(
    store: Path,
    *,
    api_key: str | None = None,
    engines: tuple[str, ...] | None = None,
    clock: Callable[[], float] | None = None,
    file_bytes: int | None = None,
    faults: tuple[Fault, ...] = (),
    legacy_bases: Mapping[str, str] | None = None,
    options: Options = _PLAIN,
) -> "ASGIApp":
    """Open the service on a directory, made when there is none, as an ASGI application for use in this process.

    Shape:  without `api_key` it asks for none; `engines` are module names, by default the ones that are built in;
            `clock` gives seconds since 1970; `file_bytes` is the largest file it takes; `faults` are done on purpose;
            `legacy_bases` are further names of bases, each with the engine or the model that it stands for
    Raises: EngineMissingError, naming the command that installs what is missing; StoreError; UsageError for seeds that
            nobody knows
    """
    from reconciler.service.factory import open_app

    return open_app(
        store,
        api_key=api_key,
        engines=engines,
        clock=clock,
        file_bytes=file_bytes,
        faults=faults,
        legacy_bases=legacy_bases,
        options=options,
    )


def serve(
    store: Path,
    *,
    host: str,
    port: int,
    api_key: str | None,
    on_ready: Callable[[str], None],
    faults: tuple[Fault, ...] = (),
    legacy_bases: Mapping[str, str] | None = None,
    options: Options = _PLAIN,
) -> None:
    """Serve a directory over HTTP until SIGINT or SIGTERM, then return.

    Shape:  port 0 is any free port; without `api_key` it asks for none; `on_ready` is given the base URL, ending in
            /v1, once connections are taken
    Raises: EngineMissingError; StoreError, also when another process serves the same directory; OSError when the port
            cannot be had
    """
    from reconciler.service.factory import serve_until_stopped

    serve_until_stopped(
        store,
        host=host,
        port=port,
        api_key=api_key,
        on_ready=on_ready,
        faults=faults,
        legacy_bases=legacy_bases,
        options=options,
    )
