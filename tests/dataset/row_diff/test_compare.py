"""Row diffs count changes exactly, whatever rows stay, repeat or move."""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.row_diff import RowChange
from tests.dataset.row_diff.factories import compare, counts, lines, samples, ticket, write_lines

LETTERS = st.lists(st.sampled_from("abcdefgh").map(lambda letter: {"prompt": letter * 3, "completion": letter}))


@given(LETTERS)
def test_nothing_differs_from_itself(rows: list[object]) -> None:
    assert compare(rows, rows).is_empty


@given(LETTERS, LETTERS)
def test_the_counts_add_up(before: list[object], after: list[object]) -> None:
    """Rows are a multiset: a row that is equally often on both sides is not added, removed or edited."""
    found = compare(before, after)
    old, new = Counter(lines(before)), Counter(lines(after))

    assert found.rows_after == found.rows_before + found.added - found.removed
    assert found.edited + found.added == (new - old).total()
    assert found.edited + found.removed == (old - new).total()


@given(LETTERS, st.randoms())
def test_another_order_gives_moves_only(rows: list[object], chance: random.Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    found = compare(rows, shuffled)

    assert counts(found)[:3] == (0, 0, 0)
    assert (found.moved == 0) == (lines(rows) == lines(shuffled))


@given(st.permutations(range(9)))
def test_the_number_of_moved_rows_is_minimal(order: list[int]) -> None:
    """The rows that stayed are a longest increasing subsequence, found here by trying all."""
    longest = [1] * len(order)
    for at, value in enumerate(order):
        longest[at] = 1 + max((longest[each] for each in range(at) if order[each] < value), default=0)

    found = compare([ticket(number) for number in range(9)], [ticket(number) for number in order])

    assert counts(found) == (0, 0, 0, len(order) - max(longest))


def test_one_edited_three_added_and_five_moved_rows_are_counted_exactly() -> None:
    before = [ticket(number) for number in range(1000)]
    after = list(before)
    after[400] = ticket(400, "ticket 400 about order2800 by customer5200 in another place")
    after += [after.pop(at) for at in (10, 200, 300, 301, 700)]
    after[50:50] = [ticket(5000), ticket(5001), ticket(5002)]

    assert counts(compare(before, after)) == (3, 0, 1, 5)


def test_removing_one_of_several_equal_rows_moves_no_other() -> None:
    same = {"prompt": "hello", "completion": "hi"}
    before = [row for number in range(20) for row in (same, ticket(number))]
    after = [row for at, row in enumerate(before) if at not in {6, 20}]

    assert counts(compare(before, after)) == (0, 2, 0, 0)
    assert counts(compare(after, before)) == (2, 0, 0, 0)


def test_rows_with_the_same_question_are_versions_of_each_other() -> None:
    before = [ticket(number) for number in range(10)]
    after = [*before[:3], ticket(3, answer="shipping"), *before[4:]]

    (edited,) = samples(compare(before, after), RowChange.EDITED)

    assert [(cell.path, cell.before, cell.after) for cell in edited.cells] == [
        ("messages[1].content", "billing", "shipping")
    ]
    assert (edited.row_before, edited.row_after) == (4, 4)


def test_rows_without_common_words_are_not_versions_of_each_other() -> None:
    before = [ticket(1), {"prompt": "what is the capital of France", "completion": "Paris"}, ticket(2)]
    after = [ticket(1), {"prompt": "how do I cook rice", "completion": "in water"}, ticket(2)]

    assert counts(compare(before, after)) == (1, 1, 0, 0)


def test_words_of_a_common_template_do_not_pair_rows() -> None:
    """Words that every row holds do not distinguish rows."""
    rows = [ticket(number) for number in range(100)]

    assert counts(compare(rows[:90], rows[1:91])) == (1, 1, 0, 0)


def test_rows_without_a_question_are_not_paired_by_it() -> None:
    """Many rows may have an empty prompt, so two texts are versions only when their words agree."""
    before = [{"prompt": "", "completion": "the quick brown fox jumps"}]
    after = [{"prompt": "", "completion": "an entirely different sentence"}]

    assert counts(compare(before, after)) == (1, 1, 0, 0)


def test_an_edited_row_is_found_at_any_place() -> None:
    """It is found by the rare words that both versions share; an edited and moved row counts once."""
    before = [ticket(number) for number in range(40)]
    after = [*before[:5], *before[6:], ticket(5, "ticket 5 about order35 by customer65 in some city")]

    assert counts(compare(before, after)) == (0, 0, 1, 0)


def test_a_template_that_changed_edits_every_row() -> None:
    before = [ticket(number) for number in range(300)]
    after = [ticket(number, f"Dear team, {text_before(number)}") for number in range(300)]

    assert counts(compare(before, after)) == (0, 0, 300, 0)


def text_before(number: int) -> str:
    return f"ticket {number} about order{number * 7} by customer{number * 13} in city{number * 17}"


def with_id(number: int, text: str) -> dict[str, object]:
    return {**ticket(number, text), "metadata": {"id": number}}


def test_an_id_pairs_rows_whatever_their_text() -> None:
    before = [with_id(1, "alpha beta"), with_id(2, "gamma delta")]
    after = [with_id(2, "one two three"), with_id(1, "four five six")]

    found = compare(before, after, id_path="metadata.id")

    assert counts(found) == (0, 0, 2, 0)
    pairs = {(sample.row_before, sample.row_after, sample.id) for sample in samples(found, RowChange.EDITED)}
    assert pairs == {(1, 2, "1"), (2, 1, "2")}


def test_the_files_of_a_split_are_one_version_and_each_has_its_own_order(tmp_path: Path) -> None:
    rows = [ticket(number) for number in range(20)]
    files = (write_lines(tmp_path / "a", rows[::2]), write_lines(tmp_path / "b", rows[1::2]))

    assert compare([], rows, files=files).is_empty


def test_samples_are_bounded_and_show_every_kind_first() -> None:
    before = [ticket(number) for number in range(50)]
    after = [*before[10:40], ticket(40, answer="other"), *before[41:], *before[5:10], ticket(90), ticket(91)]

    found = compare(before, after, most_samples=4)

    assert [sample.change for sample in found.samples] == ["edited", "added", "removed", "moved"]
    assert found.samples[0].place is not None
    assert str(found.samples[0].place) == "new.jsonl:31"


@pytest.mark.parametrize("count", [0, 1])
def test_a_side_may_be_empty(count: int) -> None:
    rows = [ticket(number) for number in range(count)]

    assert counts(compare([], rows)) == (count, 0, 0, 0)
    assert counts(compare(rows, [])) == (0, count, 0, 0)


def test_too_many_rows_to_search_are_still_counted() -> None:
    """When no id pairs the rows and they are too many to search, the result is marked as incomplete."""
    before = [{"prompt": "", "completion": f"w{number}"} for number in range(4100)]
    after = [{"prompt": "", "completion": f"v{number}"} for number in range(4101)]

    found = compare(before, after)

    assert counts(found) == (4101, 4100, 0, 0)
    assert not found.is_whole
