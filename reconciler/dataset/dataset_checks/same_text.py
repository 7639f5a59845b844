"""Rows with the same text: alike rows, contradictions, sides of a split that overlap, and leaks from held-out rows."""

from collections.abc import Iterable, Iterator

import msgspec
from xxhash import xxh3_64_intdigest

from reconciler.dataset.dataset_checks.example_row import ExampleRow, RowKeys, RowPlaces, normalise_text
from reconciler.dataset.digest import choose_part
from reconciler.domain.desired import Part
from reconciler.domain.errors import Place, Problem, Severity
from reconciler.domain.spec import Format


def text_key(text: str) -> int:
    """Return the key of a text without differences of case, spaces and encoding."""
    return xxh3_64_intdigest(normalise_text(text).encode(errors="surrogatepass"))


class SameText:
    """Compares the rows of one dataset with each other.

    Cost:   24 bytes a row, and more for rows that repeat
    """

    def __init__(self, validation_share: float = 0.0) -> None:
        self._share = validation_share
        self._exact = RowKeys()
        self._normal = RowKeys()
        self._questions = RowKeys()

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        question = example.question
        self._exact.add(example.key)
        self._normal.add(text_key(example.whole))
        self._questions.add(text_key(question) if question.strip() and example.format is not Format.PREFERENCE else 0)
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        pair = next(self._normal.pairs(self._exact), None)
        if pair:
            count = self._exact.count_different() - self._normal.count_different()
            rows = "1 row differs" if count == 1 else f"{count} rows differ"
            what = f"{rows} from earlier ones only in case, spaces or the spelling of characters; this one from {{}}"
            yield _pair_problem(
                "rows.alike", what, "keep one, unless the model should learn the difference", pair, places
            )
        pair = next(self._questions.pairs(self._normal), None)
        if pair:
            count = sum(1 for _ in self._questions.pairs(self._normal))
            rows = "1 row asks" if count == 1 else f"{count} rows ask"
            what = f"{rows} what an earlier one asks, with another answer; this one the same as {{}}"
            hint = "keep the right answer; where several are right, add an `allow`"
            yield _pair_problem("rows.contradiction", what, hint, pair, places)
        yield from self._overlap(places)

    def _overlap(self, places: RowPlaces) -> Iterator[Problem]:
        pairs = [pair for pair in self._questions.pairs() if self._side(pair[0]) is not self._side(pair[1])]
        if pairs:
            rows = "1 row asks" if len(pairs) == 1 else f"{len(pairs)} rows ask"
            what = f"{rows} what a row on the other side of the split asks; this one the same as {{}}"
            hint = "validation rows should be new to the model: drop repeated prompts, or split by hand"
            yield _pair_problem("leak.split", what, hint, pairs[0], places)

    def _side(self, number: int) -> Part:
        return choose_part(self._exact[number], self._share)


def _pair_problem(rule: str, what: str, hint: str, pair: tuple[int, int], places: RowPlaces) -> Problem:
    later, earlier = places[pair[0]], places[pair[1]]
    return Problem(where=later, what=what.format(earlier), hint=hint, rule=rule, severity=Severity.WARNING)


_LEAKS = (
    ("leak.same", "1 row is", "{} rows are", "in {} too"),
    ("leak.alike", "1 row is", "{} rows are", "in {} too, except for case, spaces or the spelling of characters"),
    ("leak.prompt", "1 row asks", "{} rows ask", "what {} asks, and with another answer"),
    ("leak.alike", "1 row is", "{} rows are", "in {} too, in another form"),
    ("leak.prompt", "1 row asks", "{} rows ask", "what {} asks in another form, and with another answer"),
)
_IN_ONE_FORM, _ACROSS_FORMS = range(3), range(3, 5)
"""Which of these ways are for rows of one form, and which for rows of two, from the closest on."""


class HeldOutRows(msgspec.Struct, frozen=True):
    """Rows that no model may be trained on: for each way to compare them, their keys with the first place.

    Shape:  `name` names them in messages
    Cost:   about 800 bytes a row
    """

    name: str
    format: Format
    keys: tuple[dict[int, Place], ...] = msgspec.field(default_factory=lambda: tuple({} for _ in _LEAKS))

    def take(self, examples: Iterable[ExampleRow], places: RowPlaces) -> None:
        """Add rows."""
        for example in examples:
            for known, key in zip(self.keys, (*_row_keys(example), *_exchange_keys(example)), strict=True):
                if key:
                    known.setdefault(key, places[example.number])


class Leaks:
    """Compares the rows of a dataset with those that are held out.

    Shape:  of the ways in which a row may be like a held-out row, the closest counts
    """

    def __init__(self, held: HeldOutRows, severity: Severity = Severity.WARNING) -> None:
        self._held = held
        self._severity = severity
        self._counts = [0 for _ in _LEAKS]
        self._firsts: list[tuple[int, Place] | None] = [None for _ in _LEAKS]

    def see(self, example: ExampleRow, places: RowPlaces) -> Iterator[Problem]:
        is_alike = example.format is self._held.format
        ways, keys = (_IN_ONE_FORM, _row_keys) if is_alike else (_ACROSS_FORMS, _exchange_keys)
        for way, key in zip(ways, keys(example), strict=True):
            known = self._held.keys[way]
            if key in known:
                self._counts[way] += 1
                self._firsts[way] = self._firsts[way] or (example.number, known[key])
                break
        return iter(())

    def end(self, places: RowPlaces) -> Iterator[Problem]:
        for (rule, one, many, how), count, first in zip(_LEAKS, self._counts, self._firsts, strict=True):
            if first:
                rows = one if count == 1 else many.format(count)
                what = f"{rows} {how.format(self._held.name)}; this one as {first[1]}"
                # The same question with another answer may be intended.
                severity = Severity.WARNING if rule == "leak.prompt" else self._severity
                hint = "rows that evaluate a model should be new to it: drop the rows here, or there"
                yield Problem(where=places[first[0]], what=what, hint=hint, rule=rule, severity=severity)


def _row_keys(example: ExampleRow) -> tuple[int, ...]:
    question = example.question
    return example.key, text_key(example.whole), text_key(question) if question.strip() else 0


def _exchange_keys(example: ExampleRow) -> tuple[int, ...]:
    """Return the keys of the last question with its answer, and of the question: each form has these."""
    asked, answer = example.prompt or "", example.completion or ""
    return (text_key(f"{asked} \0 {answer}"), text_key(asked)) if asked.strip() else (0, 0)
