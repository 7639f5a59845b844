"""An ASGI application in this process, called over the same interface as a remote service."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from reconciler.providers.http import ASGITransport
from tests.providers.fakes import Parts

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
URL = "http://localhost/v1/files?limit=3&after=file%2F1"


def start(status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": [(b"x-made-by", b"app")]}


def body(part: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": part, "more_body": more}


async def echo(scope: Any, receive: Receive, send: Send) -> None:
    """Send every part of the request back as it comes."""
    assert scope["type"] == "http"
    await send(start())
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message["more_body"]:
            break
        await send(body(message["body"], more=True))
    await send(body(b""))


@pytest.fixture
def opened() -> Iterator[Callable[[Any], ASGITransport]]:
    made: list[ASGITransport] = []

    def make(app: Any) -> ASGITransport:
        made.append(ASGITransport(app))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def ask(
    transport: ASGITransport, stream: httpx.SyncByteStream | bytes = b"", read: float | None = 20
) -> httpx.Response:
    content, parts = (stream, None) if isinstance(stream, bytes) else (None, stream)
    extensions = {"timeout": {"read": read}}
    request = httpx.Request("POST", URL, content=content, stream=parts, extensions=extensions)
    return transport.handle_request(request)


def test_a_request_arrives_unchanged(opened: Callable[[Any], ASGITransport]) -> None:
    received: dict[str, Any] = {}

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            received.update(scope, body=(await receive())["body"])
            await send(start(201))
            await send(body(b"made"))

    response = ask(opened(app), b"rows")
    assert (response.status_code, response.headers["x-made-by"], response.read()) == (201, "app", b"made")
    assert (received["method"], received["path"], received["query_string"]) == (
        "POST",
        "/v1/files",
        b"limit=3&after=file%2F1",
    )
    assert (received["body"], dict(received["headers"])[b"content-length"]) == (b"rows", b"4")


def test_bodies_are_streamed_in_both_directions(opened: Callable[[Any], ASGITransport]) -> None:
    """A part of the answer is there before the next part of the request has been drawn."""
    drawn: list[int] = []

    class Rows(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for number in range(100):
                drawn.append(number)
                yield b"row %d" % number

    response = ask(opened(echo), Rows())
    parts = response.iter_raw()
    assert next(parts) == b"row 0"
    assert len(drawn) < 50, "the application draws no further ahead than the answer's reader lets it"
    assert list(parts)[-1] == b"row 99"


def test_an_endless_answer_ends_when_its_reader_closes_it(opened: Callable[[Any], ASGITransport]) -> None:
    disconnected = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await receive()
        await receive()
        await send(start())
        next_message = asyncio.ensure_future(receive())
        while not next_message.done():
            await send(body(b"tick", more=True))
            await asyncio.sleep(0)
        assert next_message.result()["type"] == "http.disconnect"
        disconnected.set()

    response = ask(opened(app), b"x")
    assert next(response.iter_raw()) == b"tick"
    response.close()
    assert disconnected.wait(10)


def test_an_exception_in_the_application_is_a_500_without_its_text(opened: Callable[[Any], ASGITransport]) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise RuntimeError("a secret of the inside")

    response = ask(opened(app))
    assert response.status_code == 500
    assert response.read()
    assert "secret" not in response.text
    assert response.json()["error"]["type"] == "server_error"


def test_an_exception_in_the_middle_breaks_the_answer_off(opened: Callable[[Any], ASGITransport]) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send(start())
            await send(body(b"half", more=True))
            raise RuntimeError("a secret of the inside")

    response = ask(opened(app))
    with pytest.raises(httpx.RemoteProtocolError, match="broke off"):
        response.read()


def test_an_application_that_sends_nothing_is_a_500(opened: Callable[[Any], ASGITransport]) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        return

    assert ask(opened(app)).status_code == 500


def test_an_exception_of_the_request_body_reaches_the_caller(opened: Callable[[Any], ASGITransport]) -> None:
    """The failure is the caller's own, so the caller gets it, and the application receives a disconnect."""
    messages: list[str] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        while scope["type"] == "http":
            messages.append((await receive())["type"])
            if messages[-1] == "http.disconnect":
                return

    with pytest.raises(OSError, match="the disk is gone"):
        ask(opened(app), Parts(b"row", OSError("the disk is gone")))
    assert messages == ["http.request", "http.disconnect"]


def test_waiting_for_an_answer_has_a_limit(opened: Callable[[Any], ASGITransport]) -> None:
    async def silent(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            while (await receive())["type"] != "http.disconnect":
                pass

    async def half(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send(start())
            await silent(scope, receive, send)

    with pytest.raises(httpx.ReadTimeout):
        ask(opened(silent), b"x", read=0.01)
    response = ask(opened(half), b"x", read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        response.read()


def test_many_threads_may_send_requests_at_once(opened: Callable[[Any], ASGITransport]) -> None:
    transport = opened(echo)

    def one(number: int) -> bytes:
        return ask(transport, Parts(b"row ", str(number).encode())).read()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(40))) == [b"row %d" % number for number in range(40)]


def test_the_application_receives_its_lifespan_events() -> None:
    messages: list[str] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["library"] = "books"
            for _ in range(2):
                messages.append((await receive())["type"])
                await send({"type": f"{messages[-1]}.complete"})
        else:
            messages.append(scope["state"]["library"])
            await send(start())
            await send(body(b""))

    transport = ASGITransport(app)
    ask(transport)
    transport.close()
    transport.close()
    assert messages == ["lifespan.startup", "books", "lifespan.shutdown"]


def test_an_application_that_fails_at_startup_is_reported_in_one_line(opened: Callable[[Any], ASGITransport]) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "Traceback:\n  inside\nOSError: the store is gone"})

    with pytest.raises(httpx.ConnectError, match=r"^the built-in service could not start: OSError: the store is gone$"):
        ask(opened(app))


def test_a_transport_that_was_not_closed_leaves_nothing_behind() -> None:
    """No event loop, no thread and no warning remain."""
    before = threading.active_count()
    transport = ASGITransport(echo)
    ask(transport, b"x").read()
    assert threading.active_count() > before
    del transport
    gc.collect()
    assert not [thread for thread in threading.enumerate() if thread.name == "asgi"]
