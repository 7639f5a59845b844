"""Asks models, and yields the answers piece by piece. Waits a little for a model that was just trained."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import msgspec

from reconciler.domain.errors import MalformedError, ProviderError, TemporaryError
from reconciler.domain.ports import AtEnd
from reconciler.providers.http.client import Client, read_refusal
from reconciler.providers.http.errors import is_final, read_complaint

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 15.0
_LONGEST_ANSWER = 16 * 1024 * 1024
_LONGEST_REASON = 200
_LONGEST_STREAM = 64 * 1024 * 1024


class _Reply(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    text: str | None = None
    delta: _Reply | None = None
    message: _Reply | None = None
    finish_reason: str | None = None

    @property
    def words(self) -> str:
        reply = self.delta or self.message
        return (reply.content or reply.refusal or "" if reply else self.text) or ""


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: Any = None
    object: Any = None
    type: Any = None


class ServerEvent(NamedTuple):
    """One event of a stream: its kind, empty where none is said, and its data."""

    kind: str
    data: str


def ask(
    client: Client,
    path: str,
    body: Mapping[str, Any],
    *,
    warmup_seconds: float,
    sleep: Callable[[float], None],
    at_end: AtEnd,
) -> Iterator[str]:
    """Yield the pieces of an answer as they come; `at_end` receives the reason for its end, where the service says it.

    Raises: ProviderError, at the first piece or, when the answer breaks off, later
    """
    response = _begin(client, path, {**body, "stream": True}, warmup_seconds, sleep)
    try:
        if "json" in response.headers.get("content-type", ""):
            reason = yield from _at_once(response)
        else:
            reason = yield from _pieces(response)
        if reason is not None:
            at_end(reason)
    except httpx.RequestError as error:
        raise client.network_error(error) from error
    finally:
        response.close()


def _begin(
    client: Client, path: str, body: Mapping[str, Any], wait_seconds: float, sleep: Callable[[float], None]
) -> httpx.Response:
    pause = _FIRST_PAUSE
    while True:
        response = client.stream(path, body)
        if response.status_code < 300:
            return response
        refusal = _refusal(client, response)
        # A model answers some minutes after its job has succeeded, and until then is as if it were not there.
        if not _is_warming_up(refusal) or wait_seconds <= 0:
            raise client.error_from(refusal)
        sleep(min(pause, wait_seconds))
        wait_seconds -= pause
        pause = min(pause * 2, _LONGEST_PAUSE)


def _refusal(client: Client, response: httpx.Response) -> httpx.Response:
    try:
        return read_refusal(response)
    except httpx.RequestError as error:
        raise client.network_error(error) from error
    finally:
        response.close()


def _is_warming_up(refusal: httpx.Response) -> bool:
    status = refusal.status_code
    if status == 404:
        return read_complaint(refusal.content).code == "model_not_found"
    return status == 503 or (status == 429 and not is_final(refusal))


def _at_once(response: httpx.Response) -> Generator[str, None, str | None]:
    # Some servers know no streaming, and answer whole.
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > _LONGEST_ANSWER:
            raise MalformedError("the answer has no end; nothing was concluded from it")
    choices = _chunk(bytes(content)).choices
    if not choices:
        raise MalformedError("the service answered without an answer in it; nothing was concluded from it")
    yield choices[0].words
    return choices[0].finish_reason


def _pieces(response: httpx.Response) -> Generator[str, None, str | None]:
    reason: str | None = None
    has_events = False
    for event in read_events(_bound(response.iter_bytes())):
        has_events, data = True, event.data
        if event.kind == "error":
            raise _failed_inside(data.encode())
        if data.strip() == "[DONE]":
            return reason
        for choice in _chunk(data.encode()).choices or ():
            reason = choice.finish_reason if choice.finish_reason is not None else reason
            if choice.words:
                yield choice.words
    kind = response.headers.get("content-type", "")
    if not has_events and "event-stream" not in kind:
        raise MalformedError(
            f"the service answered with {kind[:80] or 'no type of content'}, and not with events; nothing was concluded"
            " from it",
            hint="check the address of the service: a page of a gateway may stand in its place",
        )
    if reason is None:
        raise TemporaryError("the answer broke off before its end", hint="ask again")
    return reason


def _bound(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a stream.

    Raises: MalformedError when they go on without end
    """
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _LONGEST_STREAM:
            raise MalformedError(f"the answer does not end after {_LONGEST_STREAM >> 20} MiB; the rest was not read")
        yield chunk


def _chunk(data: bytes) -> _Chunk:
    try:
        chunk = msgspec.json.decode(data, type=_Chunk)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise MalformedError(f"the service's answer cannot be read: {str(error)[:200]}") from error
    if chunk.error or "error" in (chunk.object, chunk.type):
        raise _failed_inside(data)
    return chunk


def _failed_inside(data: bytes) -> ProviderError:
    complaint = read_complaint(data)
    # Some servers give the reason as mere text.
    text = "" if data.lstrip().startswith(b"{") else data.decode(errors="replace")[:_LONGEST_REASON]
    reason = complaint.message or text or "no reason that could be read"
    return TemporaryError(f"the service broke off its answer: {reason}", code=complaint.code, hint="ask again")


_LONGEST = 1024 * 1024
"""The most bytes that one event may take."""


def read_events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Yield each event that has data, its lines joined by newlines; comments and other fields are passed over.

    An event that its blank line does not end is dropped, as the format says.

    Raises: MalformedError when an event grows without end
    """
    data: list[str] = []
    size, kind = 0, ""
    for line in _lines(chunks):
        size += len(line)
        if size > _LONGEST:
            raise MalformedError("the service sent an event that does not end; nothing was concluded from it")
        if not line:
            if data:
                yield ServerEvent(kind, "\n".join(data))
            data, size, kind = [], 0, ""
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" ").decode(errors="replace"))
        elif name == b"event":
            kind = value.removeprefix(b" ").decode(errors="replace")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut at LF, CR or CRLF; what follows the last of them is not a line yet."""
    rest = bytearray()
    started = False
    for chunk in chunks:
        rest += chunk
        if not started and len(rest) >= 3:
            started = True
            if rest.startswith(b"\xef\xbb\xbf"):
                del rest[:3]
        # A CR at the very end may be half of a CRLF: it is kept until more has come.
        held = rest.endswith(b"\r")
        whole = bytes(rest[:-1] if held else rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = whole.split(b"\n")
        yield from lines
        rest = bytearray(last + b"\r" if held else last)
        if len(rest) > _LONGEST:
            raise MalformedError("the service sent a line that does not end; nothing was concluded from it")
    if rest.endswith(b"\r"):
        yield bytes(rest[:-1])
