"""Gathers the statistics of a dataset in one pass over its canonical lines, in constant memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from pathlib import Path

import msgspec

from reconciler.dataset.billable_tokens import BillableText, count_rows, find_billable_text
from reconciler.dataset.digest import split_batch
from reconciler.dataset.pipeline import read_batches
from reconciler.dataset.report import RowReport
from reconciler.dataset.row_checks import ROLES
from reconciler.dataset.stats.figures import AnswerCounts, SystemPromptCounts, compute_spread, read_answer, read_turns
from reconciler.dataset.tokens import (
    BYTES_PER_TOKEN,
    FEWEST_BYTES,
    MOST_BYTES,
    CountTokens,
    Vocabulary,
    estimate_tokens,
)
from reconciler.domain.desired import Part
from reconciler.domain.errors import InputError, Place, Problem
from reconciler.domain.spec import DatasetSpec, Format
from reconciler.domain.stats import Stats

OTHER_ROLES = "others"
"""Stands for every role that the API does not know."""

_BATCH_ROWS = 1000

_read_lines = msgspec.json.Decoder().decode_lines


def gather_stats(
    spec: DatasetSpec,
    workspace: Path,
    *,
    vocabulary: Vocabulary | None = None,
    progress: Callable[[int], None] | None = None,
    like: Stats | None = None,
) -> Stats:
    """Return the statistics of a dataset. Rows with faults count as far as they can be read.

    Shape:  tokens are counted by the `vocabulary`, and estimated when it is None; `progress` as for `measure`; bins
            end where those of `like` do, so that two versions can be compared
    Raises: InputError, with every problem, when no row can be read or a file cannot be read to its end
    Cost:   a few blocks of 1 MiB, and a few numbers for each different length, in memory
    """
    report = RowReport()
    row_format, runs = read_batches(spec, workspace, report, check_rows=False, progress=progress)
    figures = _StatsCounter(vocabulary.count if vocabulary else _estimate_tokens)
    for run in runs:
        for part, lines, _ in split_batch(run, spec.validation_share):
            figures.add(part, lines)
    if not report.is_whole:
        report.raise_errors()
    figures.count_tokens()
    if not figures.rows.total():
        report.raise_errors()
        raise InputError((Problem(where=Place(file=spec.sources[0]), what="there are no rows", rule="rows.none"),))
    return figures.summarize(spec, row_format, vocabulary, report, like)


class _StatsCounter:
    """The counts over the rows so far."""

    def __init__(self, count: CountTokens) -> None:
        self._count = count
        self._waiting: list[tuple[Part, BillableText]] = []
        self.rows: Counter[Part] = Counter()
        self._tokens: dict[Part, Counter[int]] = {part: Counter() for part in Part}
        self._characters: Counter[int] = Counter()
        self._turns: Counter[int] = Counter()
        self._roles: Counter[str] = Counter()
        self._answers, self._prompts = AnswerCounts(), SystemPromptCounts()
        self._size_bytes = self._partial = 0

    def add(self, part: Part, lines: bytes) -> None:
        self._size_bytes += len(lines)
        for row in _read_lines(lines):
            self._add_row(part, row if isinstance(row, Mapping) else {})
        if len(self._waiting) >= _BATCH_ROWS:
            self.count_tokens()

    def count_tokens(self) -> None:
        """Count the tokens of the rows that wait for it, many at once."""
        rows, self._waiting = self._waiting, []
        for (part, _), tokens in zip(rows, count_rows([row for _, row in rows], self._count), strict=True):
            self._tokens[part][tokens] += 1

    def summarize(
        self,
        spec: DatasetSpec,
        row_format: Format,
        vocabulary: Vocabulary | None,
        report: RowReport,
        like: Stats | None,
    ) -> Stats:
        characters = compute_spread(self._characters, like.characters if like else None)
        training = compute_spread(self._tokens[Part.TRAINING]).total
        tokens = self._tokens[Part.TRAINING] + self._tokens[Part.VALIDATION]
        low, high = (1.0, 1.0) if vocabulary else (BYTES_PER_TOKEN / MOST_BYTES, BYTES_PER_TOKEN / FEWEST_BYTES)
        return Stats(
            name=spec.name,
            format=row_format,
            rows=self.rows.total(),
            validation_rows=self.rows[Part.VALIDATION],
            unread_rows=report.dropped,
            partial_rows=self._partial,
            size_bytes=self._size_bytes,
            vocabulary=vocabulary.name if vocabulary else None,
            training_tokens=training,
            least_tokens=floor(training * low),
            most_tokens=None if self._partial else ceil(training * high),
            tokens=compute_spread(tokens, like.tokens if like else None),
            characters=characters,
            turns=compute_spread(self._turns, like.turns if like else None) if self._turns else None,
            roles=tuple(sorted(self._roles.items(), key=lambda role: (-role[1], role[0]))),
            labels=self._answers.summarize(),
            system=self._prompts.summarize(characters.total),
        )

    def _add_row(self, part: Part, row: Mapping[str, object]) -> None:
        weighed = find_billable_text(row)
        turns = read_turns(row)
        roles = [str(turn.get("role")) for turn in turns]
        self._waiting.append((part, weighed))
        self.rows[part] += 1
        self._partial += weighed.has_images or not weighed.is_all
        # Roles are billed as texts, but they are not part of what people read.
        self._characters[sum(map(len, weighed.texts)) - sum(map(len, roles))] += 1
        if turns:
            self._turns[len(turns)] += 1
        self._roles.update(role if role in ROLES else OTHER_ROLES for role in roles)
        self._answers.add(read_answer(row))
        self._prompts.add(row)


def _estimate_tokens(texts: Sequence[str]) -> Sequence[int]:
    return list(map(estimate_tokens, texts))
