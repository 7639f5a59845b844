"""Rows that are longer than a base takes in training. One finding names the worst, with the number of them.

A token has at least one byte, so a row with no more bytes than the limit has tokens is not looked at again.

The hint bounds characters, which the step `drop_long` counts in a row before the mapping; of tokens, the step has an
estimate only. The bound lies below the row that has the fewest characters of those that are too long.
"""

from array import array
from collections import Counter
from collections.abc import Iterator

import msgspec

from reconciler.dataset.billable_tokens import find_billable_text
from reconciler.dataset.canonical import LineBatch
from reconciler.dataset.dataset_checks.example_row import RowPlaces
from reconciler.dataset.mapping import Template
from reconciler.dataset.steps.cells import texts_of
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.cost import LengthLimit
from reconciler.domain.errors import Problem, Severity
from reconciler.domain.spec import ColumnMapping

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
"""Texts that a row may have from the mapping, and not from its file."""

_decode = msgspec.json.Decoder().decode


class LongRows:
    """The rows so far that are longer than a limit.

    Shape:  `tokens` counts by the vocabulary of the base, or estimates when `is_estimate`
    Cost:   tokens are counted for rows with more bytes than the limit has tokens; of the others, their length is read
    """

    def __init__(
        self, limit: LengthLimit, tokens: CountTextTokens, mapping: ColumnMapping | None = None, *, is_estimate: bool
    ) -> None:
        self._limit = limit
        self._tokens = tokens
        self._about = "about " if is_estimate else ""
        self._rows = self._worst = self._worst_row = 0
        self._added, self._repeats = _measure_mapping(mapping)
        self._fewest: int | None = None
        self._others = array("Q")  # characters of rows that were counted, and are not too long

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
        hint = self._hint()
        where = places[self._worst_row]
        yield Problem(where=where, what=what, hint=hint, rule="rows.too-long", severity=Severity.WARNING)

    def _count(self, line: bytes, row: int) -> None:
        value = _decode(line)
        found = find_billable_text(value)
        tokens = found.frame + sum(map(self._tokens, found.texts))
        characters = sum(len(text) for text in texts_of(value) if text not in _ROLES)
        if tokens > self._limit.tokens:
            self._rows += 1
            self._fewest = characters if self._fewest is None else min(characters, self._fewest)
            if tokens > self._worst:
                self._worst, self._worst_row = tokens, row
        else:
            self._others.append(characters)

    def _hint(self) -> str:
        most = ((self._fewest or 0) - self._added) // self._repeats - 1
        if most < 1:
            return "shorten or split them"
        step = f"drop them with `prepare: [{{drop_long: {{characters: {most}}}}}]`, after its other steps"
        also = sum(characters > most for characters in self._others)
        if also:
            step += f"; that drops {also:,} other {'row' if also == 1 else 'rows'} of as many characters, too"
        return f"shorten or split them, or {step}"


def _measure_mapping(mapping: ColumnMapping | None) -> tuple[int, int]:
    """Return the characters that a mapping adds to a row, and how often it writes one column at most."""
    if mapping is None:
        return 0, 1
    sources = (mapping.prompt, mapping.completion, *(turn.content for turn in mapping.turns))
    templates = [Template.parse(source) for source in sources if source]
    columns = Counter(column for template in templates for column in template.columns)
    return sum(len(text) for template in templates for text, _ in template.pieces), max(columns.values(), default=1)
