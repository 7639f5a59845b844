"""The old dialect's paths and verbs, where they differ from today's. Its lists have no pages."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from reconciler.domain.errors import MalformedError, NotFoundError
from reconciler.domain.observed import FileId, JobEvent, JobId, RemoteFile
from reconciler.domain.ports import Write
from reconciler.providers.http.multipart import Multipart
from reconciler.providers.http.paging import ListWarnings, walk
from reconciler.providers.openai import wire
from reconciler.providers.openai.client import Client, segment
from reconciler.providers.openai.wire import PURPOSE
from reconciler.providers.openai_legacy.wire import Tune, read_events, read_tune

T = TypeVar("T")

_ALL = 1_000_000_000


class LegacyClient(Client):
    """One service of that generation; files, models and answers are asked for as they are today."""

    def files(
        self, doubts: ListWarnings, purpose: str | None = PURPOSE, reader: wire.Reader = wire.STRICT
    ) -> Iterator[RemoteFile]:
        """List the files, of every purpose, for nothing can be asked of that list."""
        return self._whole("files", "files", lambda item: wire.read_file(item, reader), doubts)

    def tunes(self, doubts: ListWarnings) -> Iterator[Tune]:
        """List every job there ever was, without what they said.

        Raises: NotFoundError, on being asked, when the server does not speak this dialect
        """
        try:
            yield from self._whole("fine-tunes", "fine-tunes", read_tune, doubts)
        except NotFoundError as error:
            hint = "this server has no /fine-tunes: use the profile openai for servers that speak today's API"
            raise NotFoundError(
                str(error), status=error.status, code=error.code, request_id=error.request_id, hint=hint
            ) from error

    def tune(self, job: JobId) -> Tune:
        return read_tune(self._get(_tune_path(job)))

    def said(self, job: JobId) -> tuple[JobEvent, ...]:
        """List all that a job has said, oldest first."""
        return read_events(self._get(f"{_tune_path(job)}/events"), job)

    def create_tune(self, body: Mapping[str, Any], read: Callable[[bytes], T]) -> Write[T]:
        """Send the body of a job, once."""
        return self._write(self._roads.creates, self._posting("fine-tunes", body), read)

    def cancel_tune(self, job: JobId, read: Callable[[bytes], T]) -> Write[T]:
        """Ask once for a job to be cancelled."""
        return self._write(self._roads.writes, self._posting(f"{_tune_path(job)}/cancel", {}), read)

    def put(self, filename: str, content: bytes) -> Write[FileId]:
        """Send a small file, once, soon or not at all: a create waits for it."""
        body = Multipart(
            fields={"purpose": PURPOSE},
            filename=filename,
            size_bytes=len(content),
            blocks=(content,),
            boundary=secrets.token_hex(16),
        )

        def echoed(answer: bytes) -> FileId:
            file = wire.read_file(answer)
            if (file.filename, file.purpose) != (filename, PURPOSE):
                raise MalformedError(f"the service answered the sending of {filename} with something else")
            return file.id

        request = self._request("POST", "files", headers=body.headers, stream=body)
        return self._write(self._roads.creates, request, echoed)

    def _whole(self, what: str, path: str, read: Callable[[msgspec.Raw], T], doubts: ListWarnings) -> Iterator[T]:
        def fetch(after: str | None) -> wire.Page:
            page = wire.read_page(self._get(path, {"after": after} if after else None))
            # Where nothing is said of more, there is no more; servers that cut the list today say so, and take `after`.
            return replace(page, has_more=bool(page.has_more))

        for item_id, item in walk(what, _ALL, fetch, doubts):
            yield from self._read_item(what, item_id, item, read, doubts)


def _tune_path(job: JobId) -> str:
    return f"fine-tunes/{segment(job)}"
