"""Rows that are longer than a base takes in training. One finding names the worst, with the number of them.

A token has at least one byte, so a row with no more bytes than the limit has tokens is not looked at again.
"""

from collections.abc import Iterator

import msgspec

from reconciler.dataset.billable_tokens import find_billable_text
from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.example_row import RowPlaces
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.cost import LengthLimit
from reconciler.domain.errors import Problem, Severity

_decode = msgspec.json.Decoder().decode


class LongRows:
    """The rows so far that are longer than a limit.

    Shape:  `tokens` counts by the vocabulary of the base, or estimates when `is_estimate`
    Cost:   tokens are counted for rows with more bytes than the limit has tokens; of the others, their length is read
    """

    def __init__(self, limit: LengthLimit, tokens: CountTextTokens, *, is_estimate: bool) -> None:
        self._limit = limit
        self._tokens = tokens
        self._about = "about " if is_estimate else ""
        self._rows = self._worst = self._worst_row = 0

    def see(self, batch: LineBatch, first: int) -> None:
        """Look at the rows of a batch; `first` is the number of its first row."""
        if len(batch.text) <= self._limit.tokens:
            return
        for at, line in enumerate(batch.text.split(b"\n")):
            if len(line) > self._limit.tokens:
                self._count(line, first + at)

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        """Yield one warning, at the longest row, when there are any."""
        if not self._rows:
            return
        limit, bases = self._limit, ", ".join(self._limit.bases)
        are = "is" if self._rows == 1 else "are"
        what = (
            f"{self._rows} of {places.rows} rows {are} longer than {limit.tokens:,} tokens, which {bases} takes in"
            f" training; the longest has {self._about}{self._worst:,}. {limit.over}"
        )
        hint = (
            f"shorten or split them, or drop them with `prepare: [{{drop_long: {{tokens: {limit.tokens * 9 // 10}}}}}]`"
        )
        where = places[self._worst_row]
        yield Problem(where=where, what=what, hint=hint, rule="rows.too-long", severity=Severity.WARNING)

    def _count(self, line: bytes, row: int) -> None:
        found = find_billable_text(_decode(line))
        tokens = found.frame + sum(map(self._tokens, found.texts))
        if tokens > self._limit.tokens:
            self._rows += 1
            if tokens > self._worst:
                self._worst, self._worst_row = tokens, row
