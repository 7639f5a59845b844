"""JSON Lines: one row a line. A byte order mark, CRLF and a missing last line feed make no difference."""

from collections.abc import Iterator

import msgspec

from reconciler.dataset.readers.stream import ProgressMeter, read_blocks, split_lines
from reconciler.dataset.readers.text import BlankLines, text_blocks
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.dataset.strict_json import LineError, decode_json
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.suggest import list_words


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
    """Yield the row of every numbered line that is strict JSON; report the others, and note those that are blank."""
    for number, line in lines:
        try:
            yield Row(source.name, number, decode_json(line))
        except LineError as error:
            if line.strip():
                report.drop_row(place_error(error, Place(file=source.name, line=number, column=error.column)))
            else:
                blanks.add(number)


def place_error(error: LineError, where: Place) -> Problem:
    """Place what is wrong with a line."""
    return Problem(where=where, what=error.what, hint=error.hint, rule=error.rule)


MAX_BYTES = 256 << 20

_items = msgspec.json.Decoder(list[msgspec.Raw])


def read_json(source: Source, spec: DatasetSpec, report: RowReport, meter: ProgressMeter) -> Iterator[Row]:
    """Yield each item of the list, with the line it begins on.

    Cost:   the file in memory, at most 256 MiB
    """
    whole = _whole(source, report, meter)
    if whole is None:
        return
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
            report.drop_row(place_error(error, _place(source, line, text, error.column)))
        line += text.count(b"\n")
        position = start + len(text)


def _whole(source: Source, report: RowReport, meter: ProgressMeter) -> bytes | None:
    whole = bytearray()
    for block in text_blocks(read_blocks(source, report, meter), source, report):
        whole += block
        if len(whole) > MAX_BYTES:
            report.stop_reading(
                Problem(
                    where=Place(file=source.name),
                    what=f"the file is larger than {MAX_BYTES >> 20} MiB, and JSON has to be read whole",
                    hint="write it as JSON Lines (.jsonl): one row a line, any size",
                    rule="file.size",
                )
            )
            return None
    return bytes(whole)


def _not_a_list(whole: bytes, source: Source) -> Problem:
    try:
        value = decode_json(whole)
    except LineError as error:
        first, _, rest = whole.partition(b"\n")
        if rest.strip() and _is_object(first):
            return Problem(
                where=Place(file=source.name, line=1),
                what="the file holds one object a line: it is JSON Lines, not JSON",
                hint="name it .jsonl",
                rule="json.not-a-list",
            )
        return place_error(error, _place(source, 1, whole, error.column))
    keys = (
        [key for key, inner in value.items() if isinstance(inner, list) and _is_rows(inner)]
        if isinstance(value, dict)
        else []
    )
    kind = "one object" if isinstance(value, dict) else "one value"
    return Problem(
        where=Place(file=source.name, line=1),
        what=f"the file holds {kind}, not a list of objects",
        hint=f"the rows may be under {list_words(keys, 5)}: write that list alone"
        if keys
        else "put the rows into a list: [{…}, {…}]",
        rule="json.not-a-list",
    )


def _is_rows(value: list[object]) -> bool:
    return bool(value) and all(isinstance(item, dict) for item in value[:10])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(decode_json(line), dict)
    except LineError:
        return False


def _place(source: Source, line: int, text: bytes, column: int) -> Place:
    # A column counts from the start of the text, which may be many lines: count from the last line feed before it.
    before = text[: max(column - 1, 0)]
    return Place(
        file=source.name, line=line + before.count(b"\n"), column=len(before) - before.rfind(b"\n") if column else 0
    )
