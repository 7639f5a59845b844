"""What a file most likely is, from its first bytes, when it is not what its name says."""

import re
from collections.abc import Iterator

from reconciler.dataset.readers.encodings import as_utf8
from reconciler.dataset.report import Report
from reconciler.dataset.sources import Source
from reconciler.domain.errors import Place, Problem

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


def text_blocks(blocks: Iterator[bytes], source: Source, report: Report) -> Iterator[bytes]:
    """Yield the blocks of a text file, without a byte order mark; none when its start shows another kind of file."""
    blocks = as_utf8(blocks, source, report)
    first = next(blocks, b"")
    problem = recognise(first[:_HEAD], source)
    if problem:
        report.stop(problem)
        return
    yield first.removeprefix(BOM)
    yield from blocks


def recognise(head: bytes, source: Source) -> Problem | None:
    """Name what a file is by its first bytes; None when it may well be what its extension says."""
    for signature, rule, what, hint in _SIGNATURES:
        if head.startswith(signature):
            return _problem(source, rule, f"the file is {what}", hint)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 4 and min(even, odd) < len(head) // 16:
        return _problem(source, "text.encoding", "the file is most likely UTF-16, not UTF-8", _AS_UTF_16)
    if even + odd > len(head) // 4:
        return _problem(source, "file.kind", "the file is not text: much of it is zero bytes", "name a file of rows")
    text = head.removeprefix(BOM)
    if source.extension == ".jsonl" and _INDENTED.match(text):
        return _problem(
            source,
            "json.indented",
            "line 1 is not a whole row: the file is most likely indented JSON, not JSON Lines",
            "write each row on one line; a list of rows may also be named .json",
        )
    return None


def _problem(source: Source, rule: str, what: str, hint: str) -> Problem:
    return Problem(where=Place(file=source.name, line=1), what=what, hint=hint, rule=rule)
