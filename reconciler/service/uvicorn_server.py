"""Serves a store on a port with uvicorn, and stops on a signal."""

import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.domain.errors import UnusablePlaceError
from reconciler.foundation.locks import open_lock_file, try_lock
from reconciler.service.connection import BACKLOG, ConnectionLimits, find_framing_fault, make_protocol
from reconciler.service.endpoint import JsonResponse
from reconciler.service.event_log import quiet_logs
from reconciler.service.factory import open_app
from reconciler.service.faults.actions import offer_hang_up
from reconciler.service.jobs import keep_worker
from reconciler.service.settings import ServiceSettings
from reconciler.service.store.database import Store, StoreError, open_store
from reconciler.service.web_guard import LOOPBACK_HOSTS, WebGuard, use_origin_form
from reconciler.service.webhook import send_webhooks

GRACE_SECONDS = 5


def serve_until_stopped(
    root: Path,
    settings: ServiceSettings,
    api_key: str | None,
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None],
) -> None:
    """Open a store and serve it on a port until SIGINT or SIGTERM."""
    store = open_store(root)
    with (
        hold_serve_lock(store),
        open_listener(host, port) as listener,
        send_webhooks(store, settings.webhook, settings.clock),
        keep_worker(store, settings.engines, settings.clock),
    ):
        app = open_app(root, settings, api_key, shows_paths=False)
        if api_key is None:
            app = WebGuard(app, LOOPBACK_HOSTS | {host})
        # Connections inherit it. Without it, the kernel holds each short answer back for 40 ms, to send it in one go.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host_text = f"[{host}]" if listener.family == socket.AF_INET6 else host
        listen(app, listener, lambda: on_ready(f"http://{host_text}:{listener.getsockname()[1]}/v1"))


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address of this machine.

    Raises: UnusablePlaceError, with what to choose instead
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) and not isinstance(error, socket.gaierror) else None
        if number in {errno.EADDRINUSE, errno.EACCES}:
            advice = "choose another --port; --port 0 takes a free one"
        else:
            advice = "name an address of this machine with --host; the default is 127.0.0.1"
        # The library adds the address to the system's own words, as a Python value.
        # A name that cannot be resolved has a number below zero, which is no error of the system.
        why = os.strerror(number) if number and number > 0 else "this name has no address"
        raise UnusablePlaceError(f"the service cannot listen on {host}, port {port} ({why}): {advice}") from error


@contextmanager
def hold_serve_lock(store: Store) -> Iterator[None]:
    """Be the only process that serves a store on a port. Commands may still open it in their own process.

    Raises: StoreError, naming the process that serves it already
    """
    descriptor = open_lock_file(store.serve_lock)
    try:
        if not try_lock(descriptor):
            owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StoreError(f"{store.root} is served already by process {owner}: stop it, or choose another --store")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def listen(app: ASGIApp, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Answers in progress have a few seconds to end."""
    quiet_logs()
    make_server(app, on_ready, ConnectionLimits.of_system()).run(sockets=[listener])


def make_server(app: ASGIApp, on_ready: Callable[[], None], limits: ConnectionLimits) -> "UvicornServer":
    """Make a server of an application. `on_ready` is called once it accepts connections."""

    async def closable(scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := find_framing_fault(scope):
            await JsonResponse(refusal.envelope, refusal.status, {"connection": "close"})(scope, receive, send)
            return
        scope = use_origin_form(scope)
        await app(offer_hang_up(scope, lambda: server.close_connection(scope["client"])), receive, send)

    config = uvicorn.Config(
        closable,
        # Its own class of connections, whatever else is installed; none of the routes is a web socket.
        http=make_protocol(limits),
        ws="none",
        backlog=BACKLOG,
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = UvicornServer(config, on_ready)
    return server


class UvicornServer(uvicorn.Server):
    """A server that reports when it is ready, and returns when it is stopped."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then report it."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def close_connection(self, client: tuple[str, int]) -> None:
        """Close the connection to a client."""
        for connection in tuple(self.server_state.connections):
            if getattr(connection, "client", None) == client and connection.transport is not None:
                connection.transport.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on signals. Do not raise them again after the server has stopped, as the original does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
