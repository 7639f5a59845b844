"""Sends requests to one service and reads lists page by page. What an answer means for a run is decided elsewhere."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import MalformedError, ProviderError, StalePlanError
from reconciler.domain.observed import RemoteJob
from reconciler.domain.ports import Done, Write
from reconciler.providers.http.answer_headers import Account, ServiceClock
from reconciler.providers.http.auth import Endpoint
from reconciler.providers.http.carried_jobs import find_jobs
from reconciler.providers.http.errors import Proof, classify_write, error_of, network_error
from reconciler.providers.http.paging import ListWarnings, Page, read_page, walk

T = TypeVar("T")
Read = Callable[[msgspec.Raw], T]

_CALLER = "finetune-reconciler"
_LONGEST_REFUSAL = 1024 * 1024
_NO_LIMIT = 1_000_000_000
_OK = 200


_LINE = b"\r\n"


class Multipart(httpx.SyncByteStream):
    """The body of a form upload, to be read once.

    Shape:  fields first, then the file
    Raises: StalePlanError, before the last byte, when the blocks are not of the size that was announced; whatever
            the blocks raise
    """

    def __init__(
        self, *, fields: Mapping[str, str], filename: str, size_bytes: int, blocks: Iterable[bytes], boundary: str
    ) -> None:
        self._filename = filename
        self._size_bytes = size_bytes
        self._blocks = blocks
        self._head = b"".join(_field(boundary, name, value) for name, value in fields.items())
        self._head += _file_head(boundary, filename)
        self._tail = _LINE + f"--{boundary}--".encode() + _LINE
        self._boundary = boundary

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with the body."""
        return {
            "content-type": f"multipart/form-data; boundary={self._boundary}",
            "content-length": str(len(self._head) + self._size_bytes + len(self._tail)),
        }

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        sent = 0
        for block in self._blocks:
            sent += len(block)
            if sent > self._size_bytes:
                raise self._size_error(f"more than {self._size_bytes}")
            yield block
        if sent < self._size_bytes:
            raise self._size_error(f"only {sent} of {self._size_bytes}")
        yield self._tail

    def _size_error(self, found: str) -> StalePlanError:
        what = f"{self._filename}: the rows have changed since they were measured ({found} bytes); plan again"
        return StalePlanError(what, moved=("specs",))


def _field(boundary: str, name: str, value: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quote(name)}"\r\n\r\n'
    return head.encode() + value.encode() + _LINE


def _file_head(boundary: str, filename: str) -> bytes:
    name = f'Content-Disposition: form-data; name="file"; filename="{_quote(filename)}"'
    return f"--{boundary}\r\n{name}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()


def _quote(text: str) -> str:
    # As browsers write it: these three would end the value or the line.
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


class Transports(msgspec.Struct, frozen=True, kw_only=True):
    """The stacked transports to one service, one for each kind of request.

    Shape:  `reads` repeats and reads whole; `writes`, `creates` and `uploads` send once, each on a connection of its
            own, and `creates` soon or not at all; `answers` leaves the body to be read as it comes
    """

    reads: httpx.BaseTransport
    writes: httpx.BaseTransport
    creates: httpx.BaseTransport
    uploads: httpx.BaseTransport
    answers: httpx.BaseTransport

    def close(self) -> None:
        for transport in (self.reads, self.writes, self.creates, self.uploads, self.answers):
            transport.close()


