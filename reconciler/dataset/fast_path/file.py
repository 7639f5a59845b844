"""One file of JSON Lines by the fast path: plain rows in batches, odd rows by the general path, all in their order."""

from collections.abc import Callable, Iterator
from itertools import count, groupby

from reconciler.dataset.canonical import LineBatch, make_batch
from reconciler.dataset.fast_path.decode import plain_lines
from reconciler.dataset.fast_path.pool import open_pool
from reconciler.dataset.readers import ProgressMeter, read_blocks, text_blocks
from reconciler.dataset.readers.json_rows import parse_lines
from reconciler.dataset.readers.stream import overlong_line, whole_lines
from reconciler.dataset.readers.text import BOM, OddLines
from reconciler.dataset.report import RowReport
from reconciler.dataset.sources import Row, Source
from reconciler.domain.spec import Format

_BLOCK_BYTES = 512 << 10
"""Small enough for an answer to fit into a pipe while its reader is busy."""

GeneralPath = Callable[[Iterator[Row]], Iterator[LineBatch]]
"""The general path from a row on: its checks, and its canonical line."""


def read_plain_file(
    source: Source,
    row_format: Format,
    general: GeneralPath,
    report: RowReport,
    meter: ProgressMeter,
) -> Iterator[LineBatch]:
    """Yield the batches of one file.

    Cost:   a few blocks of 512 KiB, as they are and as they are written, and one line in memory
    """
    odd, number = OddLines(source), 1
    blocks = whole_lines(odd.watch(text_blocks(read_blocks(source, report, meter, _BLOCK_BYTES), source, report)))
    with open_pool(source, row_format, at=_mark_bytes(source)) as pool:
        for block, found in pool.work(blocks):
            if block is None:
                report.drop_row(overlong_line(source, number))
                number += 1
            elif found:
                yield LineBatch(source.name, number, *found)
                number += len(found[1])
            else:
                lines = block.split(b"\n")
                yield from _read_mixed_block(source, lines, number, row_format, general, report, odd)
                number += len(lines)
    odd.report_to(report)


def _read_mixed_block(
    source: Source,
    lines: list[bytes],
    first: int,
    row_format: Format,
    general: GeneralPath,
    report: RowReport,
    odd: OddLines,
) -> Iterator[LineBatch]:
    numbered = zip(count(first), lines, plain_lines(lines, row_format), strict=False)
    for is_plain, stretch in groupby(numbered, lambda line: line[2] is not None):
        rows = list(stretch)
        if is_plain:
            yield make_batch(source.name, rows[0][0], [text for _, _, text in rows if text is not None])
        else:
            yield from general(parse_lines(((at, line) for at, line, _ in rows), source, report, odd))


def _mark_bytes(source: Source) -> int:
    # Blocks come without the byte order mark, and a worker reads by the position in the file.
    try:
        with source.path.open("rb") as file:
            return len(BOM) if file.read(len(BOM)) == BOM else 0
    except OSError:
        return 0
