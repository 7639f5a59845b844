"""The text of a file: UTF-8 blocks, in the encoding that the spec states, of a file that is what its name says."""

import codecs
import re
from collections.abc import Iterator
from itertools import chain

import msgspec
from msgspec.structs import replace

from reconciler.dataset.encodings import advise_encoding, codec_of
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Source
from reconciler.dataset.strict_json import LineError, NotUtf8Error
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import Encoding

BOM = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096
_ENCODING_BYTES = 32 << 10
_AS_UTF_16 = "save the file as UTF-8, or give its source `encoding: utf-16`"
_TABLES, _JSON = frozenset({".csv", ".tsv"}), frozenset({".json", ".jsonl"})
_ENDINGS = ((b"\t", ".tsv"), (b",", ".csv"), (b";", ".csv"), (b"|", ".csv"))
_LIST = re.compile(rb"\[\s*\{\s*\"(?:[^\"\\]|\\.)*\"\s*:")
_INDENTED = re.compile(rb"\s*[\[{][ \t]*\r?\n[ \t\r\n]*[\"\[{]")
_LFS = b"version https://git-lfs.github.com/spec/"

_SIGNATURES = (
    (_LFS, "file.lfs-pointer", "a Git LFS pointer, not the data", "run `git lfs pull`"),
    *((mark, "text.encoding", "UTF-16, not UTF-8", _AS_UTF_16) for mark in _UTF_16_MARKS),
    (b"PK\x03\x04", "file.kind", "a zip archive or a workbook, not text", "name a workbook .xlsx; unpack an archive"),
    (b"\x1f\x8b", "file.kind", "compressed with gzip, not text", "unpack it first"),
    (b"\xd0\xcf\x11\xe0", "file.kind", "an old Excel workbook, not text", "save it as .xlsx"),
    (b"PAR1", "file.kind", "a Parquet file, not text", "export it as .jsonl or .csv"),
)


