"""Text in another encoding becomes UTF-8, where the spec says which. Nothing is guessed."""

import codecs
from collections.abc import Iterator

from reconciler.dataset.report import Report
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import Encoding

_BIG_ENDIAN_MARK = b"\xfe\xff"


def as_utf8(blocks: Iterator[bytes], source: Source, report: Report) -> Iterator[bytes]:
    """Return the blocks of a file in UTF-8.

    Shape:  UTF-16 without a byte order mark is read as little-endian, as Windows writes it
    Cost:   one block in memory
    """
    return blocks if source.terms.encoding is Encoding.UTF_8 else _decoded(blocks, source, report)


def _decoded(blocks: Iterator[bytes], source: Source, report: Report) -> Iterator[bytes]:
    encoding, first = source.terms.encoding, next(blocks, b"")
    decoder = codecs.getincrementaldecoder(_codec(encoding, first))()
    try:
        yield decoder.decode(first).encode()
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        report.stop(
            Problem(
                where=Place(file=source.name),
                what=f"not {encoding.upper()}, which `encoding` says it is: {error.reason}; reading stopped here",
                hint="say the encoding that the file has, or save it as UTF-8",
                rule="text.encoding",
            )
        )


def _codec(encoding: Encoding, first: bytes) -> str:
    if encoding is not Encoding.UTF_16:
        return encoding
    return "utf-16-be" if first.startswith(_BIG_ENDIAN_MARK) else "utf-16-le"
