"""Reads a multipart upload while it arrives: the bytes of the file go to disk, the other fields are limited."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from reconciler.service.errors import ApiError, missing_error

if TYPE_CHECKING:  # the library defines this type for type checkers only
    from python_multipart.multipart import MultipartCallbacks

FIELD_BYTES = 64 * 1024
MOST_PARTS = 50
MOST_PADDING = 64
"""The bytes around a boundary that are kept while it arrives in pieces: line ends, dashes and spaces."""
MULTIPART = b"multipart/form-data"


class MultipartForm(msgspec.Struct, frozen=True, kw_only=True):
    """The fields beside the bytes. `filename` is the client's text; it is shown and never used as a path."""

    filename: str
    fields: dict[str, str]


async def receive_form(
    request: Request, sink: Callable[[bytes], None], most_bytes: int, part: str = "file"
) -> MultipartForm:
    """Read a whole upload, and pass the bytes of the file to the sink as they arrive.

    Raises: ApiError when it is not an upload, has no file, or is larger than allowed
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != MULTIPART or b"boundary" not in options:
        raise ApiError(400, f"Expected a multipart/form-data body with the file in the part '{part}'.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and float(announced) > most_bytes + MOST_PARTS * FIELD_BYTES:
        raise too_large(most_bytes, part)
    parts, preamble = _FormReader(sink, most_bytes, part), _Preamble(options[b"boundary"])
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        async for block in request.stream():
            if rest := preamble.skip(block):
                parser.write(rest)
        parser.finalize()
    except FormParserError as error:
        raise ApiError(400, f"The multipart body cannot be read: {error}") from error
    except ClientDisconnect as error:
        raise ApiError(400, "The upload was broken off.") from error
    if not parts.ended:
        raise ApiError(400, "The multipart body ends too early.")
    if parts.filename is None:
        raise missing_error(part)
    return MultipartForm(
        filename=parts.filename, fields={name: value.decode(errors="replace") for name, value in parts.fields}
    )


def too_large(most_bytes: int, part: str) -> ApiError:
    """Return the error for an upload that is larger than the service accepts."""
    return ApiError(413, f"Maximum content size limit ({most_bytes}) exceeded.", param=part, code="file_too_large")


_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*"')
_EXTENDED = re.compile(rb";\s*filename\*\s*=\s*([A-Za-z0-9_-]+)'[^';]*'([^;\s]*)", re.IGNORECASE)


def _extended_filename(disposition: bytes) -> str | None:
    """Return the name in `filename*`, which stands before `filename`; None when there is none that can be read."""
    found = _EXTENDED.search(_QUOTED.sub(b'""', disposition))
    if found is None:
        return None
    try:
        return unquote_to_bytes(found[2]).decode(found[1].decode(), errors="replace")
    except (LookupError, ValueError):
        return None


class _Preamble:
    """Skips what stands before the first boundary. Readers ignore it, and some mail programs write a sentence there."""

    def __init__(self, boundary: bytes) -> None:
        self._start = re.compile(rb"\r\n(--" + re.escape(boundary) + rb")[ \t]*(\r\n|--)")
        self._kept_bytes = len(boundary) + MOST_PADDING
        self._held = b"\r\n"
        self._skipped_bytes = 0
        self._is_over = False

    def skip(self, block: bytes) -> bytes:
        """Return what of a block is not preamble.

        Raises: ApiError when the preamble is too long
        """
        if self._is_over:
            return block
        self._held += block
        if found := self._start.search(self._held):
            self._is_over = True
            return found[1] + found[2] + self._held[found.end() :]
        self._skipped_bytes += len(block)
        if self._skipped_bytes > FIELD_BYTES:
            raise ApiError(400, f"The multipart body has no boundary within its first {FIELD_BYTES} bytes.")
        self._held = self._held[-self._kept_bytes :]
        return b""


class _FormReader:
    """Receives the calls of the parser, and passes on the bytes of each part."""

    def __init__(self, sink: Callable[[bytes], None], most_bytes: int, part: str) -> None:
        self.fields: list[tuple[str, bytearray]] = []
        self.filename: str | None = None
        self.ended = False
        self._sink = sink
        self._part = part
        self._left = self._most = most_bytes
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._is_file = False
        self._count = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise ApiError(400, f"The multipart body has more than {MOST_PARTS} parts.")
        self._disposition = b""

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if (extended := _extended_filename(self._disposition)) is not None:
            options[b"filename"] = extended.encode()
        name = options.get(b"name", b"").decode(errors="replace")
        self._is_file = name == self._part
        if not self._is_file:
            self.fields.append((name, bytearray()))
        elif self.filename is not None:
            raise ApiError(400, f"Expected one part '{self._part}', but got several.", param=self._part)
        elif b"filename" not in options:
            raise ApiError(400, f"The part '{self._part}' must be a file with a name, not a field.", param=self._part)
        else:
            self.filename = options[b"filename"].decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._left -= end - start
            if self._left < 0:
                raise too_large(self._most, self._part)
            self._sink(data[start:end])
            return
        value = self.fields[-1][1]
        value.extend(data[start:end])
        if len(value) > FIELD_BYTES:
            raise ApiError(413, f"The part '{self.fields[-1][0]}' is larger than {FIELD_BYTES} bytes.")

    def _end(self) -> None:
        self.ended = True
