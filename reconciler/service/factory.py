"""Puts the service together, in this process or on a port. Loads the web framework once it is known to be there."""

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.service.faults import Fault
from reconciler.service.optional_deps import require
from reconciler.service.options import Options

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from reconciler.service.context import Limits, Service

_PLAIN = Options()


def open_app(
    root: Path,
    *,
    api_key: str | None,
    engines: tuple[str, ...] | None = None,
    clock: Callable[[], float] | None = None,
    file_bytes: int | None = None,
    faults: tuple[Fault, ...] = (),
    legacy_bases: Mapping[str, str] | None = None,
    options: Options = _PLAIN,
) -> "ASGIApp":
    """Open a store and put the application in front of it."""
    require("starlette", "python_multipart")
    from reconciler.service.app import make_app
    from reconciler.service.context import Service
    from reconciler.service.engines.registry import DEFAULT_ENGINES, open_shelf
    from reconciler.service.legacy.models import check_bases
    from reconciler.service.model_cache import Answers
    from reconciler.service.seeding import plant
    from reconciler.service.store.database import open_store, organization
    from reconciler.service.store.files import sweep
    from reconciler.service.store.seeds import has_seeds

    now = clock or time.time
    store = open_store(root)
    sweep(store)
    if options.seeds is not None:
        plant(store, options.seeds, int(now()))
    with store.read() as db:
        owner, seeded = organization(db), has_seeds(db)
    modules = DEFAULT_ENGINES if engines is None else engines
    shelf = open_shelf(modules, legacy_bases)
    with store.read() as db:
        check_bases(db, shelf)
    service = Service(
        store=store,
        organization=owner,
        answers=Answers(store, shelf),
        shelf=shelf,
        engines=modules,
        clock=now,
        limits=_limits(file_bytes, options),
        show_paused=options.show_paused,
        seeded=seeded,
    )
    app = make_app(service, api_key)
    return _with_faults(app, service, faults) if faults else app


def _limits(file_bytes: int | None, options: Options) -> "Limits":
    from reconciler.service.context import Limits

    limits = Limits(requests_per_minute=options.requests_per_minute)
    return limits if file_bytes is None else replace(limits, file_bytes=file_bytes)


def _with_faults(app: "ASGIApp", service: "Service", faults: tuple[Fault, ...]) -> "ASGIApp":
    from reconciler.service.faults.actions import Surroundings
    from reconciler.service.faults.middleware import Faulty

    return Faulty(app, faults, Surroundings(store=service.store, clock=service.clock))


def serve_until_stopped(
    root: Path,
    *,
    host: str,
    port: int,
    api_key: str | None,
    on_ready: Callable[[str], None],
    faults: tuple[Fault, ...] = (),
    legacy_bases: Mapping[str, str] | None = None,
    options: Options = _PLAIN,
) -> None:
    """Open a store and serve it on a port until a signal says stop."""
    require("starlette", "python_multipart", "uvicorn")
    from reconciler.service.lifespan import sole, telling
    from reconciler.service.store.database import open_store
    from reconciler.service.uvicorn_server import listen

    store = open_store(root)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        sole(store),
        socket.create_server((host, port), family=family) as listener,
        telling(store, options.webhook, time.time),
    ):
        app = open_app(root, api_key=api_key, faults=faults, legacy_bases=legacy_bases, options=options)
        # Connections inherit it. Without it, the kernel holds each short answer back for 40 ms, to send it in one go.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        listen(app, listener, lambda: on_ready(f"http://{shown}:{bound}/v1"))
