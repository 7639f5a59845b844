"""What a file most likely is, from its first bytes, when it is not what its name says."""

import codecs
import re
from collections.abc import Iterator

from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import Encoding

BOM = b"\xef\xbb\xbf"
_HEAD = 4096
_AS_UTF_16 = "save the file as UTF-8, or give its source `encoding: utf-16`"
_INDENTED = re.compile(rb"\s*[\[{][ \t]*\r?\n[ \t\r\n]*[\"\[{]")

_SIGNATURES = (
    (
        b"version https://git-lfs.github.com/spec/",
        "file.lfs-pointer",
        "a Git LFS pointer, not the data",
        "run `git lfs pull`",
    ),
    (b"\xff\xfe", "text.encoding", "UTF-16, not UTF-8", _AS_UTF_16),
    (b"\xfe\xff", "text.encoding", "UTF-16, not UTF-8", _AS_UTF_16),
    (b"PK\x03\x04", "file.kind", "a zip archive or a workbook, not text", "name a workbook .xlsx; unpack an archive"),
    (b"\x1f\x8b", "file.kind", "compressed with gzip, not text", "unpack it first"),
    (b"\xd0\xcf\x11\xe0", "file.kind", "an old Excel workbook, not text", "save it as .xlsx"),
    (b"PAR1", "file.kind", "a Parquet file, not text", "export it as .jsonl or .csv"),
)


def text_blocks(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[bytes]:
    """Yield the blocks of a text file, without a byte order mark; none when its start shows another kind of file."""
    blocks = decode_blocks(blocks, source, report)
    first = next(blocks, b"")
    problem = recognise_file(first[:_HEAD], source)
    if problem:
        report.stop_reading(problem)
        return
    yield first.removeprefix(BOM)
    yield from blocks


def recognise_file(head: bytes, source: Source) -> Problem | None:
    """Name what a file is by its first bytes; None when it may well be what its extension says."""
    for signature, rule, what, hint in _SIGNATURES:
        if head.startswith(signature):
            return _file_problem(source, rule, f"the file is {what}", hint)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 4 and min(even, odd) < len(head) // 16:
        return _file_problem(source, "text.encoding", "the file is most likely UTF-16, not UTF-8", _AS_UTF_16)
    if even + odd > len(head) // 4:
        return _file_problem(
            source, "file.kind", "the file is not text: much of it is zero bytes", "name a file of rows"
        )
    text = head.removeprefix(BOM)
    if source.extension == ".jsonl" and _INDENTED.match(text):
        return _file_problem(
            source,
            "json.indented",
            "line 1 is not a whole row: the file is most likely indented JSON, not JSON Lines",
            "write each row on one line; a list of rows may also be named .json",
        )
    return None


def _file_problem(source: Source, rule: str, what: str, hint: str) -> Problem:
    return Problem(where=Place(file=source.name, line=1), what=what, hint=hint, rule=rule)


class BlankLines:
    """Counts the blank lines of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first = 0
        self._count = 0

    def add(self, line: int) -> None:
        self._first = self._first or line
        self._count += 1

    def report_to(self, report: RowReport) -> None:
        """Report them, when there were any, at the first."""
        if self._count:
            noun = "line is" if self._count == 1 else "lines are"
            report.add(
                Problem(
                    where=Place(file=self._source.name, line=self._first),
                    what=f"{self._count} {noun} blank and passed over",
                    rule="text.blank-line",
                    severity=Severity.WARNING,
                )
            )


_BIG_ENDIAN_MARK = b"\xfe\xff"


def decode_blocks(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[bytes]:
    """Return the blocks of a file in UTF-8.

    Shape:  UTF-16 without a byte order mark is read as little-endian, as Windows writes it
    Cost:   one block in memory
    """
    return blocks if source.terms.encoding is Encoding.UTF_8 else _decode_from(blocks, source, report)


def _decode_from(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[bytes]:
    encoding, first = source.terms.encoding, next(blocks, b"")
    decoder = codecs.getincrementaldecoder(_codec(encoding, first))()
    try:
        yield decoder.decode(first).encode()
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        report.stop_reading(
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
