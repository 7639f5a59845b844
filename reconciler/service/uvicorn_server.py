"""Runs an ASGI application on a listening socket, and stops when it is told to."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.service.faults.disconnect import offer

GRACE_SECONDS = 5


def listen(app: ASGIApp, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; answers that are on their way have a few seconds to end."""

    async def closable(scope: Scope, receive: Receive, send: Send) -> None:
        await app(offer(scope, lambda: server.close_connection(scope["client"])), receive, send)

    config = uvicorn.Config(
        closable,
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, on_ready)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it is up, and that returns when it was stopped."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def close_connection(self, client: tuple[str, int]) -> None:
        """Close the connection to a caller, whatever was said on it."""
        for connection in tuple(self.server_state.connections):
            if getattr(connection, "client", None) == client and connection.transport is not None:
                connection.transport.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on signals, and keep them: the original raises them again once the server has stopped."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