def text_blocks(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[bytes]:
    """Yield the blocks of a text file as UTF-8, without a byte order mark; none when it is another kind of file.

    Shape:  of UTF-16 without a byte order mark, the zero bytes of ASCII letters show which byte comes first
    Cost:   one block in memory
    """
    blocks = blocks if source.terms.encoding is Encoding.UTF_8 else _decode_blocks(blocks, source, report)
    first = next(blocks, b"")
    problem = recognise_file(first[:_HEAD], source)
    if problem:
        report.stop_reading(problem)
        return
    yield first.removeprefix(BOM)
    yield from blocks


def recognise_file(head: bytes, source: Source) -> Problem | None:
    """Return a problem when the first bytes of a file show another kind than its extension; else None."""
    for signature, rule, what, hint in _SIGNATURES:
        if head.startswith(signature):
            return source.problem(rule, f"the file is {what}", hint, line=1)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 4 and min(even, odd) < len(head) // 16:
        return source.problem("text.encoding", "the file is most likely UTF-16, not UTF-8", _AS_UTF_16, line=1)
    if even + odd > len(head) // 4:
        what = "the file is not text: much of it is zero bytes"
        return source.problem("file.kind", what, "name a file of rows", line=1)
    if source.extension == ".jsonl" and _INDENTED.match(head.removeprefix(BOM)):
        what = "line 1 is not a whole row: the file is most likely indented JSON, not JSON Lines"
        hint = "name it .json, or write each row on one line"
        return source.problem("json.indented", what, hint, line=1)
    return _recognise_rows(head.removeprefix(BOM), source)


def _recognise_rows(head: bytes, source: Source) -> Problem | None:
    """Return a problem when rows are of another kind than the extension says: JSON in a table, or a table in JSON."""
    first, _, rest = head.lstrip().partition(b"\n")
    if source.extension in _TABLES:
        if _LIST.match(head.lstrip()):
            return source.problem(
                "file.kind", "the file is a list of JSON objects, not a table", "name it .json", line=1
            )
        if not first.startswith(b"{") or not _is_json(first, is_whole=bool(rest)):
            return None
        what, hint = "the file is JSON Lines, not a table", "name it .jsonl"
        return source.problem("file.kind", what, hint, line=1)
    second = rest.partition(b"\n")[0]
    if source.extension not in _JSON or first.startswith((b"{", b"[")) or second.startswith((b"{", b"[")):
        return None
    ending = next((each for mark, each in _ENDINGS if 0 < first.count(mark) <= second.count(mark)), None)
    if not ending or _is_json(first, is_whole=True):
        return None
    what = f"the file is most likely a table, not {'JSON Lines' if source.extension == '.jsonl' else 'JSON'}"
    return source.problem("file.kind", what, f"name it {ending}", line=1)


def _is_json(line: bytes, *, is_whole: bool) -> bool:
    if not is_whole and line.startswith(b'{"'):
        return True
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def place_error(error: LineError, source: Source, line: int, text: bytes, others: bytes = b"") -> Problem:
    """Return the problem of a text that begins at a line, and may span many; `others` show its encoding too."""
    # An error counts bytes from the start of the text. A column counts characters from the last line feed before it.
    before = text[: max(error.column - 1, 0)]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1 if error.column else 0
    line += before.count(b"\n")
    what, hint = error.what, error.hint
    if isinstance(error, NotUtf8Error):
        suggested, hint = advise_encoding(others + error.head)
        what += f"; the file is most likely {suggested}" if suggested else ""
    return source.problem(error.rule, what, hint, line=line, column=column)


class OddLines:
    """Counts the lines of one file that are blank, and those that are not UTF-8: one cause is one problem."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first_blank = 0
        self._first_undecoded: Problem | None = None
        self._blank = self._undecoded = 0
        self._head = b""

    def watch(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the blocks of the file unchanged; keep its first lines, which show its encoding better than one."""
        for block in blocks:
            self._head = self._head or block[:_ENCODING_BYTES].rpartition(b"\n")[0]
            yield block

    def add_blank(self, line: int) -> None:
        self._first_blank = self._first_blank or line
        self._blank += 1

    def add_undecoded(self, error: NotUtf8Error, line: int, text: bytes, report: RowReport) -> None:
        """Count a line that is not UTF-8. The first is reported at once, as a pass may end before the file does.

        Shape:  what the lines say is unknown, and so is how many rows the steps would keep
        """
        self._undecoded += 1
        if self._first_undecoded is None:
            # Lines of ASCII show nothing, and others are UTF-8 in a file that was put together from several.
            odd = [each for each in self._head.split(b"\n") if each != text and not _is_utf_8(each)]
            others = b"".join(each + b"\n" for each in odd)
            self._first_undecoded = place_error(error, self._source, line, text, others)
            report.stop_reading(self._first_undecoded)

    def report_to(self, report: RowReport) -> None:
        """Report the blank lines, if there are any, at the first, and how many lines are not UTF-8."""
        if self._blank:
            what = f"{self._blank} blank {'line is' if self._blank == 1 else 'lines are'} skipped"
            blank = self._source.problem("text.blank-line", what, line=self._first_blank, severity=Severity.WARNING)
            report.add(blank)
        if self._first_undecoded and self._undecoded > 1:
            what, first = f"{self._undecoded} lines are not UTF-8; the first is shown", self._first_undecoded
            report.add(replace(first, what=what, severity=Severity.INFO))


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_blocks(blocks: Iterator[bytes], source: Source, report: RowReport) -> Iterator[bytes]:
    encoding, first, line = source.terms.encoding, next(blocks, b""), 1
    if encoding is not Encoding.UTF_16 and first.startswith((BOM, *_UTF_16_MARKS)):
        what = f"not {encoding.upper()}, which `encoding` says it is: the first bytes mark Unicode"
        hint = "remove `encoding`" if first.startswith(BOM) else "write `encoding: utf-16`"
        report.stop_reading(source.problem("text.encoding", what, hint, line=1))
        return
    decoder = codecs.getincrementaldecoder(codec_of(encoding, first))()
    try:
        for block in chain((first,), blocks):
            text = decoder.decode(block)
            yield text.encode()
            line += text.count("\n")
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        line += bytes(error.object[: error.start]).count(b"\n")
        what = f"not {encoding.upper()}, which `encoding` says it is: {error.reason}; reading stopped here"
        hint = "state the encoding that the file has, or save it as UTF-8"
        report.stop_reading(source.problem("text.encoding", what, hint, line=line))
