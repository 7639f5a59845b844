"""Pairs removed rows with the added rows that are later versions of them.

In this order: by id; by the same question; by the same gap between matched rows; by rare words that both have. Each
step looks only at the rows that the steps before left over.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

import msgspec

from reconciler.dataset.row_diff.cells import LEAST_LIKENESS, RowFacets, measure_likeness, read_facets
from reconciler.dataset.row_diff.matching import NONE, MatchedRows
from reconciler.dataset.row_diff.version import DatasetVersion

MOST_ASKED = 200_000
"""Rows of a version that are read for their questions, and compared with the rows in the same gap."""

MOST_SEARCHED = 4_000
"""Rows of a version that are searched by their words, which costs more than all steps before."""

_RARE_WORDS = 8
_MOST_HOLDERS = 24
"""Rows with a rare word that are compared; a word that more rows have is not rare."""

_MOST_IN_GAP = 400
"""Pairs within one gap of which all are compared."""

_SAMPLED, _FEWEST_SAMPLED = 200, 20
"""Rows, spread over a version, that show which words are common; below the second number no word is."""

_COMMON = 0.2
"""A word is common when more than this share of rows have it."""

_ALIKE_IN_GAP = 0.2
"""The least likeness of rows in the same gap, which already suggests that they belong together."""

_read = msgspec.json.Decoder().decode
Pairs = dict[int, int]


class PairedRows(msgspec.Struct, frozen=True):
    """Removed rows and the added rows that are versions of them; `is_whole` when all rows were compared."""

    pairs: Mapping[int, int]
    is_whole: bool


def pair_rows(before: DatasetVersion, after: DatasetVersion, matched: MatchedRows) -> PairedRows:
    """Return the pairs among the rows that only one version has.

    Cost:   the words of at most 4,000 rows of each version in memory, whatever the number of rows
    """
    removed, added = matched.removed, matched.added
    if not removed or not added:
        return PairedRows({}, True)
    found = _pair_unique(before.read_ids(removed), after.read_ids(added))
    is_whole = True
    removed, added = _drop_paired(removed, added, found)
    if len(removed) > MOST_ASKED or len(added) > MOST_ASKED:
        removed, added, is_whole = removed[:MOST_ASKED], added[:MOST_ASKED], False
    found |= _pair_unique(_read_questions(before, removed), _read_questions(after, added))
    removed, added = _drop_paired(removed, added, found)
    common = _find_common_words(after) if removed and added else frozenset[str]()
    found |= _pair_in_gaps((before, after), removed, added, matched, common)
    removed, added = _drop_paired(removed, added, found)
    if len(removed) > MOST_SEARCHED or len(added) > MOST_SEARCHED:
        removed, added, is_whole = removed[:MOST_SEARCHED], added[:MOST_SEARCHED], False
    found |= _pair_by_words(before, after, removed, added, common)
    return PairedRows(found, is_whole)


def _drop_paired(removed: Sequence[int], added: Sequence[int], found: Pairs) -> tuple[list[int], list[int]]:
    taken = set(found.values())
    return [row for row in removed if row not in found], [row for row in added if row not in taken]


def _pair_unique(before: Mapping[int, Hashable], after: Mapping[int, Hashable]) -> Pairs:
    olds, news = _unique_rows(before), _unique_rows(after)
    return {olds[key]: news[key] for key in olds if key in news}


def _unique_rows(keys: Mapping[int, Hashable]) -> dict[Hashable, int]:
    rows: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in keys.items():
        rows[key].append(row)
    return {key: same[0] for key, same in rows.items() if len(same) == 1}


def _read_questions(version: DatasetVersion, rows: Iterable[int]) -> dict[int, Hashable]:
    questions = ((row, _read_facets(version, row).question) for row in rows)
    return {row: question for row, question in questions if question is not None}


def _read_facets(version: DatasetVersion, row: int) -> RowFacets:
    return read_facets(_read(version.read_line(row)))


def _find_common_words(version: DatasetVersion) -> frozenset[str]:
    # Words that many rows have, such as those of a template, do not distinguish rows.
    step = max(len(version) // _SAMPLED, 1)
    sampled = range(0, len(version), step)
    if len(sampled) < _FEWEST_SAMPLED:
        return frozenset()
    counts = Counter(word for row in sampled for word in _read_facets(version, row).words)
    return frozenset(word for word, count in counts.items() if count > _COMMON * len(sampled))


def _distinctive_words(version: DatasetVersion, row: int, common: frozenset[str]) -> frozenset[str]:
    words = _read_facets(version, row).words
    return words - common or words


def _pair_in_gaps(
    sides: tuple[DatasetVersion, DatasetVersion],
    removed: Sequence[int],
    added: Sequence[int],
    matched: MatchedRows,
    common: frozenset[str],
) -> Pairs:
    before, after = sides
    news = _group_by_gap(added, lambda row: row)
    olds = _group_by_gap(removed, lambda row: NONE if row == NONE else matched.of_before[row])
    found: Pairs = {}
    for gap, rows in olds.items():
        others = news.get(gap, [])
        if len(rows) == len(others) and len(rows) ** 2 > _MOST_IN_GAP:
            in_turn = zip(rows, others, strict=True)
            found |= {
                old: new
                for old, new in in_turn
                if measure_likeness(_distinctive_words(before, old, common), _distinctive_words(after, new, common))
                >= _ALIKE_IN_GAP
            }
        elif len(rows) * len(others) <= _MOST_IN_GAP:
            old_words = {row: _distinctive_words(before, row, common) for row in rows}
            new_words = {row: _distinctive_words(after, row, common) for row in others}
            found |= _best_pairs(
                ((old, new, old_words[old], new_words[new]) for old in rows for new in others), _ALIKE_IN_GAP
            )
    return found


def _group_by_gap(rows: Sequence[int], after_of: Callable[[int], int]) -> dict[int, list[int]]:
    """Return rows grouped by the matched row that they follow, as a row of the version after."""
    found: dict[int, list[int]] = {}
    last, gap = None, NONE
    for row in rows:
        if last is None or row != last + 1:
            gap = after_of(row - 1)
        found.setdefault(gap, []).append(row)
        last = row
    return found


def _pair_by_words(
    before: DatasetVersion, after: DatasetVersion, removed: Sequence[int], added: Sequence[int], common: frozenset[str]
) -> Pairs:
    old_words = {row: _distinctive_words(before, row, common) for row in removed}
    new_words = {row: _distinctive_words(after, row, common) for row in added}
    holders: dict[str, list[int]] = defaultdict(list)
    for row, words in new_words.items():
        for word in words:
            holders[word].append(row)
    return _best_pairs(
        (old, new, words, new_words[new])
        for old, words in old_words.items()
        for new in _find_candidates(words, holders)
    )


def _find_candidates(words: Iterable[str], holders: Mapping[str, list[int]]) -> list[int]:
    known = sorted((len(holders[word]), word) for word in words if word in holders)
    rare = (word for count, word in known[:_RARE_WORDS] if count <= _MOST_HOLDERS)
    return list(dict.fromkeys(row for word in rare for row in holders[word]))


def _best_pairs(
    compared: Iterable[tuple[int, int, frozenset[str], frozenset[str]]], least: float = LEAST_LIKENESS
) -> Pairs:
    """Return the pairs that are alike, the most alike first; use each row once."""
    scored = sorted(
        (-score, old, new)
        for old, new, old_words, new_words in compared
        if (score := measure_likeness(old_words, new_words)) >= least
    )
    return dict(_use_once(scored))


def _use_once(scored: Iterable[tuple[float, int, int]]) -> Iterator[tuple[int, int]]:
    olds, news = set[int](), set[int]()
    for _, old, new in scored:
        if old not in olds and new not in news:
            olds.add(old)
            news.add(new)
            yield old, new
