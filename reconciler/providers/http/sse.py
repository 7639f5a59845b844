"""Server-sent events out of bytes, however they were cut. Knows the format, and knows no service."""

from collections.abc import Iterable, Iterator

from reconciler.domain.errors import MalformedError

_LONGEST = 1024 * 1024
"""The most bytes that one event may take."""


def event_data(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the data of each event, lines joined by newlines; comments and other fields are passed over.

    An event that its blank line does not end is dropped, as the format says.

    Raises: MalformedError when an event grows without end
    """
    data: list[str] = []
    size = 0
    for line in _lines(chunks):
        size += len(line)
        if size > _LONGEST:
            raise MalformedError("the service sent an event that does not end; nothing was concluded from it")
        if not line:
            if data:
                yield "\n".join(data)
            data, size = [], 0
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" ").decode(errors="replace"))


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
