"""Puts the parts together: what matched, what moved, what was edited, and a few rows of each to show."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest

import msgspec
from msgspec.structs import replace

from reconciler.dataset.billable_tokens import billed_rows, weigh
from reconciler.dataset.row_diff.cells import SHOWN, cell_changes, excerpt, shortened
from reconciler.dataset.row_diff.matching import Matched, match
from reconciler.dataset.row_diff.order import moved
from reconciler.dataset.row_diff.pairing import pair
from reconciler.dataset.row_diff.version import Side
from reconciler.dataset.tokens import Count
from reconciler.domain.rowdiff import RowChange, RowDiff, RowSample

MOST_SAMPLES = 5
MOST_WEIGHED = 200_000
"""Rows that differ whose tokens are counted."""

_WEIGHED_AT_ONCE = 1_000
_SHOWN_ID = 100

_read = msgspec.json.Decoder().decode
Sample = Callable[[], RowSample]


def compare(
    before: Side,
    after: Side,
    title: str,
    *,
    most_samples: int = MOST_SAMPLES,
    count: Count | None = None,
    reformatted: Callable[[Matched], Sequence[int]] | None = None,
) -> RowDiff:
    """Compare two versions of a dataset.

    Shape:  `title` names the version before; `count` counts tokens, where there is a vocabulary for it; `reformatted`
            finds among the rows that match those whose source is written otherwise
    Cost:   40 bytes a row of either side, and the texts of a few thousand rows; seconds for a million rows
    """
    matched = match(before.keys, after.keys)
    paired = pair(before, after, matched)
    edited = sorted(paired.pairs.items(), key=lambda rows: rows[1])
    came, gone = set(paired.pairs.values()), paired.pairs
    added = [row for row in matched.added if row not in came]
    removed = [row for row in matched.removed if row not in gone]
    out_of_place = moved(matched.of_after, before.firsts)
    rewritten = reformatted(matched) if reformatted else ()
    samples = (
        (lambda old=old, new=new: _edited(before, after, old, new) for old, new in edited),
        (lambda row=row: _sample(after, RowChange.ADDED, row, after=row) for row in added),
        (lambda row=row: _sample(before, RowChange.REMOVED, row, before=row) for row in removed),
        (
            lambda row=row: _sample(after, RowChange.MOVED, row, before=matched.of_after[row], after=row)
            for row in out_of_place
        ),
        (
            lambda row=row: _sample(after, RowChange.REFORMATTED, row, before=matched.of_after[row], after=row)
            for row in rewritten
        ),
    )
    return RowDiff(
        before=title,
        rows_before=len(before),
        rows_after=len(after),
        added=len(added),
        removed=len(removed),
        edited=len(edited),
        moved=len(out_of_place),
        reformatted=len(rewritten),
        samples=_identified(before, after, [make() for make in islice(_in_turn(samples), most_samples)]),
        tokens=_more_tokens(before, after, matched, count) if count else None,
        is_whole=paired.is_whole,
    )


def _in_turn(kinds: Sequence[Iterator[Sample]]) -> Iterator[Sample]:
    # One of each kind before a second of any.
    for each in zip_longest(*kinds):
        yield from (make for make in each if make)


def _edited(before: Side, after: Side, old: int, new: int) -> RowSample:
    cells, more = cell_changes(_read(before.line(old)), _read(after.line(new)))
    return RowSample(
        change=RowChange.EDITED,
        row_before=old + 1,
        row_after=new + 1,
        place=after.place(new) or before.place(old),
        cells=cells,
        cells_more=more,
    )


def _sample(side: Side, change: RowChange, row: int, *, before: int = -1, after: int = -1) -> RowSample:
    return RowSample(
        change=change,
        row_before=before + 1,
        row_after=after + 1,
        place=side.place(row),
        text=shortened(excerpt(side.line(row)), SHOWN),
    )


def _identified(before: Side, after: Side, samples: Sequence[RowSample]) -> tuple[RowSample, ...]:
    # All at once, because a source may have to be read again for it.
    olds = before.ids([each.row_before - 1 for each in samples if not each.row_after])
    news = after.ids([each.row_after - 1 for each in samples if each.row_after])
    said = [news.get(each.row_after - 1) or olds.get(each.row_before - 1, "") for each in samples]
    return tuple(replace(each, id=shortened(word, _SHOWN_ID)) for each, word in zip(samples, said, strict=True))


def _more_tokens(before: Side, after: Side, matched: Matched, count: Count) -> int | None:
    removed, added = matched.removed, matched.added
    if len(removed) + len(added) > MOST_WEIGHED:
        return None
    now, then = _tokens(after, added, count), _tokens(before, removed, count)
    return None if now is None or then is None else now - then


def _tokens(side: Side, rows: Sequence[int], count: Count) -> int | None:
    total = 0
    for at in range(0, len(rows), _WEIGHED_AT_ONCE):
        billed = billed_rows(b"".join(side.line(row) for row in rows[at : at + _WEIGHED_AT_ONCE]))
        if not all(row.is_all for row in billed):
            return None
        total += sum(weigh(billed, count))
    return total
