"""Steps that drop rows: a test of one row, true to keep it, or a stage where a step must see all rows."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import assert_never

from reconciler.dataset.mapping import value_to_text
from reconciler.dataset.row_checks import has_empty_end
from reconciler.dataset.sources import Row
from reconciler.dataset.steps.cells import HASH_RANGE, Cells, HashSet, hash_value, is_empty, texts_of
from reconciler.dataset.steps.edits import StepError
from reconciler.dataset.steps.numbers import read_number
from reconciler.dataset.strict_json import parse_number
from reconciler.dataset.tokens import CountTextTokens
from reconciler.domain.prepare import Deduplicate, DropEmpty, DropLong, Filter, Limit, Numbers, PairLabels, Sample
from reconciler.foundation.expressions import MatchingTime, SlowExpressionError, compile_expression

Test = Callable[[Cells], bool]
Stage = Callable[[Iterator[Row]], Iterator[Row]]
TestingStep = DropEmpty | Deduplicate | DropLong | Filter | Sample

MOST_HELD = 1 << 30
"""Characters of the rows that a step may hold at once. Small rows can be made large by the steps before it."""

MATCHED_CHARACTERS = 10_000
"""An expression sees this many characters of a cell, so that one row cannot hold up a run."""


def _holds_nothing(value: object) -> bool:
    return is_empty(value) or has_empty_end(value)


def make_test(step: TestingStep, tokens: CountTextTokens, matching: MatchingTime | None = None) -> Test:
    """Return the function that decides whether a step keeps a row.

    Shape:  `matching` is the time that the expressions of all steps share
    Raises: in that function, OtherNotationError for a number that the step cannot read, and StepError for an expression
            that takes too long
    Cost:   `deduplicate` 16 bytes a row; of a million rows that differ, it takes one for a repeat once in forty million
            datasets
    """
    match step:
        case DropEmpty(columns=()):
            return lambda cells: bool(cells) and not any(map(_holds_nothing, cells.values()))
        case DropEmpty():
            return lambda cells: not any(_holds_nothing(cells.get(column)) for column in step.columns)
        case Deduplicate():
            return _deduplicate(step)
        case DropLong():
            return _drop_long(step, tokens)
        case Filter():
            conditions = list(_conditions(step, matching or MatchingTime()))
            return lambda cells: all(passes(cells.get(step.column)) for passes in conditions)
        case Sample():
            # Every row decides for itself, by whether its hash falls into the first share of all hashes.
            bound = (step.share or 0.0) * HASH_RANGE
            return lambda cells: hash_value(cells, "sample", step.seed) < bound
    assert_never(step)


def sample_rows(step: Sample, most_held: int = MOST_HELD) -> Stage:
    """Return the stage that keeps the rows with the smallest hashes, in the order they came.

    Raises: StepError when the rows that it holds are too large
    Cost:   reads all rows before it yields the first; holds the rows that it may keep
    """
    most = step.rows or 0

    def stage(rows: Iterator[Row]) -> Iterator[Row]:
        # The largest of the smallest hashes lies on top of the heap. Of equal rows the earlier are kept.
        heap: list[tuple[int, int, Row]] = []
        held = 0
        for at, row in enumerate(rows):
            entry = (-hash_value(row.value, "sample", step.seed), -at, row)
            held += _count_characters(row.value)
            if len(heap) < most:
                heapq.heappush(heap, entry)
            else:
                held -= _count_characters(heapq.heappushpop(heap, entry)[2].value)
            _check_held(held, most_held)
        yield from (row for _, _, row in sorted(heap, key=lambda entry: -entry[1]))

    return stage


def limit_rows(step: Limit) -> Stage:
    """Return the stage that keeps the first rows, and does not read the row after them."""
    return lambda rows: islice(rows, step.rows)


def pair_rows(step: PairLabels, most_held: int = MOST_HELD) -> Stage:
    """Return the stage that makes a pair of a desired and an undesired answer to one question.

    Shape:  the answer is the last turn, or a column; two rows have one question when all else in them is equal. The
            n-th desired answer to a question goes with the n-th undesired one; the rest makes no pair
    Raises: StepError when the answers that it holds are too large
    Cost:   holds the answers that wait for another
    """

    def stage(rows: Iterator[Row]) -> Iterator[Row]:
        waiting: dict[tuple[int, bool], deque[object]] = {}
        held = 0
        for row in rows:
            if not isinstance(row.value, dict):
                yield row
                continue
            asked, answer = _split_answer(row.value, step)
            is_desired = value_to_text(row.value.get(step.column)) in step.desired
            key = hash_value(asked, "pair")
            others = waiting.get((key, not is_desired))
            if not others:
                waiting.setdefault((key, is_desired), deque()).append(answer)
                held += _count_characters(answer)
                _check_held(held, most_held)
                continue
            other = others.popleft()
            held -= _count_characters(other)
            chosen, rejected = (answer, other) if is_desired else (other, answer)
            yield row._replace(value={**asked, "chosen": chosen, "rejected": rejected})

    return stage


def _split_answer(cells: Cells, step: PairLabels) -> tuple[Cells, object]:
    rest = {column: value for column, value in cells.items() if column != step.column}
    turns = rest.get("messages")
    if isinstance(turns, list) and len(turns) > 1:
        return {**rest, "messages": turns[:-1]}, turns[-1]
    return {column: value for column, value in rest.items() if column != step.answer}, rest.get(step.answer)


def _count_characters(value: object) -> int:
    # Only texts that a step can have made count; what lies deeper was as large in the file.
    if isinstance(value, str):
        return len(value)
    return sum(len(text) for text in value.values() if isinstance(text, str)) if isinstance(value, dict) else 0


def _check_held(characters: int, most: int) -> None:
    if characters > most:
        what = f"this step would hold more than {most >> 20:,} million characters of rows at once"
        raise StepError(what, "sample fewer rows, or do it before the steps that add text", "row.too-large")


def _deduplicate(step: Deduplicate) -> Test:
    hashes = HashSet()
    if step.columns:
        return lambda cells: hashes.is_new(hash_value([cells.get(column) for column in step.columns], "repeat"))
    return lambda cells: hashes.is_new(hash_value(cells, "repeat"))


def _drop_long(step: DropLong, tokens: CountTextTokens) -> Test:
    count, most = (len, step.characters) if step.characters is not None else (tokens, step.tokens or 0)

    def test(cells: Cells) -> bool:
        values = [cells.get(column) for column in step.columns] if step.columns else cells
        left = most
        for text in texts_of(values):
            left -= count(text)
            if left < 0:
                return False
        return True

    return test


def _conditions(step: Filter, matching: MatchingTime) -> Iterator[Callable[[object], bool]]:
    if step.equals is not None:
        yield _is_one_of((step.equals,), step.numbers)
    if step.not_equals is not None:
        is_equal = _is_one_of((step.not_equals,), step.numbers)
        yield lambda value: not is_equal(value)
    if step.is_in is not None:
        yield _is_one_of(step.is_in, step.numbers)
    if step.matches is not None:
        yield _matches(step.matches, matching)
    if step.least is not None:
        least = parse_number(repr(step.least))
        yield lambda value: (number := read_number(value, step.numbers)) is not None and number >= least
    if step.most is not None:
        most = parse_number(repr(step.most))
        yield lambda value: (number := read_number(value, step.numbers)) is not None and number <= most
    if step.present is not None:
        yield lambda value: is_empty(value) is not step.present


def _matches(pattern: str, matching: MatchingTime) -> Callable[[object], bool]:
    expression = compile_expression(pattern)

    def condition(value: object) -> bool:
        try:
            return matching.search(expression, value_to_text(value)[:MATCHED_CHARACTERS])
        except SlowExpressionError as error:
            raise StepError(error.what, error.hint, "prepare.slow-expression") from error

    return condition


def _is_one_of(allowed: Sequence[str | int | float], notation: Numbers | None) -> Callable[[object], bool]:
    texts = frozenset(each for each in allowed if isinstance(each, str))
    numbers = frozenset(parse_number(repr(each)) for each in allowed if not isinstance(each, str))
    return lambda value: value_to_text(value) in texts or (bool(numbers) and read_number(value, notation) in numbers)
