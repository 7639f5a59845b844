"""The dialect's paths, verbs and pages. Sends and reads; what an answer means for a run is decided elsewhere."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import MalformedError, ProviderError
from reconciler.domain.observed import (
    Checkpoint,
    FileId,
    JobEvent,
    JobId,
    ModelId,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)
from reconciler.domain.ports import Write
from reconciler.providers.http.account import Account
from reconciler.providers.http.auth import Endpoint
from reconciler.providers.http.errors import error_of, network_error
from reconciler.providers.http.multipart import Multipart
from reconciler.providers.http.paging import ListWarnings, walk
from reconciler.providers.http.service_clock import ServiceClock
from reconciler.providers.http.write_result import classify_write
from reconciler.providers.openai import wire
from reconciler.providers.openai.wire import PURPOSE

T = TypeVar("T")

_FILES_A_PAGE = 10_000
_JOBS_A_PAGE = 100
_CALLER = "finetune-reconciler"
_LONGEST_REFUSAL = 1024 * 1024


class Transports(msgspec.Struct, frozen=True, kw_only=True):
    """The stacked transports to one service, one for each kind of errand.

    Shape:  `reads` repeats and reads whole; `writes`, `creates` and `uploads` send once, each on a connection of its
            own, and `creates` soon or not at all; `answers` leaves the body to be read as it comes
    """

    reads: httpx.BaseTransport
    writes: httpx.BaseTransport
    creates: httpx.BaseTransport
    uploads: httpx.BaseTransport
    answers: httpx.BaseTransport

    def close(self) -> None:
        for road in (self.reads, self.writes, self.creates, self.uploads, self.answers):
            road.close()


class Client:
    """One service, spoken to in its own words. Safe to use from several threads.

    Shape:  `whose` is what the service says of whom it answers, `time` what time it said it was
    """

    def __init__(
        self, endpoint: Endpoint, roads: Transports, key_variable: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.host = endpoint.host
        self.time = ServiceClock(clock)
        self.whose = Account()
        self._base = str(endpoint.url).rstrip("/")
        self._roads = roads
        self._key_variable = key_variable

    def close(self) -> None:
        self._roads.close()

    def files(
        self, doubts: ListWarnings, purpose: str | None = PURPOSE, reader: wire.Reader = wire.STRICT
    ) -> Iterator[RemoteFile]:
        """List the files of one purpose, or of every one, every page. Servers that do not know the filter ignore it."""
        query = {"purpose": purpose} if purpose else {}
        read: Callable[[msgspec.Raw], RemoteFile] = lambda item: wire.read_file(item, reader)  # noqa: E731 (typed)
        yield from self._list("files", "files", query | {"limit": str(_FILES_A_PAGE)}, _FILES_A_PAGE, read, doubts)

    def jobs(
        self,
        project: str,
        doubts: ListWarnings,
        filters: Mapping[str, str] | None = None,
        reader: wire.Reader = wire.STRICT,
    ) -> Iterator[RemoteJob]:
        """List jobs, every page. Servers that do not know a filter ignore it, so look at each job again."""
        query = {"limit": str(_JOBS_A_PAGE)} | {f"metadata[{key}]": value for key, value in (filters or {}).items()}
        read: Callable[[msgspec.Raw], RemoteJob] = lambda item: wire.read_job(item, project, reader)  # noqa: E731
        yield from self._list("jobs", "fine_tuning/jobs", query, _JOBS_A_PAGE, read, doubts)

    def models(self, doubts: ListWarnings, reader: wire.Reader = wire.STRICT) -> Iterator[RemoteModel]:
        """List the models; this list has no pages."""
        yield from self._unpaged("models", lambda item: wire.read_model(item, reader), doubts)

    def events(self, job: JobId, doubts: ListWarnings) -> Iterator[JobEvent]:
        """List a job's events in the service's order, page by page as they are drawn."""
        path = f"fine_tuning/jobs/{segment(job)}/events"
        yield from self._list("events", path, {"limit": str(_JOBS_A_PAGE)}, _JOBS_A_PAGE, wire.read_event, doubts)

    def checkpoints(self, job: JobId, doubts: ListWarnings) -> Iterator[Checkpoint]:
        """List a job's checkpoints, every page."""
        path = f"fine_tuning/jobs/{segment(job)}/checkpoints"
        query = {"limit": str(_JOBS_A_PAGE)}
        yield from self._list("checkpoints", path, query, _JOBS_A_PAGE, wire.read_checkpoint, doubts)

    def file(self, file: FileId, reader: wire.Reader = wire.LENIENT) -> RemoteFile:
        return wire.read_file(self._get(f"files/{segment(file)}"), reader)

    def job(self, job: JobId, project: str) -> RemoteJob:
        return wire.read_job(self._get(f"fine_tuning/jobs/{segment(job)}"), project, wire.LENIENT)

    def model(self, model: ModelId) -> RemoteModel:
        return wire.read_model(self._get(f"models/{segment(model)}"), wire.LENIENT)

    def content(self, file: FileId, most_bytes: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file, block by block as they come.

        Raises: ProviderError, at the first block or, when the content breaks off or goes on too long, later
        """
        request = self._request("GET", f"files/{segment(file)}/content", headers={"accept": "*/*"})
        read = 0
        try:
            response = self._roads.answers.handle_request(request)
            try:
                if response.status_code >= 300:
                    raise self.error_from(read_refusal(response))
                for block in response.iter_bytes():
                    read += len(block)
                    if most_bytes is not None and read > most_bytes:
                        raise MalformedError(f"the content of {file} is longer than the file is said to be")
                    yield block
            finally:
                response.close()
        except httpx.RequestError as error:
            raise self.network_error(error) from error

    def upload(self, dataset: Dataset, blocks: Iterator[bytes], read: Callable[[bytes], T]) -> Write[T]:
        """Send a dataset's lines as a file, once. What the blocks raise is raised."""
        body = Multipart(
            fields={"purpose": PURPOSE},
            filename=dataset.stamp.filename,
            size_bytes=dataset.measure.size_bytes,
            blocks=blocks,
            boundary=secrets.token_hex(16),
        )
        request = self._request("POST", "files", headers=body.headers, stream=body)
        return self._write(self._roads.uploads, request, read)

    def send_file(self, body: Multipart, read: Callable[[bytes], T]) -> Write[T]:
        """Send a small file of any purpose, once."""
        return self._write(self._roads.writes, self._request("POST", "files", headers=body.headers, stream=body), read)

    def create_job(self, body: Mapping[str, Any], read: Callable[[bytes], T]) -> Write[T]:
        """Send the body of a job, once."""
        return self._write(self._roads.creates, self._posting("fine_tuning/jobs", body), read)

    def cancel_job(self, job: JobId, read: Callable[[bytes], T]) -> Write[T]:
        """Ask once for a job to be cancelled."""
        request = self._posting(f"fine_tuning/jobs/{segment(job)}/cancel", {})
        return self._write(self._roads.writes, request, read)

    def delete(self, kind: str, thing: str) -> Write[None]:
        """Delete one of the `files` or `models`; safe to repeat, and repeated when the road fails."""
        request = self._request("DELETE", f"{kind}/{segment(thing)}")
        return self._write(self._roads.reads, request, wire.read_deleted)

    def stream(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Begin an answer that is read as it comes; whoever takes it closes it.

        Raises: ProviderError when nothing came; an answer of any status is given as it is
        """
        try:
            return self._roads.answers.handle_request(self._posting(path, body))
        except httpx.RequestError as error:
            raise self.network_error(error) from error

    def error_from(self, response: httpx.Response) -> ProviderError:
        """Return the error that an answer stands for; it must have been read."""
        return error_of(response, self._key_variable)

    def network_error(self, error: httpx.RequestError) -> ProviderError:
        """Return the error that a failure on the way stands for."""
        return network_error(error, self.host)

    def _list(
        self,
        what: str,
        path: str,
        query: Mapping[str, str],
        limit: int,
        read: Callable[[msgspec.Raw], T],
        doubts: ListWarnings,
    ) -> Iterator[T]:
        def fetch(after: str | None) -> wire.Page:
            return wire.read_page(self._get(path, {**query, **({"after": after} if after else {})}))

        items = walk(what, limit, fetch, doubts)
        return chain.from_iterable(self._read_item(what, item_id, item, read, doubts) for item_id, item in items)

    def _unpaged(self, what: str, read: Callable[[msgspec.Raw], T], doubts: ListWarnings) -> Iterator[T]:
        page = wire.read_page(self._get(what))
        if page.nameless:
            doubts.add(f"the list of {what} holds an entry without an id")
        for item_id, item in page.items:
            yield from self._read_item(what, item_id, item, read, doubts)

    def _read_item(
        self, what: str, item_id: str, item: msgspec.Raw, read: Callable[[msgspec.Raw], T], doubts: ListWarnings
    ) -> tuple[T, ...]:
        try:
            return (read(item),)
        except MalformedError:
            # One that cannot be read may be anybody's; that it is there is worth a doubt, and no more.
            doubts.add(f"the list of {what} holds {item_id}, which could not be read")
            return ()

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        request = self._request("GET", path, query=query)
        try:
            response = self._roads.reads.handle_request(request)
        except httpx.RequestError as error:
            raise self.network_error(error) from error
        self.time.set_from(response.headers.get("date", ""))
        if response.status_code >= 300:
            raise self.error_from(response)
        self.whose.hear(response.headers)
        return response.content

    def _write(self, road: httpx.BaseTransport, request: httpx.Request, read: Callable[[bytes], T]) -> Write[T]:
        def send() -> httpx.Response:
            response = road.handle_request(request)
            self.time.set_from(response.headers.get("date", ""))
            return response

        return classify_write(send, read, self.error_from, self.network_error)

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
