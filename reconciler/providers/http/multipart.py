"""A form with one file, written as a stream: the file is never whole in memory, and its length is known before."""

from collections.abc import Iterable, Iterator, Mapping

import httpx

from reconciler.domain.errors import StalePlanError

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
