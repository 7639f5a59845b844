"""A connection of the server: every phase of it has a deadline, and there are at most so many at once.

A caller who does nothing must not keep another one out. When all connections are taken, the one that has waited longest
without a complete request is closed for a new one.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

import h11
import msgspec
from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from reconciler.service.errors import ApiError, busy_connections_error

LOG = logging.getLogger("reconciler.service")

BACKLOG = 64
"""Connections that the system accepts before the server sees them; they are accepted in one go."""

_FREE_SHARE = 2

HEAD_BYTES = 64 * 1024
"""The largest head of a request: its first line and its headers."""


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long each phase of a connection may take, and how many connections there may be.

    Shape:  the head of a request has `head_seconds`; its body `body_seconds`, and a second more for each
            `body_bytes_a_second` that have arrived; a caller that does not read an answer has `write_seconds`
    """

    most: int = 512
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    body_bytes_a_second: int = 1024
    write_seconds: float = 30.0

    @classmethod
    def of_system(cls) -> "ConnectionLimits":
        """Return the limits for this process, which also needs open files for the store."""
        try:
            files = os.sysconf("SC_OPEN_MAX")
        except (AttributeError, ValueError, OSError):
            return cls()
        return cls() if files < 0 else cls(most=max(8, min(cls().most, files // _FREE_SHARE)))


def find_framing_fault(scope: Scope) -> ApiError | None:
    """Return the refusal of a request whose head is too large, or says in two ways where its body ends.

    Source: RFC 9112, section 6.1: what sends both lengths may smuggle a second request, so the connection is closed
    """
    if scope["type"] != "http":
        return None
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + len("  HTTP/1.1\r\n\r\n")
    if line + sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"]) > HEAD_BYTES:
        return ApiError(400, f"The head of the request has more than {HEAD_BYTES} bytes.")
    names = {name for name, _ in scope["headers"]}
    if names >= {b"content-length", b"transfer-encoding"}:
        return ApiError(400, "The request has a Content-Length and a Transfer-Encoding: send one of them.")
    return None


def make_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return the class of connections with these limits."""

    class LimitedConnection(ApiConnection):
        """A connection with these limits."""

        def __init__(
            self, config: Config, server_state: ServerState, app_state: dict[str, object], _loop: object = None
        ) -> None:
            super().__init__(config, server_state, app_state)
            self.limits = limits

    return LimitedConnection


class LingeringTransport:
    """A transport that ends after its caller has ended, where the caller is still sending when it has its answer.

    To close at once makes the system throw away what was sent, and the answer with it: the caller sees a reset.
    """

    def __init__(self, transport: asyncio.Transport, is_sending: Callable[[], bool], limits: ConnectionLimits) -> None:
        self._transport = transport
        self._is_sending = is_sending
        self._limits = limits
        self.is_lingering = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """End the answers; close once the caller has ended too, after a short time, or when asked again."""
        if self.is_closing() or not self._is_sending():
            self._transport.close()
            return
        self.is_lingering = True
        self._transport.resume_reading()
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(self._limits.head_seconds, self._transport.abort)

    def is_closing(self) -> bool:
        """Return whether nothing more is answered."""
        return self.is_lingering or self._transport.is_closing()


class ApiConnection(H11Protocol):
    """One connection. Its refusals are in the API's words."""

    limits: ConnectionLimits

    _began = 0.0
    _received_bytes = 0
    _phase = ""
    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and close one that waits when there are too many."""
        lingering = LingeringTransport(transport, self._is_being_sent, self.limits)
        super().connection_made(lingering)  # type: ignore[arg-type]
        self._began = self.loop.time()
        if len(self.connections) > self.limits.most and not self._close_another():
            LOG.warning("All %d connections are busy: a new one was refused.", self.limits.most)
            self._refuse(busy_connections_error(self.limits.most))
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the deadlines with the connection."""
        self._end_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read some bytes."""
        if self.transport.is_closing():
            return
        self._received_bytes += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Wait for a caller that does not read its answer, but not for ever."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self.limits.write_seconds, self._give_up_writing)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the API's words."""
        self._refuse(ApiError(400, msg))

    @property
    def is_waiting(self) -> bool:
        """Return whether nothing is being done for the caller: no request has arrived, or all were answered."""
        return self.cycle is None or self.cycle.response_complete

    def _is_being_sent(self) -> bool:
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _watch(self) -> None:
        """Set the deadline of the phase that the connection is in now."""
        phase = self._current_phase()
        if phase == self._phase:
            return
        self._end_deadline()
        self._phase, self._began, self._received_bytes = phase, self.loop.time(), 0
        seconds = {"head": self.limits.head_seconds, "rest": self.limits.head_seconds, "body": self.limits.body_seconds}
        if phase in seconds:
            self._deadline = self.loop.call_later(seconds[phase], self._check_deadline)

    def _current_phase(self) -> str:
        if self.transport.is_closing():
            return ""
        if self.conn.their_state is h11.SEND_BODY:
            # The rest of a body after its answer is read and dropped, but for a short time only.
            return "rest" if self.conn.our_state in (h11.DONE, h11.MUST_CLOSE) else "body"
        # Between two requests the server has a deadline of its own, which the first byte ends.
        is_reading = self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None
        return "head" if self.is_waiting and is_reading else ""

    def _check_deadline(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        left = 0.0
        if self._phase == "body":
            if self.flow.read_paused:
                # The store is slow, and not the caller.
                self._began, self._received_bytes = self.loop.time(), 0
            earned = self._received_bytes / self.limits.body_bytes_a_second
            left = self._began + self.limits.body_seconds + earned - self.loop.time()
        if left > 0:
            self._deadline = self.loop.call_later(left, self._check_deadline)
            return
        LOG.warning("A connection was closed: its request did not arrive in time.")
        self.transport.abort()

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up_writing(self) -> None:
        self._write_deadline = None
        LOG.warning("A connection was closed: its answer was not read in time.")
        self.transport.abort()

    def _close_another(self) -> bool:
        waiting = [
            each
            for each in self.connections
            if isinstance(each, ApiConnection) and each is not self and each.is_waiting
        ]
        if not waiting:
            return False
        LOG.warning("All %d connections are taken: the one that waited longest was closed.", self.limits.most)
        oldest = min(waiting, key=lambda each: each._began)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _refuse(self, refusal: ApiError) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [("content-type", "application/json"), ("connection", "close")]
            body = msgspec.json.encode(refusal.envelope)
            events = (
                h11.Response(status_code=refusal.status, headers=headers, reason=b""),
                h11.Data(data=body),
                h11.EndOfMessage(),
            )
            for event in events:
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
