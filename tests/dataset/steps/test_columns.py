"""Steps that change columns and their texts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.errors import Severity
from reconciler.domain.prepare import (
    AddPrefix,
    AddSuffix,
    DropColumns,
    EnsureLeadingSpace,
    FillTemplate,
    KeepColumns,
    LowerCase,
    Operation,
    RemovePrefix,
    RemoveSuffix,
    Rename,
    SetColumns,
    Strip,
)

from .factories import find_problems, run_steps

ROW = {"id": 1, "question": "Why?", "answer": "So."}
TEXTS = st.text(max_size=20)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Rename((("question", "prompt"), ("answer", "completion"))), {"id": 1, "prompt": "Why?", "completion": "So."}),
        (Rename((("question", "answer"), ("answer", "question"))), {"id": 1, "answer": "Why?", "question": "So."}),
        (DropColumns(("id",)), {"question": "Why?", "answer": "So."}),
        (KeepColumns(("answer", "question")), {"question": "Why?", "answer": "So."}),
        (SetColumns((("id", 2), ("new", True))), {**ROW, "id": 2, "new": True}),
        (
            FillTemplate((("question", "{id}: {answer}"), ("answer", "{{{question}}}"))),
            {"id": 1, "question": "1: So.", "answer": "{Why?}"},
        ),
    ],
)
def test_a_step_changes_the_columns(step: Operation, expected: dict[str, object]) -> None:
    (found,) = run_steps([ROW], step)
    assert found == expected
    assert list(expected) == list(found)


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        (LowerCase(("a",)), "ÄB c", "äb c"),
        (Strip(("a",)), " \t x y\n", "x y"),
        (AddPrefix("a", "Q: "), "x", "Q: x"),
        (AddSuffix("a", "\n###"), "", "\n###"),
        (RemovePrefix("a", "ab"), "ababc", "abc"),
        (RemovePrefix("a", "b"), "ab", "ab"),
        (RemoveSuffix("a", "END"), "x ENDEND", "x END"),
        (EnsureLeadingSpace(("a",)), "x", " x"),
        (EnsureLeadingSpace(("a",)), "  x", "  x"),
        (EnsureLeadingSpace(("a",)), "", " "),
    ],
)
def test_a_step_changes_the_texts(step: Operation, text: str, expected: str) -> None:
    assert run_steps([{"a": text, "b": text}], step) == [{"a": expected, "b": text}]


def test_only_numbers_and_booleans_become_text() -> None:
    rows = [{"a": value} for value in (1, True, Decimal("2.5"), None, ["x"], {"x": 1})]
    found = run_steps([*rows, {"b": "x"}], EnsureLeadingSpace(("a",)))
    assert found == [{"a": " 1"}, {"a": " true"}, {"a": " 2.5"}, {"a": None}, {"a": ["x"]}, {"a": {"x": 1}}, {"b": "x"}]


def test_a_column_that_no_row_has_is_reported_once_at_the_step() -> None:
    (problem,) = find_problems([ROW] * 100, LowerCase(("qestion",)))
    assert str(problem.where) == "specs/data.yaml:7:5"
    assert (problem.path, problem.rule, problem.severity) == (
        "prepare[0].step",
        "prepare.unknown-column",
        Severity.ERROR,
    )
    assert problem.what == "no row has the column `qestion`; the columns are `id`, `question`, `answer`"
    assert problem.hint == "did you mean `question`?"


def test_a_column_is_searched_in_the_result_of_the_step_before() -> None:
    assert [each.where.line for each in find_problems([ROW], DropColumns(("id",)), Strip(("id",)))] == [8]
    assert find_problems([ROW], Rename((("id", "key"),)), Strip(("key",))) == ()


def test_a_column_that_some_rows_have_is_known_and_without_rows_none_is_missing() -> None:
    assert find_problems([ROW, {"context": "x"}], Strip(("context",))) == ()
    assert find_problems([], Strip(("context",))) == ()
    assert find_problems([ROW], SetColumns((("new", "x"),))) == ()


def test_a_name_that_is_taken_is_reported_once_at_the_step() -> None:
    problems = find_problems([{"a": 1, "b": 2}, {"a": 1}, {"a": 2, "b": 3}], Rename((("a", "b"),)))
    assert [(each.rule, each.where.line) for each in problems] == [("prepare.taken-column", 7)]
    assert "`b`" in problems[0].what
    assert "drop_columns: [b]" in problems[0].hint


def test_rows_that_are_not_objects_pass_through() -> None:
    steps = (LowerCase(("a",)), DropColumns(("a",)), AddPrefix("a", "x"))
    assert run_steps([[1], "text", None, 5], *steps) == [[1], "text", None, 5]


@given(TEXTS, TEXTS)
def test_an_added_column_can_be_removed(text: str, affix: str) -> None:
    rows = [{"a": text}]
    assert run_steps(rows, AddPrefix("a", affix), RemovePrefix("a", affix)) == rows
    assert run_steps(rows, AddSuffix("a", affix), RemoveSuffix("a", affix)) == rows


@given(TEXTS)
def test_some_steps_have_the_same_result_when_repeated(text: str) -> None:
    for step in (EnsureLeadingSpace(("a",)), Strip(("a",))):
        once = run_steps([{"a": text}], step)
        assert run_steps(once, step) == once


@given(st.dictionaries(st.sampled_from("abcd"), TEXTS))
def test_keeping_and_dropping_divide_a_row(row: dict[str, object]) -> None:
    (kept,), (rest,) = run_steps([row], KeepColumns(("a", "b"))), run_steps([row], DropColumns(("a", "b")))
    assert isinstance(kept, dict)
    assert isinstance(rest, dict)
    assert {**kept, **rest} == row
    assert not kept.keys() & rest.keys()
