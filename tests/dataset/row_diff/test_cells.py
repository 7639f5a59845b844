"""Differences within a row have a path, and texts are compared word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.dataset.row_diff.cells import MOST_CELLS, SHOWN, compare_cells, compare_words, show_row
from reconciler.domain.row_diff import WordChange

SENTENCES = st.lists(st.sampled_from(["red", "green", "blue", "a", ",", "."]), max_size=12).map(" ".join)


def shown(before: str, after: str) -> str:
    """Return both texts as one, as git shows words."""
    marks = {WordChange.SAME: "{}", WordChange.REMOVED: "[-{}-]", WordChange.ADDED: "{{+{}+}}"}
    return "".join(marks[each.change].format(each.text) for each in compare_words(before, after))


@given(SENTENCES, SENTENCES)
def test_unchanged_and_removed_words_are_the_text_before(before: str, after: str) -> None:
    """Unchanged and added words are the text after, when nothing was shortened."""
    words = compare_words(before, after)
    if not any("…" in each.text for each in words):
        assert "".join(each.text for each in words if each.change is not WordChange.ADDED) == before
        assert "".join(each.text for each in words if each.change is not WordChange.REMOVED) == after


def test_words_that_changed_side_by_side_are_one_change() -> None:
    assert shown("and thank you", "and many thanks") == "and [-thank you-]{+many thanks+}"


def test_unchanged_text_around_a_change_is_shortened() -> None:
    text = " ".join(f"word{number}" for number in range(100))

    found = shown(text, text.replace("word50", "other"))

    assert found == "…word47 word48 word49 [-word50-]{+other+} word51 word52 word53…"


def test_long_differences_are_not_compared_word_by_word() -> None:
    """A text that was replaced completely costs no more than its length."""
    found = compare_words("a b " * 5000, "c d " * 5000)

    assert [each.change for each in found] == ["removed", "added", "same"]
    assert all(len(each.text) <= SHOWN for each in found)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("a", "1", "2")]),
        ({"a": 1}, {"a": True}, [("a", "1", "true")]),
        ({"a": None}, {}, [("a", "null", None)]),
        ({}, {"b": {"c": [1]}}, [("b", None, '{"c":[1]}')]),
        ({"m": [{"x": "1"}]}, {"m": [{"x": "2"}, {"x": "3"}]}, [("m[0].x", "1", "2"), ("m[1]", None, '{"x":"3"}')]),
        ("one", "two", [("", "one", "two")]),
    ],
)
def test_values_are_named_by_their_path(before: object, after: object, expected: list[tuple[str, str, str]]) -> None:
    cells, more = compare_cells(before, after)

    assert [(cell.path, cell.before, cell.after) for cell in cells] == expected
    assert more == 0


def test_many_values_are_counted_beyond_the_first() -> None:
    before = {f"key{number}": number for number in range(50)}
    cells, more = compare_cells(before, dict.fromkeys(before, -1))

    assert (len(cells), more) == (MOST_CELLS, 50 - MOST_CELLS)


def test_a_row_is_shown_by_its_messages() -> None:
    line = b'{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"}]}\n'

    assert show_row(line) == "user: hi"
    assert show_row(b'{"messages":[{"role":"system","content":"be kind"}]}\n') == "system: be kind"
    assert show_row(b'{"prompt":"a"}\n') == '{"prompt":"a"}'
    assert show_row(b'{"messages":7}\n') == '{"messages":7}'
