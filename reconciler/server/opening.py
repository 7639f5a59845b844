"""Puts the service together, in this process or on a port. Loads the web framework once it is known to be there."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.server.missing import require

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def open_app(
    root: Path,
    *,
    api_key: str | None,
    engines: tuple[str, ...] | None = None,
    clock: Callable[[], float] | None = None,
    file_bytes: int | None = None,
) -> "ASGIApp":
    """Open a store and put the application in front of it."""
    require("starlette", "python_multipart")
    from reconciler.server.answers import Answers
    from reconciler.server.app import make_app
    from reconciler.server.engines.shelf import DEFAULT_ENGINES, open_shelf
    from reconciler.server.service import Limits, Service
    from reconciler.server.store.files import sweep
    from reconciler.server.store.home import open_store, organization

    store = open_store(root)
    sweep(store)
    with store.read() as db:
        owner = organization(db)
    modules = DEFAULT_ENGINES if engines is None else engines
    shelf = open_shelf(modules)
    service = Service(
        store=store,
        organization=owner,
        answers=Answers(store, shelf),
        shelf=shelf,
        engines=modules,
        clock=clock or time.time,
        limits=Limits() if file_bytes is None else Limits(file_bytes=file_bytes),
    )
    return make_app(service, api_key)


def serve_until_stopped(root: Path, *, host: str, port: int, api_key: str, on_ready: Callable[[str], None]) -> None:
    """Open a store and serve it on a port until a signal says stop."""
    require("starlette", "python_multipart", "uvicorn")
    from reconciler.server.listening import listen

    app = open_app(root, api_key=api_key)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        listen(app, listener, lambda: on_ready(f"http://{shown}:{bound}/v1"))
