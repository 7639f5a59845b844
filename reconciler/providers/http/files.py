"""The files of a service, and notes, which are files that expire by themselves."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from tempfile import SpooledTemporaryFile

import msgspec
from msgspec.structs import replace

from reconciler.domain.desired import Dataset
from reconciler.domain.errors import MalformedError, RejectedError
from reconciler.domain.observed import FileId, RemoteFile
from reconciler.domain.ports import Done, Refused, RemoteNote, Write
from reconciler.providers.http.client import Client, Multipart, segment
from reconciler.providers.http.paging import ListWarnings
from reconciler.providers.http.wire import LENIENT, PURPOSE, STRICT, Reader, read_file, read_listed_file

NOTE_PURPOSE = "user_data"
"""Files of this purpose are data for a model's context: never trained on, and never processed."""


_MOST_IN_MEMORY = 16 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024


def no_refusal(_: Dataset) -> None:
    """Refuse no rows."""


class FileRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a dialect keeps files.

    Shape:  `page_size` is what a page of the list is asked to hold, 0 where the list has no pages; `refuse_rows` says
            why a dataset cannot be trained on; `encode_rows` turns our canonical rows into the bytes that the service
            wants, None where it takes them as they are. Digests are those of the canonical rows in any case
    """

    path: str = "files"
    page_size: int = 10_000
    refuse_rows: Callable[[Dataset], RejectedError | None] = no_refusal
    encode_rows: Callable[[Iterator[bytes]], Iterator[bytes]] | None = None


class Files:
    """The files of one service in one dialect."""

    def __init__(self, client: Client, rules: FileRules) -> None:
        self._client = client
        self._path = rules.path
        self._rules = rules

    def list(
        self, warnings: ListWarnings, purpose: str | None = PURPOSE, reader: Reader = STRICT
    ) -> Iterator[RemoteFile]:
        """Yield the files of one purpose, or of every one. A server that does not know the filter ignores it."""
        read: Callable[[msgspec.Raw], RemoteFile] = lambda item: self._mark(read_listed_file(item, reader))  # noqa: E731
        if not self._rules.page_size:
            return self._client.list_whole("files", self._path, read, warnings)
        query = {"purpose": purpose} if purpose else {}
        return self._client.list_paged("files", self._path, query, self._rules.page_size, read, warnings)

    def find(self, dataset: Dataset) -> RemoteFile | None:
        """Return a usable file of exactly this name, size and purpose; the oldest of several."""
        same = (
            file
            for file in self.list(ListWarnings())
            if file.purpose == PURPOSE and file.holds(*dataset.file_key) and not file.is_broken
        )
        return min(same, key=lambda file: file.age_key, default=None)

    def read(self, file: FileId, reader: Reader = LENIENT) -> RemoteFile:
        """Return one file."""
        return self._mark(read_file(self._client.get(f"{self._path}/{segment(file)}"), reader))

    def content(self, file: FileId, most_bytes: int | None) -> Iterator[bytes]:
        """Yield a file's content, block by block as it comes."""
        return self._client.content(f"{self._path}/{segment(file)}/content", file, most_bytes)

    def upload(self, dataset: Dataset, blocks: Iterator[bytes]) -> Write[RemoteFile]:
        """Send a dataset's rows in the service's form, once."""
        if refusal := self._rules.refuse_rows(dataset):
            return Refused(refusal)
        name, size_bytes, encode = dataset.stamp.filename, dataset.measure.size_bytes, self._rules.encode_rows
        if encode is None:
            form = _form(PURPOSE, name, size_bytes, blocks)
            return self._client.upload(
                self._path, form, lambda answer: check_upload(read_file(answer, LENIENT), name, size_bytes)
            )
        # How much is sent is known only when all rows are encoded, and a form says it first.
        with SpooledTemporaryFile(max_size=_MOST_IN_MEMORY) as spool:
            spool.writelines(encode(blocks))
            size_bytes = spool.tell()
            spool.seek(0)
            form = _form(PURPOSE, name, size_bytes, iter(partial(spool.read, _BLOCK_BYTES), b""))
            sent = self._client.upload(
                self._path, form, lambda answer: check_upload(read_file(answer, LENIENT), name, size_bytes)
            )
        return replace(sent, value=self._mark(sent.value)) if isinstance(sent, Done) else sent

    def send_label(self, filename: str, content: bytes) -> Write[FileId]:
        """Send a small training file, once, soon or not at all: a create waits for it."""

        def read_id(answer: bytes) -> FileId:
            file = read_file(answer)
            if (file.filename, file.purpose) != (filename, PURPOSE):
                raise MalformedError(f"the service answered the sending of {filename} with something else")
            return file.id

        form = _form(PURPOSE, filename, len(content), (content,))
        return self._client.send_file(self._path, form, read_id, is_urgent=True)

    def leave_note(self, name: str, content: bytes, lives_seconds: int) -> Write[RemoteNote]:
        """Send a note, once."""
        expiry = {"expires_after[anchor]": "created_at", "expires_after[seconds]": str(lives_seconds)}
        form = _form(NOTE_PURPOSE, name, len(content), (content,), expiry)
        return self._client.send_file(self._path, form, lambda answer: _read_note(answer, name))

    def notes(self) -> tuple[RemoteNote, ...]:
        """Return every note.

        Raises: MalformedError when the list may not be whole, because on this answer depends which run may create
        """
        warnings = ListWarnings()
        files = tuple(self.list(warnings, NOTE_PURPOSE, LENIENT))
        if warnings.words:
            raise MalformedError(f"the list of notes may not be whole: {'; '.join(warnings.words)}")
        return tuple(
            RemoteNote(id=file.id, name=file.filename, created_at=file.created_at or 0)
            for file in files
            if file.filename and file.purpose == NOTE_PURPOSE
        )

    def _mark(self, file: RemoteFile) -> RemoteFile:
        is_recoded = self._rules.encode_rows is not None and file.stamp is not None
        return replace(file, is_recoded=True) if is_recoded else file


def check_upload(file: RemoteFile, filename: str, size_bytes: int) -> Done[RemoteFile]:
    """Return the file that the answer to an upload names, and in what it differs from what was sent."""
    echoed = {"name": file.filename, "size": file.size_bytes or 0, "purpose": file.purpose}
    sent = {"name": filename, "size": size_bytes, "purpose": PURPOSE}
    wrong = (f"the {name} {echoed[name]!r} instead of {sent[name]!r}" for name in sent if echoed[name] != sent[name])
    return Done(file, tuple(wrong))


def _form(
    purpose: str, filename: str, size_bytes: int, blocks: Iterable[bytes], more: Mapping[str, str] | None = None
) -> Multipart:
    return Multipart(
        fields={"purpose": purpose, **(more or {})},
        filename=filename,
        size_bytes=size_bytes,
        blocks=blocks,
        boundary=secrets.token_hex(16),
    )


def _read_note(answer: bytes, name: str) -> RemoteNote:
    file = read_file(answer, LENIENT)
    if file.filename != name or file.purpose != NOTE_PURPOSE or file.expires_at is None:
        raise MalformedError(f"the service made file {file.id} out of a note, with another name, purpose or expiry")
    return RemoteNote(id=file.id, name=name, created_at=file.created_at or 0)
