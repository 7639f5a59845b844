"""An ASGI application as a transport: the same HTTP, without a socket. Knows HTTP, and knows no application.

uvicorn in a thread on a Unix socket would take a fifth of these lines, and each call costs the same. It was measured
and left: its import and start add 50 ms of CPU time to each local command, and its stop 100 to 190 ms of waiting; a
provider that is not closed would leave its thread and socket behind; Windows has no such sockets.
"""

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import httpx

from reconciler.providers.http.transport import ByteStream

T = TypeVar("T")
AsgiMessage = MutableMapping[str, Any]
AsgiApp = Callable[
    [AsgiMessage, Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]], Awaitable[None]
]

_PARTS_AHEAD = 8
"""How many parts of an answer may wait for their reader before the application has to."""

_LEAVING_SECONDS = 5.0
"""How long requests that are still being worked on may take to end when everything is closed."""

_CLOSED = "the built-in service of this command has ended"

_BROKEN = b'{"error": {"message": "the service failed inside", "type": "server_error", "param": null, "code": null}}'
_BROKEN_START: AsgiMessage = {"status": 500, "headers": [(b"content-type", b"application/json")]}


class LoopThread:
    """The loop, its thread, and the threads that draw request bodies."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._drawing = ThreadPoolExecutor(thread_name_prefix="asgi-body")
        self._running: dict[asyncio.Task[None], AsgiRequest] = {}
        self._state: dict[str, Any] = {}
        self._lifespan = _Lifespan(app, self._state)
        self._loop = asyncio.new_event_loop()
        self._is_closed = False
        self._handing_over = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="asgi", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Let the application begin.

        Raises: httpx.ConnectError when it says that it cannot
        """
        self.call(self._lifespan.start())

    def call(self, work: Coroutine[Any, Any, T], limit: float | None = None) -> T:
        """Run something in the loop and wait for what it gives.

        Raises: TimeoutError after `limit` seconds, httpx.ConnectError when the loop has ended or ends meanwhile
        """
        # A thread that still looks may come when everything is being closed: what is handed over then would never run.
        with self._handing_over:
            if self._is_closed:
                work.close()
                raise httpx.ConnectError(_CLOSED)
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(limit)
        except CancelledError as error:
            raise httpx.ConnectError(_CLOSED) from error
        except BaseException:
            with self._handing_over:
                if not self._loop.is_closed():
                    future.cancel()
            raise

    def leave(self, exchange: "AsgiRequest") -> None:
        """Read no further in an answer; nothing to do when all has ended already."""
        with suppress(httpx.ConnectError):
            self.call(exchange.leave())

    def close(self) -> None:
        """End everything; afterwards nothing is left of the loop and its threads."""
        if threading.current_thread() is self._thread:  # collected as garbage in the loop itself: it cannot wait
            self._loop.stop()
            return
        with self._handing_over:
            if self._is_closed:
                return
            self._is_closed = True
            leaving = asyncio.run_coroutine_threadsafe(self._leave(), self._loop)
        leaving.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with self._handing_over:
            self._loop.close()
        self._drawing.shutdown(wait=False, cancel_futures=True)

    async def begin(self, body: httpx.SyncByteStream, scope: AsgiMessage) -> "AsgiRequest":
        exchange = AsgiRequest(body, self._drawing)
        task = asyncio.ensure_future(exchange.run(self._app, {**scope, "state": dict(self._state)}))
        self._running[task] = exchange
        task.add_done_callback(self._running.pop)
        return exchange

    async def _leave(self) -> None:
        for exchange in tuple(self._running.values()):
            await exchange.leave()
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=_LEAVING_SECONDS)
        await self._lifespan.end()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Lifespan:
    """Runs the start and the end of the application; one without such events is used as it is."""

    def __init__(self, app: AsgiApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._inbox: asyncio.Queue[AsgiMessage] = asyncio.Queue()
        self._outbox: asyncio.Queue[AsgiMessage] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())
        answer = await self._send_event("lifespan.startup")
        if answer.get("type") == "lifespan.startup.failed":
            # Frameworks put a traceback into the message; its last line says what it was.
            reason = str(answer.get("message", "")).strip().rpartition("\n")[2][:300]
            raise httpx.ConnectError(f"the built-in service could not start: {reason}")

    async def end(self) -> None:
        await self._send_event("lifespan.shutdown")

    async def _run(self) -> None:
        scope: AsgiMessage = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._app(scope, self._inbox.get, self._outbox.put)
        except Exception:
            # By the protocol, this is how an application says that it knows no lifespan.
            await self._outbox.put({"type": "lifespan.unsupported"})

    async def _send_event(self, what: str) -> AsgiMessage:
        if self._task is None or self._task.done():
            return {}
        await self._inbox.put({"type": what})
        heard = asyncio.ensure_future(self._outbox.get())
        await asyncio.wait({heard, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if heard.done():
            return heard.result()
        heard.cancel()
        return {}


class AsgiRequest:
    """One request and its answer. Everything happens in the loop, but for the drawing of the request's body.

    Shape:  `signs_of_life` counts parts drawn; `is_drawing` while the caller's iterator is at work
    """

    def __init__(self, body: httpx.SyncByteStream, drawing: ThreadPoolExecutor) -> None:
        self.signs_of_life = 0
        self.is_drawing = False
        self._drawing = drawing
        self._in_memory = isinstance(body, httpx.ByteStream)
        self._source: Iterator[bytes] = iter(body)
        self._drawn_out = False
        self._drawn_wrong: BaseException | None = None
        self._start: asyncio.Future[AsgiMessage] = asyncio.get_running_loop().create_future()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(_PARTS_AHEAD)
        self._ended = False
        self._left = asyncio.Event()
        self._over = asyncio.Event()

    async def wait_for_start(self) -> AsgiMessage:
        """Return the beginning of the answer."""
        return await asyncio.shield(self._start)

    async def next_part(self) -> bytes | None:
        """Return the next part of the answer; None at its end."""
        part = await self._parts.get()
        if part is None and not self._ended and self._drawn_wrong is None:
            raise httpx.RemoteProtocolError("the service broke off its answer")
        return part

    async def leave(self) -> None:
        """Read no further: the application hears of a disconnect, and what it still says is dropped."""
        self._left.set()
        self._over.set()
        while not self._parts.empty():
            self._parts.get_nowait()

    def check(self) -> None:
        """Raise what the iterator of the request's body raised, for that is the caller's own."""
        if self._drawn_wrong is not None:
            raise self._drawn_wrong

    async def run(self, app: AsgiApp, scope: AsgiMessage) -> None:
        """Let the application answer, and see that there is an answer whatever it does."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: S110 (over HTTP, a caller learns only that there was a failure inside)
            pass
        finally:
            await self._finish()

    async def _receive(self) -> AsgiMessage:
        if self._drawn_out or self._drawn_wrong is not None or self._left.is_set():
            await self._over.wait()
            return {"type": "http.disconnect"}
        try:
            part = await self._draw()
        except Exception as error:
            self._give_up(error)
            return {"type": "http.disconnect"}
        self._drawn_out = part is None
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def _send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            if not self._start.done():
                self._start.set_result(message)
            return
        if message.get("body"):
            await self._queue_part(bytes(message["body"]))
        if not message.get("more_body", False):
            self._ended = True
            self._over.set()
            await self._queue_part(None)

    async def _draw(self) -> bytes | None:
        if self._in_memory:
            return next(self._source, None)
        # The iterator reads files and may take its time, which the loop has not.
        self.is_drawing = True
        try:
            return await asyncio.get_running_loop().run_in_executor(self._drawing, next, self._source, None)
        finally:
            self.is_drawing = False
            self.signs_of_life += 1

    def _give_up(self, error: Exception) -> None:
        self._drawn_wrong = error
        self._over.set()
        if not self._start.done():
            self._start.set_result(_BROKEN_START)

    async def _queue_part(self, part: bytes | None) -> None:
        if self._left.is_set():
            return
        if not self._parts.full():
            self._parts.put_nowait(part)
            return
        both = (asyncio.ensure_future(self._parts.put(part)), asyncio.ensure_future(self._left.wait()))
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for each in both:
            each.cancel()

    async def _finish(self) -> None:
        if not self._start.done():
            self._start.set_result(_BROKEN_START)
            self._ended = True
            await self._queue_part(_BROKEN)
        if not self._ended or self._start.result() is _BROKEN_START:
            await self._queue_part(None)
        self._over.set()


class ASGITransport(httpx.BaseTransport):
    """Drives an ASGI application in an event loop of its own thread, streaming both ways.

    Request bodies are drawn from their iterator only as the application asks for them, and an answer's parts are
    produced only as they are read. What the application raises becomes an answer of status 500 that says nothing
    about it; what a request's iterator raises is raised to the caller. Safe to use from several threads.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._loop_thread: LoopThread | None = None
        self._closer: weakref.finalize[[], ASGITransport] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        loop = self._running_loop()
        assert isinstance(request.stream, httpx.SyncByteStream)
        exchange = loop.call(loop.begin(request.stream, _scope(request)))
        limit = _read_limit(request)
        try:
            started = _wait_for_start(loop, exchange, limit)
            exchange.check()
        except BaseException:
            loop.leave(exchange)
            raise
        return httpx.Response(
            started["status"],
            headers=list(started.get("headers", [])),
            stream=ByteStream(lambda: _parts(loop, exchange, limit), lambda: loop.leave(exchange)),
        )

    def close(self) -> None:
        """End the application's lifespan, its loop and its thread."""
        with self._lock:
            if self._closer is not None:
                self._closer()

    def _running_loop(self) -> LoopThread:
        with self._lock:
            if self._loop_thread is None:
                self._loop_thread = LoopThread(self._app)
                # Who forgets to close is not left with a thread that outlives its loop.
                self._closer = weakref.finalize(self, self._loop_thread.close)
                self._loop_thread.start()
            return self._loop_thread


def _wait_for_start(loop: LoopThread, exchange: AsgiRequest, limit: float | None) -> AsgiMessage:
    while True:
        seen = exchange.signs_of_life
        try:
            return loop.call(exchange.wait_for_start(), limit)
        except TimeoutError:
            # As on a socket, the time to answer begins when the request has been sent.
            if exchange.signs_of_life == seen and not exchange.is_drawing:
                raise httpx.ReadTimeout("the service did not answer in time") from None


def _parts(loop: LoopThread, exchange: AsgiRequest, limit: float | None) -> Iterator[bytes]:
    while True:
        try:
            part = loop.call(exchange.next_part(), limit)
        except TimeoutError:
            raise httpx.ReadTimeout("the service fell silent in the middle of its answer") from None
        exchange.check()
        if part is None:
            return
        yield part


def _scope(request: httpx.Request) -> AsgiMessage:
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 0),
        "server": (request.url.host, request.url.port or 80),
    }


def _read_limit(request: httpx.Request) -> float | None:
    limit = request.extensions.get("timeout", {}).get("read")
    return None if limit is None else float(limit)
