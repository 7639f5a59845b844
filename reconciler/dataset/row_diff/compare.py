"""Compares two versions of a dataset: which rows were added, removed, edited and moved, and a few samples of each."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, zip_longest

import msgspec
from msgspec.structs import replace

from reconciler.dataset.billable_tokens import count_rows, read_billable_texts
from reconciler.dataset.row_diff.cells import compare_cells, show_masked, show_row
from reconciler.dataset.row_diff.matching import NONE, MatchedRows, find_moved, match_rows
from reconciler.dataset.row_diff.pairing import pair_rows
from reconciler.dataset.row_diff.version import DatasetVersion
from reconciler.dataset.tokens import CountTokens
from reconciler.domain.row_diff import RowChange, RowDiff, RowSample

MOST_SAMPLES = 5
MOST_WEIGHED = 200_000
"""Tokens are counted when no more rows than this differ."""

_WEIGHED_AT_ONCE = 1_000
_SHOWN_ID = 100

_read = msgspec.json.Decoder().decode
Change = tuple[RowChange, int, int]
"""What changed, and the row before and after, NONE where there is none."""


def compare_versions(
    before: DatasetVersion,
    after: DatasetVersion,
    title: str,
    *,
    most_samples: int = MOST_SAMPLES,
    count: CountTokens | None = None,
    reformatted: Callable[[MatchedRows], Sequence[int]] | None = None,
) -> RowDiff:
    """Return the difference between two versions of a dataset.

    Shape:  `title` names the version before; `count` counts tokens, where there is a vocabulary; `reformatted` finds
            among the rows that match those whose source is written differently
    Cost:   40 bytes a row of either version, and the texts of a few thousand rows; seconds for a million rows
    """
    matched = match_rows(before.keys, after.keys)
    paired = pair_rows(before, after, matched)
    edited = sorted(paired.pairs.items(), key=lambda rows: rows[1])
    edited_rows = set(paired.pairs.values())
    added = [row for row in matched.added if row not in edited_rows]
    removed = [row for row in matched.removed if row not in paired.pairs]
    moved = find_moved(matched.of_after, before.firsts)
    rewritten = reformatted(matched) if reformatted else ()
    changes: tuple[Iterator[Change], ...] = (
        ((RowChange.EDITED, old, new) for old, new in edited),
        ((RowChange.ADDED, NONE, row) for row in added),
        ((RowChange.REMOVED, row, NONE) for row in removed),
        ((RowChange.MOVED, matched.of_after[row], row) for row in moved),
        ((RowChange.REFORMATTED, matched.of_after[row], row) for row in rewritten),
    )
    samples = [_sample_row(before, after, *change) for change in islice(_take_in_turn(changes), most_samples)]
    return RowDiff(
        before=title,
        rows_before=len(before),
        rows_after=len(after),
        added=len(added),
        removed=len(removed),
        edited=len(edited),
        moved=len(moved),
        reformatted=len(rewritten),
        samples=_add_ids(before, after, samples),
        tokens=_count_token_change(before, after, matched, count) if count else None,
        is_whole=paired.is_whole,
    )


def _take_in_turn(kinds: Sequence[Iterator[Change]]) -> Iterator[Change]:
    # One sample of each kind comes before a second one of any kind.
    for changes in zip_longest(*kinds):
        yield from (change for change in changes if change)


def _sample_row(before: DatasetVersion, after: DatasetVersion, change: RowChange, old: int, new: int) -> RowSample:
    version, row = (before, old) if new == NONE else (after, new)
    sample = RowSample(change=change, row_before=old + 1, row_after=new + 1, place=version.find_place(row))
    if change is not RowChange.EDITED:
        return replace(sample, text=show_masked(show_row(version.read_line(row))))
    cells, more = compare_cells(_read(before.read_line(old)), _read(after.read_line(new)))
    return replace(sample, place=sample.place or before.find_place(old), cells=cells, cells_more=more)


def _add_ids(before: DatasetVersion, after: DatasetVersion, samples: Sequence[RowSample]) -> tuple[RowSample, ...]:
    # All ids at once, because a source may have to be read again for them.
    olds = before.read_ids([each.row_before - 1 for each in samples if not each.row_after])
    news = after.read_ids([each.row_after - 1 for each in samples if each.row_after])
    ids = [news.get(each.row_after - 1) or olds.get(each.row_before - 1, "") for each in samples]
    return tuple(replace(each, id=show_masked(word, _SHOWN_ID)) for each, word in zip(samples, ids, strict=True))


def _count_token_change(
    before: DatasetVersion, after: DatasetVersion, matched: MatchedRows, count: CountTokens
) -> int | None:
    removed, added = matched.removed, matched.added
    if len(removed) + len(added) > MOST_WEIGHED:
        return None
    now, then = _count_tokens(after, added, count), _count_tokens(before, removed, count)
    return None if now is None or then is None else now - then


def _count_tokens(version: DatasetVersion, rows: Sequence[int], count: CountTokens) -> int | None:
    total = 0
    for at in range(0, len(rows), _WEIGHED_AT_ONCE):
        billed = read_billable_texts(b"".join(version.read_line(row) for row in rows[at : at + _WEIGHED_AT_ONCE]))
        if any(row.has_images or not row.is_all for row in billed):
            return None
        total += sum(count_rows(billed, count))
    return total