class Client:
    """One service and its transports; knows no path and no dialect. Safe to use from several threads.

    Shape:  `account` is whom the service answers, and `time` what time it is there, as its answers say; `proofs` are
            the answers that prove that a write had no effect
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transports: Transports,
        key_variable: str,
        clock: Callable[[], float] = time.monotonic,
        proofs: Collection[Proof] = (),
    ) -> None:
        self._proofs = proofs
        self.host = endpoint.host
        self.time = ServiceClock(clock)
        self.account = Account()
        self._base = str(endpoint.url).rstrip("/")
        self._transports = transports
        self._key_variable = key_variable

    def close(self) -> None:
        self._transports.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body of an answer.

        Raises: ProviderError for any other answer, and for none
        """
        return self._ask(path, query).content

    def _ask(self, path: str, query: Mapping[str, str] | None = None) -> httpx.Response:
        request = self._request("GET", path, query=query)
        try:
            response = self._transports.reads.handle_request(request)
        except httpx.RequestError as error:
            raise self.network_error(error) from error
        self.time.set_from(response.headers.get("date", ""))
        if response.status_code >= 300:
            raise self.error_from(response)
        self.account.read_headers(response.headers)
        return response

    def _ask_page(self, what: str, path: str, warnings: ListWarnings, query: Mapping[str, str] | None = None) -> Page:
        """Return a page of a list. Only the status 200 stands for all that was asked for."""
        response = self._ask(path, query)
        if response.status_code != _OK:
            warnings.add(f"the list of {what} came with the status {response.status_code}, which may stand for a part")
        return read_page(response.content)

    def list_paged(
        self, what: str, path: str, query: Mapping[str, str], page_size: int, read: Read[T], warnings: ListWarnings
    ) -> Iterator[T]:
        """Yield a list's items, every page; `what` names the list in a warning."""

        def fetch(after: str | None) -> Page:
            cursor = {"after": after} if after else {}
            return self._ask_page(what, path, warnings, {**query, "limit": str(page_size), **cursor})

        for item_id, item in walk(what, page_size, fetch, warnings):
            yield from _read_item(what, item_id, item, read, warnings)

    def list_whole(self, what: str, path: str, read: Read[T], warnings: ListWarnings) -> Iterator[T]:
        """Yield the items of a list without pages; a server that cuts it says that there is more, and takes `after`."""

        def fetch(after: str | None) -> Page:
            page = self._ask_page(what, path, warnings, {"after": after} if after else None)
            return replace(page, has_more=bool(page.has_more))

        for item_id, item in walk(what, _NO_LIMIT, fetch, warnings):
            yield from _read_item(what, item_id, item, read, warnings)

    def list_once(self, what: str, path: str, read: Read[T], warnings: ListWarnings) -> Iterator[T]:
        """Yield the items of a list that comes in one answer."""
        page = self._ask_page(what, path, warnings)
        if page.nameless:
            warnings.add(f"the list of {what} holds an entry without an id")
        for item_id, item in page.items:
            yield from _read_item(what, item_id, item, read, warnings)

    def content(self, path: str, name: str, most_bytes: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file, block by block as they come; `name` names the file in an error.

        Raises: ProviderError, at the first block or, when the content breaks off or goes on too long, later
        """
        read = 0
        try:
            response = self._transports.answers.handle_request(self._request("GET", path, headers={"accept": "*/*"}))
            try:
                if response.status_code >= 300:
                    raise self.error_from(read_refusal(response))
                if response.status_code != _OK:
                    what = f"the content of {name} came with the status {response.status_code}"
                    raise MalformedError(f"{what}, which may stand for a part; nothing was concluded from it")
                for block in response.iter_bytes():
                    read += len(block)
                    if most_bytes is not None and read > most_bytes:
                        raise MalformedError(f"the content of {name} is longer than the file is said to be")
                    yield block
            finally:
                response.close()
        except httpx.RequestError as error:
            raise self.network_error(error) from error

    def upload(self, path: str, body: Multipart, read: Callable[[bytes], Done[T]]) -> Write[T]:
        """Send a large file, once. What its blocks raise is raised; `read` also says what the answer makes doubtful."""
        return _flat(self._write(self._transports.uploads, self._form(path, body), read, None))

    def send_file(self, path: str, body: Multipart, read: Callable[[bytes], T], *, is_urgent: bool = False) -> Write[T]:
        """Send a small file, once; where `is_urgent`, soon or not at all, because a create waits for it."""
        transport = self._transports.creates if is_urgent else self._transports.writes
        return self._write(transport, self._form(path, body), read, None)

    def create(self, path: str, body: Mapping[str, Any], read: Callable[[bytes], Done[RemoteJob]]) -> Write[RemoteJob]:
        """Send the body of a job, once, soon or not at all; `read` also says what the answer makes doubtful.

        An answer that carries a job anywhere is about that job, whatever its status and what is around the job.
        """
        carried: list[Done[RemoteJob]] = []

        def read_any(answer: bytes) -> Done[RemoteJob]:
            jobs = list(_read_carried(answer, read))
            # Of several the one that bears what was sent.
            return next((job for job in jobs if not job.doubts), jobs[0]) if jobs else read(answer)

        def explain(response: httpx.Response) -> ProviderError:
            for job in _read_carried(response.content, read):
                doubt = f"in an answer that is an error (HTTP {response.status_code})"
                carried.append(Done(replace(job.value, stamp=None), (doubt, *job.doubts)))
            return self.error_from(response)

        request = self._posting(path, body)
        written = _flat(self._write(self._transports.creates, request, read_any, self._proofs, explain))
        return carried[0] if carried else written

    def post(self, path: str, read: Callable[[bytes], T]) -> Write[T]:
        """Send an empty body, once."""
        return self._write(self._transports.writes, self._posting(path, {}), read, self._proofs)

    def delete(self, path: str, read: Callable[[bytes], T]) -> Write[T]:
        """Delete something; safe to repeat, and repeated when the network fails."""
        return self._write(self._transports.reads, self._request("DELETE", path), read, self._proofs)

    def stream(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Begin an answer that is read as it comes; the caller closes it.

        Raises: ProviderError when nothing came; an answer of any status is returned as it is
        """
        try:
            return self._transports.answers.handle_request(self._posting(path, body))
        except httpx.RequestError as error:
            raise self.network_error(error) from error

    def error_from(self, response: httpx.Response) -> ProviderError:
        """Return the error that an answer stands for; it must have been read."""
        return error_of(response, self._key_variable)

    def network_error(self, error: httpx.RequestError) -> ProviderError:
        """Return the error that a failure of the network stands for."""
        return network_error(error, self.host)

    def _write(
        self,
        transport: httpx.BaseTransport,
        request: httpx.Request,
        read: Callable[[bytes], T],
        proofs: Collection[Proof] | None,
        explain: Callable[[httpx.Response], ProviderError] | None = None,
    ) -> Write[T]:
        def send() -> httpx.Response:
            response = transport.handle_request(request)
            self.time.set_from(response.headers.get("date", ""))
            return response

        usual = self.error_from if proofs is not None else self._explain_upload
        return classify_write(send, read, explain or usual, self.network_error, proofs)

    def _explain_upload(self, response: httpx.Response) -> ProviderError:
        return error_of(response, self._key_variable, is_upload=True)

    def _form(self, path: str, body: Multipart) -> httpx.Request:
        return self._request("POST", path, headers=body.headers, stream=body)

    def _posting(self, path: str, body: Mapping[str, Any]) -> httpx.Request:
        content = msgspec.json.encode(body)
        return self._request("POST", path, headers={"content-type": "application/json"}, content=content)

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        stream: httpx.SyncByteStream | None = None,
    ) -> httpx.Request:
        url = f"{self._base}/{path}" + (f"?{urlencode(query)}" if query else "")
        # With a stream of our own, the library leaves even the host to us.
        common = {"host": self.host, "accept": "application/json", "user-agent": _CALLER}
        return httpx.Request(method, url, headers={**common, **(headers or {})}, content=content, stream=stream)


