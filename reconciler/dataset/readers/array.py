"""JSON: one list of objects, read whole because its end says whether it is JSON at all."""

from collections.abc import Iterator

import msgspec

from reconciler.dataset.canonical import parse
from reconciler.dataset.json_errors import LineError
from reconciler.dataset.readers.jsonl import problem_of
from reconciler.dataset.readers.sniff import text_blocks
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.stream import Meter, read_blocks
from reconciler.domain.errors import Place, Problem
from reconciler.domain.spec import DatasetSpec
from reconciler.foundation.suggest import list_words

MAX_BYTES = 256 << 20

_items = msgspec.json.Decoder(list[msgspec.Raw])


def read(source: Source, spec: DatasetSpec, report: Report, meter: Meter) -> Iterator[Row]:
    """Yield each item of the list, with the line it begins on.

    Cost:   the file in memory, at most 256 MiB
    """
    whole = _whole(source, report, meter)
    if whole is None:
        return
    try:
        items = _items.decode(whole)
    except (msgspec.DecodeError, RecursionError):
        report.stop(_not_a_list(whole, source))
        return
    line, position = 1, 0
    for item in items:
        text = bytes(item)
        start = whole.find(text, position)
        line += whole.count(b"\n", position, start)
        try:
            yield Row(source.name, line, parse(text))
        except LineError as error:
            report.drop(problem_of(error, _place(source, line, text, error.column)))
        line += text.count(b"\n")
        position = start + len(text)


def _whole(source: Source, report: Report, meter: Meter) -> bytes | None:
    whole = bytearray()
    for block in text_blocks(read_blocks(source, report, meter), source, report):
        whole += block
        if len(whole) > MAX_BYTES:
            report.stop(
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
        value = parse(whole)
    except LineError as error:
        first, _, rest = whole.partition(b"\n")
        if rest.strip() and _is_object(first):
            return Problem(
                where=Place(file=source.name, line=1),
                what="the file holds one object a line: it is JSON Lines, not JSON",
                hint="name it .jsonl",
                rule="json.not-a-list",
            )
        return problem_of(error, _place(source, 1, whole, error.column))
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
        return isinstance(parse(line), dict)
    except LineError:
        return False


def _place(source: Source, line: int, text: bytes, column: int) -> Place:
    # A column counts from the start of the text, which may be many lines: count from the last line feed before it.
    before = text[: max(column - 1, 0)]
    return Place(
        file=source.name, line=line + before.count(b"\n"), column=len(before) - before.rfind(b"\n") if column else 0
    )
