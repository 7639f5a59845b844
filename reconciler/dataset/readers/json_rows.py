"""JSON Lines, one row a line; and JSON, one list of objects, or objects one after the other.

For JSON Lines a byte order mark, CRLF and a missing last line feed make no difference. A JSON file is read whole,
because only its end shows whether it is JSON.
"""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from reconciler.dataset.readers.stream import ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.text import OddLines, place_error, text_blocks
from reconciler.dataset.recognise import recognise_row
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import LineError, NotUtf8Error, count_values, decode_json
from reconciler.domain.errors import Problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.text import list_words

MAX_BYTES = 256 << 20
MOST_VALUES = 16_000_000

_SPACE = re.compile(r"[ \t\r\n]*")
_one_value = json.JSONDecoder()
_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_jsonl(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield the row of every line that is strict JSON.

    Cost:   one block and one line in memory
    """
    odd = OddLines(source)
    blocks = text_blocks(read_blocks(source, report, meter), source, report)
    yield from parse_lines(split_lines(odd.watch(blocks), source, report), source, report, odd)
    odd.report_to(report)


def parse_lines(lines: Iterator[tuple[int, bytes]], source: Source, report: RowReport, odd: OddLines) -> Iterator[Row]:
    """Yield the row of every numbered line that is strict JSON; report the others, and count those that are odd."""
    for number, line in lines:
        try:
            yield Row(source.name, number, decode_json(line))
        except NotUtf8Error as error:
            report.dropped += 1
            odd.add_undecoded(error, number, line, report)
        except LineError as error:
            if line.strip():
                report.drop_row(place_error(error, source, number, line))
            else:
                odd.add_blank(number)


def read_json(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each item of the list, or each of several objects, with the line it begins on.

    Cost:   the file in memory, at most 256 MiB
    """
    whole, has_text = bytearray(), False
    for block in text_blocks(read_blocks(source, report, meter), source, report):
        has_text = True
        whole += block
        if len(whole) > MAX_BYTES:
            what = f"the file is larger than {MAX_BYTES >> 20} MiB, and JSON has to be read whole"
            hint = "write it as JSON Lines (.jsonl): one row a line, any size"
            report.stop_reading(source.problem("file.size", what, hint))
            return
    # Of a file that is no text at all, that is the only problem.
    if has_text:
        yield from _read_items(bytes(whole), source, report)


def _read_items(whole: bytes, source: Source, report: RowReport) -> Iterator[Row]:
    if count_values(whole) > MOST_VALUES:
        what = f"the file holds more than {MOST_VALUES:,} values, and JSON has to be read whole"
        report.stop_reading(
            source.problem("file.size", what, "write it as JSON Lines (.jsonl): one row a line, any size")
        )
        return
    try:
        items: Iterable[bytes] = map(bytes, _items.decode(whole))
    except (msgspec.DecodeError, RecursionError):
        items = _split_objects(whole)
        if not items:
            report.stop_reading(_not_a_list(whole, source))
            return
    line, position = 1, 0
    for text in items:
        start = whole.find(text, position)
        line += whole.count(b"\n", position, start)
        try:
            yield Row(source.name, line, decode_json(text))
        except LineError as error:
            report.drop_row(place_error(error, source, line, text))
        line += text.count(b"\n")
        position = start + len(text)


def _split_objects(whole: bytes) -> list[bytes]:
    """Return the texts of objects that follow each other over several lines; none when the file is something else."""
    if _is_object(whole.partition(b"\n")[0]):
        return []
    try:
        text, at, found = whole.decode(), 0, list[bytes]()
        while text.startswith("{", at := _skip_space(text, at)):
            _, end = _one_value.raw_decode(text, at)
            found.append(text[at:end].encode())
            at = end
    except (ValueError, RecursionError):
        return []
    return found if len(found) > 1 and at == len(text) else []


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


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
    orient = _find_orientation(fields)
    if orient is not None:
        what = "the file holds columns, not rows, as pandas writes a table without further words"
        lines = f"{source.name.removesuffix('.json')}.jsonl"
        write = f'to_json("{lines}", orient="records", lines=True)'
        hint = f'read `{lines}`, which pandas writes: `pandas.read_json("{source.name}"{orient}).{write}`'
        return source.problem("json.not-a-list", what, hint, line=1)
    if recognise_row(value):
        what = "the file holds one row, not a list of rows"
        return source.problem("json.not-a-list", what, "put it into a list, with the others: [{…}, {…}]", line=1)
    keys = [key for key, inner in fields.items() if isinstance(inner, list) and _is_rows(inner)]
    what = f"the file holds {'one object' if isinstance(value, dict) else 'one value'}, not a list of objects"
    hint = f"the rows may be under {list_words(keys, 5)}: write that list alone" if keys else ""
    return source.problem("json.not-a-list", what, hint or "put the rows into a list: [{…}, {…}]", line=1)


def _find_orientation(fields: dict[str, object]) -> str | None:
    """Return the argument with which pandas reads an object as a table; None when it is no table."""
    if {"columns", "data"} <= set(fields) <= {"columns", "index", "data"}:
        return ', orient="split"'
    values = list(fields.values())
    inner = [value for value in values if isinstance(value, dict) and value]
    if inner and len(inner) == len(values) and all(value.keys() == inner[0].keys() for value in inner[:10]):
        # The numbers of the rows are the outer keys, or the inner ones.
        if all(map(str.isdigit, inner[0])):
            return ""
        return ', orient="index"' if all(map(str.isdigit, fields)) else None
    lists = [value for value in values if isinstance(value, list) and value and not _is_rows(value)]
    is_table = len(lists) > 1 and len(lists) == len(values) and len(set(map(len, lists))) == 1
    return "" if is_table else None


def _is_rows(value: list[object]) -> bool:
    return bool(value) and all(isinstance(item, dict) for item in value[:10])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode_json(line), dict)
    except LineError:
        return False