def _flat(written: Write[Done[T]]) -> Write[T]:
    return written.value if isinstance(written, Done) else written


def _read_carried(answer: bytes, read: Callable[[bytes], Done[RemoteJob]]) -> Iterator[Done[RemoteJob]]:
    for job in find_jobs(answer):
        with suppress(MalformedError):
            yield read(job)


def _read_item(what: str, item_id: str, item: msgspec.Raw, read: Read[T], warnings: ListWarnings) -> tuple[T, ...]:
    try:
        return (read(item),)
    except MalformedError:
        # One that cannot be read may be ours or not; that it is there is worth a warning, and no more.
        warnings.add(f"the list of {what} holds {item_id}, which could not be read")
        return ()


def read_refusal(response: httpx.Response) -> httpx.Response:
    """Return a refusal with as much of its body read as an explanation may need."""
    content = b""
    for part in response.iter_bytes():
        content += part
        if len(content) > _LONGEST_REFUSAL:
            break
    kept = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
    return httpx.Response(response.status_code, headers=kept, content=content[:_LONGEST_REFUSAL])


def segment(item_id: str) -> str:
    """Write an id as one part of a path; ids of models have colons, which stay."""
    if item_id.strip(".") == "":
        raise MalformedError(f"{item_id!r} is no id that can be asked for")
    return quote(item_id, safe=":")
