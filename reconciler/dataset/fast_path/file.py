"""One file of JSON Lines by the fast lane: plain rows in runs, odd ones by the general rules, all in their order."""

from collections.abc import Callable, Iterator
from itertools import count, groupby

from reconciler.dataset.batch import Run, run_of
from reconciler.dataset.fast_path.decode import plain_lines
from reconciler.dataset.fast_path.pool import crew_for
from reconciler.dataset.readers.blank import Blanks
from reconciler.dataset.readers.jsonl import rows_of
from reconciler.dataset.readers.sniff import BOM, text_blocks
from reconciler.dataset.report import Report
from reconciler.dataset.row import Row
from reconciler.dataset.sources import Source
from reconciler.dataset.stream import Meter, read_blocks, too_long, whole_lines
from reconciler.domain.spec import Format

_BLOCK_BYTES = 512 << 10
"""Small enough for an answer to lie in a pipe while its reader is busy."""

General = Callable[[Iterator[Row]], Iterator[Run]]
"""The general rules from a row on: its checks, and its canonical line."""


def read_plain(
    source: Source,
    format: Format,  # noqa: A002 (the word of the field)
    general: General,
    report: Report,
    meter: Meter,
) -> Iterator[Run]:
    """Yield the runs of one file.

    Cost:   a few blocks of 512 KiB, as they are and as they are written, and one line in memory
    """
    blanks, number = Blanks(source), 1
    blocks = whole_lines(text_blocks(read_blocks(source, report, meter, _BLOCK_BYTES), source, report))
    with crew_for(source, format, at=_mark_bytes(source)) as crew:
        for block, found in crew.work(blocks):
            if block is None:
                report.drop(too_long(source, number))
                number += 1
            elif found:
                yield Run(source.name, number, *found)
                number += len(found[1])
            else:
                lines = block.split(b"\n")
                yield from _mixed(source, lines, number, format, general, report, blanks)
                number += len(lines)
    blanks.tell(report)


def _mixed(
    source: Source,
    lines: list[bytes],
    first: int,
    format: Format,  # noqa: A002 (the word of the field)
    general: General,
    report: Report,
    blanks: Blanks,
) -> Iterator[Run]:
    numbered = zip(count(first), lines, plain_lines(lines, format), strict=False)
    for is_plain, stretch in groupby(numbered, lambda line: line[2] is not None):
        each = list(stretch)
        if is_plain:
            yield run_of(source.name, each[0][0], [text for _, _, text in each if text is not None])
        else:
            yield from general(rows_of(((at, line) for at, line, _ in each), source, report, blanks))


def _mark_bytes(source: Source) -> int:
    # The blocks come without the mark that a file may begin with, and a helper reads by places in the file.
    try:
        with source.path.open("rb") as file:
            return len(BOM) if file.read(len(BOM)) == BOM else 0
    except OSError:
        return 0
