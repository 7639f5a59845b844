"""JSON Lines, one row a line; and JSON, one list of objects.

For JSON Lines a byte order mark, CRLF and a missing last line feed make no difference. A JSON file is read whole,
because only its end shows whether it is JSON.
"""

from collections.abc import Iterator

import msgspec

from reconciler.dataset.readers.stream import ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.text import BlankLines, text_blocks
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import LineError, decode_json
from reconciler.domain.errors import Problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

MAX_BYTES = 256 << 20

_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_jsonl(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield the row of every line that is strict JSON.

    Cost:   one block and one line in memory
    """
    blanks = BlankLines(source)
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    yield from parse_lines(split_lines(blocks, source, report), source, report, blanks)
    blanks.report_to(report)


def parse_lines(
    lines: Iterator[tuple[int, bytes]], source: Source, report: RowReport, blanks: BlankLines
) -> Iterator[Row]:
    """Yield the row of every numbered line that is strict JSON; report the others, and count those that are blank."""
    for number, line in lines:
        try:
            yield Row(source.name, number, decode_json(line))
        except LineError as error:
            if line.strip():
                report.drop_row(place_error(error, source, number, line))
            else:
                blanks.add(number)


def place_error(error: LineError, source: Source, line: int, text: bytes) -> Problem:
    """Return the problem of a text that begins at a line, and may span many."""
    # An error counts bytes from the start of the text. A column counts characters from the last line feed before it.
    before = text[: max(error.column - 1, 0)]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1 if error.column else 0
    line += before.count(b"\n")
    return source.problem(error.rule, error.what, error.hint, line=line, column=column)


def read_json(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each item of the list, with the line it begins on.

    Cost:   the file in memory, at most 256 MiB
    """
    whole = bytearray()
    for block in text_blocks(read_blocks(source, report, meter), source, report):
        whole += block
        if len(whole) > MAX_BYTES:
            what = f"the file is larger than {MAX_BYTES >> 20} MiB, and JSON has to be read whole"
            hint = "write it as JSON Lines (.jsonl): one row a line, any size"
            report.stop_reading(source.problem("file.size", what, hint))
            return
    yield from _read_items(bytes(whole), source, report)


def _read_items(whole: bytes, source: Source, report: RowReport) -> Iterator[Row]:
    try:
        items = _items.decode(whole)
    except (msgspec.DecodeError, RecursionError):
        report.stop_reading(_not_a_list(whole, source))
        return
    line, position = 1, 0
    for item in items:
        text = bytes(item)
        start = whole.find(text, position)
        line += whole.count(b"\n", position, start)
        try:
            yield Row(source.name, line, decode_json(text))
        except LineError as error:
            report.drop_row(place_error(error, source, line, text))
        line += text.count(b"\n")
        position = start + len(text)


def _not_a_list(whole: bytes, source: Source) -> Problem:
    try:
        value = decode_json(whole)
    except LineError as error:
        first, _, rest = whole.partition(b"\n")
        if rest.strip() and _is_object(first):
            what = "the file holds one object a line: it is JSON Lines, not JSON"
            return source.problem("json.not-a-list", what, "name it .jsonl", line=1)
        return place_error(error, source, 1, whole)
    fields = value if isinstance(value, dict) else {}
    keys = [key for key, inner in fields.items() if isinstance(inner, list) and _is_rows(inner)]
    what = f"the file holds {'one object' if isinstance(value, dict) else 'one value'}, not a list of objects"
    hint = f"the rows may be under {list_words(keys, 5)}: write that list alone" if keys else ""
    return source.problem("json.not-a-list", what, hint or "put the rows into a list: [{…}, {…}]", line=1)


def _is_rows(value: list[object]) -> bool:
    return bool(value) and all(isinstance(item, dict) for item in value[:10])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode_json(line), dict)
    except LineError:
        return False
