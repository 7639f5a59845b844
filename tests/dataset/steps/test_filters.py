"""Steps that drop rows: which rows, the reported number, and the effect of a new row on others."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.dataset import choose_part, estimate_tokens, write_canonical_line
from reconciler.dataset.steps.cells import HashSet
from reconciler.domain.desired import Part
from reconciler.domain.errors import Severity
from reconciler.domain.prepare import (
    Deduplicate,
    DropColumns,
    DropEmpty,
    DropLong,
    Filter,
    JoinMessages,
    Limit,
    LowerCase,
    Numbers,
    Operation,
    PairLabels,
    Sample,
)
from reconciler.domain.spec import Format
from reconciler.foundation import expressions
from tests.dataset.factories import a_spec, chats, jsonl, only, problems_of, rules, write

from .factories import a_step, find_problems, run_steps, stream_steps

NUMBERED = [{"n": at} for at in range(400)]
ROWS = st.lists(st.integers(0, 10_000), unique=True, max_size=60).map(lambda found: [{"n": at} for at in found])


def numbers(rows: list[object]) -> list[object]:
    """Return the numbers of rows."""
    return [row["n"] for row in rows if isinstance(row, dict)]


@pytest.mark.parametrize("empty", [None, "", " \n\t", [], {}])
def test_empty_cells_drop_a_row(empty: object) -> None:
    rows = [{"a": "x", "b": empty}, {"a": "x", "b": 0}, {"a": "x", "b": False}, {"a": "x"}]
    assert run_steps(rows, DropEmpty(("a", "b"))) == rows[1:3]
    assert run_steps(rows, DropEmpty()) == rows[1:]
    assert run_steps([{}], DropEmpty()) == []


def test_the_first_of_equal_rows_stays() -> None:
    rows = [{"a": 1, "b": "x"}, {"b": "x", "a": Decimal(1)}, {"a": 1, "b": "y"}, {"a": "1", "b": "x"}, {"b": "x"}]
    assert run_steps(rows, Deduplicate()) == [rows[0], rows[2], rows[3], rows[4]]
    assert run_steps(rows, Deduplicate(("b",))) == [rows[0], rows[2]]


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50)))
def test_a_hash_is_new_once(keys: list[int]) -> None:
    hashes, expected = HashSet(), set[int]()
    for key in keys:
        assert hashes.is_new(key) == (max(key, 1) not in expected)
        expected.add(max(key, 1))


def test_many_hashes_take_little_memory() -> None:
    hashes, count = HashSet(), 20_000
    assert sum(hashes.is_new(at * 0x9E3779B97F4A7C15 % 2**64) for at in range(count)) == count
    assert not any(hashes.is_new(at * 0x9E3779B97F4A7C15 % 2**64) for at in range(count))
    assert 8 * len(hashes._slots) <= 17 * count


def test_long_rows_are_dropped_by_characters_of_all_their_texts() -> None:
    chat = {"messages": [{"role": "user", "content": "1234"}], "n": 56}
    assert run_steps([chat], DropLong(characters=10)) == [chat]
    assert run_steps([chat], DropLong(characters=9)) == []
    assert run_steps([chat], DropLong(characters=2, columns=("n",))) == [chat]
    assert run_steps([chat], DropLong(characters=1, columns=("n",))) == []


def test_long_rows_are_dropped_with_the_given_counter() -> None:
    asked: list[str] = []

    def words(text: str) -> int:
        asked.append(text)
        return len(text.split())

    rows = [{"a": "one two three"}, {"a": "one two"}]
    assert list(stream_steps(rows, DropLong(tokens=2), tokens=words)) == rows[1:]
    assert asked == ["one two three", "one two"]
    assert run_steps([{"a": "x" * 9}, {"a": "x" * 8}], DropLong(tokens=2)) == [{"a": "x" * 8}]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本", 2)])
def test_tokens_are_estimated_by_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (Filter(column="a", equals="1"), ["1", 1]),
        (Filter(column="a", equals=""), [None, ""]),
        (Filter(column="a", not_equals="1"), [None, "", "x1", "2.5", " 3 ", "nan", True]),
        (Filter(column="a", is_in=("1", "x1")), ["1", 1, "x1"]),
        (Filter(column="a", matches="^x"), ["x1"]),
        (Filter(column="a", matches="1$"), ["1", 1, "x1"]),
        (Filter(column="a", least=2), ["2.5", " 3 "]),
        (Filter(column="a", most=2.5), ["1", 1, "2.5"]),
        (Filter(column="a", least=1.5, most=2.5), ["2.5"]),
        (Filter(column="a", present=False), [None, ""]),
        (Filter(column="a", present=True, not_equals="1", most=2.5), ["2.5"]),
    ],
)
def test_rows_that_pass_every_condition_stay(condition: Filter, kept: list[object]) -> None:
    values = [None, "", "1", 1, "x1", "2.5", " 3 ", "nan", True]
    found = [row["a"] for row in run_steps([{"a": value} for value in values], condition) if isinstance(row, dict)]
    assert [repr(each) for each in found] == [repr(each) for each in kept]


NUMBERS = ["1", "1.0", 1, Decimal("1.5"), "01", " 1 ", "one", "", None, True, "2"]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (Filter(column="a", equals=1.0), ["1", "1.0", 1, "01", " 1 "]),
        (Filter(column="a", equals="1"), ["1", 1]),
        (Filter(column="a", equals="1.0"), ["1.0"]),
        (Filter(column="a", equals=1.5), [Decimal("1.5")]),
        (Filter(column="a", not_equals=1), [Decimal("1.5"), "one", "", None, True, "2"]),
        (Filter(column="a", is_in=(2, "one")), ["one", "2"]),
    ],
)
def test_a_number_is_compared_as_a_number_and_a_text_as_text(condition: Filter, kept: list[object]) -> None:
    found = [row["a"] for row in run_steps([{"a": value} for value in NUMBERS], condition) if isinstance(row, dict)]
    assert [repr(each) for each in found] == [repr(each) for each in kept]


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        (["5,0", "12,50"], "add `numbers: european` to the step"),
        (["1,234.5"], "add `numbers: english` to the step"),
        (["1,234"], "add `numbers: english` or `numbers: european` to the step"),
        (["1,234", "1,5"], "add `numbers: european` to the step"),
        (
            ["5 %"],
            "add `numbers: english` or `numbers: european` to the step; `5 %` is then 0.05, so write its numbers as"
            " parts of 1",
        ),
        (["€ 1.234,50"], "add `numbers: european` to the step"),
    ],
)
@pytest.mark.parametrize("condition", [{"least": 1}, {"most": 1}, {"equals": 5}, {"not_equals": 5}, {"is_in": (5,)}])
def test_numbers_in_another_notation_are_refused_with_their_count(
    cells: list[str], hint: str, condition: dict[str, Any]
) -> None:
    found = only(
        find_problems([{"a": each} for each in ["7", *cells]], Filter(column="a", **condition)), "prepare.number"
    )
    assert str(len(cells)) in found.what
    assert cells[0] in found.what
    assert found.hint == hint


@pytest.mark.parametrize(
    ("notation", "least", "kept"),
    [
        (Numbers.ENGLISH, 1000, ["1,234", "$1,234.50", "1'234", 1234]),
        (Numbers.EUROPEAN, 1000, ["1.234", "1 234,5", "1.234,50 €", 1234]),
        (Numbers.EUROPEAN, 0.05, ["5 %", "0,5", 1234]),
    ],
)
def test_a_notation_that_the_step_names_is_read(notation: Numbers, least: float, kept: list[object]) -> None:
    rows = [{"a": value} for value in [*kept, "word", "", None]]
    assert run_steps(rows, Filter(column="a", least=least, numbers=notation)) == rows[: len(kept)]


def test_texts_that_only_hold_digits_are_no_numbers() -> None:
    rows = [{"a": each} for each in ("2024-03-01", "1.2.3", "A1", "12:30", "+49 30 1234567 ext", "n/a")]
    assert run_steps(rows, Filter(column="a", least=0)) == []


def test_an_expression_is_tried_on_the_start_of_a_long_cell() -> None:
    assert run_steps([{"a": "x" * 20_000 + "y"}], Filter(column="a", matches="y")) == []
    assert len(run_steps([{"a": "y" + "x" * 20_000}], Filter(column="a", matches="y"))) == 1


@given(ROWS, st.integers(0, 20_000), st.integers(0, 3), st.integers(0, 60))
def test_a_new_row_changes_no_other_rows_membership_in_a_share(
    rows: list[object], new: int, seed: int, at: int
) -> None:
    step = Sample(share=0.4, seed=seed)
    more = [*rows[:at], {"n": new}, *rows[at:]]
    before, after = numbers(run_steps(rows, step)), numbers(run_steps(more, step))
    assert [each for each in after if each != new] == [each for each in before if each != new]


@given(ROWS, st.integers(20_000, 30_000), st.integers(1, 10), st.integers(0, 60))
def test_a_new_row_replaces_one_other_at_most(rows: list[object], new: int, most: int, at: int) -> None:
    step = Sample(rows=most)
    before, after = numbers(run_steps(rows, step)), numbers(run_steps([*rows[:at], {"n": new}, *rows[at:]], step))
    assert len(before) == min(most, len(rows))
    assert set(after) <= {*before, new}
    assert len(set(before) - set(after)) <= 1
    assert [each for each in after if each != new] == [each for each in before if each in after]


@given(st.permutations(range(30)))
def test_the_order_of_rows_does_not_choose_among_them(order: list[int]) -> None:
    for step in (Sample(rows=7), Sample(share=0.3)):
        shuffled = run_steps([{"n": at} for at in order], step)
        assert sorted(map(str, numbers(shuffled))) == sorted(map(str, numbers(run_steps(NUMBERED[:30], step))))


def test_another_seed_chooses_other_rows_and_a_share_has_about_its_size() -> None:
    first, second = (numbers(run_steps(NUMBERED, Sample(share=0.25, seed=seed))) for seed in (0, 1))
    assert first != second
    assert 60 < len(first) < 140
    assert numbers(run_steps(NUMBERED, Sample(rows=9))) != numbers(run_steps(NUMBERED, Sample(rows=9, seed=1)))


def test_a_sample_is_equally_likely_on_both_sides_of_a_split() -> None:
    from xxhash import xxh3_64_intdigest

    rows = [{"prompt": str(at), "completion": "x"} for at in range(2000)]
    kept = run_steps(rows, Sample(share=0.5))
    sides = [choose_part(xxh3_64_intdigest(write_canonical_line(row, Format.COMPLETION)), 0.2) for row in kept]
    assert 0.15 < sides.count(Part.VALIDATION) / len(kept) < 0.25


@given(ROWS, st.integers(0, 20_000), st.integers(0, 60))
def test_a_new_row_changes_no_other_rows_side_of_a_split(rows: list[object], new: int, at: int) -> None:
    """The side of a row depends on the row alone, whatever the steps before."""
    steps: tuple[Operation, ...] = (Deduplicate(("n",)), Sample(share=0.7), DropEmpty(("n",)))

    def sides(found: list[object]) -> dict[object, Part]:
        from xxhash import xxh3_64_intdigest

        pairs = [{"prompt": str(number), "completion": "x"} for number in numbers(run_steps(found, *steps))]
        return {
            row["prompt"]: choose_part(xxh3_64_intdigest(write_canonical_line(row, Format.COMPLETION)), 0.3)
            for row in pairs
        }

    before, after = sides(rows), sides([*rows[:at], {"n": new}, *rows[at:]])
    assert {number: side for number, side in after.items() if number in before} == before


def test_a_limit_stops_reading() -> None:
    def endless() -> Iterator[object]:
        yield from NUMBERED[:3]
        raise AssertionError("one row more was asked for")

    assert list(stream_steps(endless(), LowerCase(("n",)), Limit(3))) == [{"n": "0"}, {"n": "1"}, {"n": "2"}]


@pytest.mark.parametrize(
    "step",
    [
        DropColumns(("x",)),
        DropEmpty(("n",)),
        Deduplicate(),
        DropLong(tokens=9),
        Filter(column="n", present=True),
        Sample(share=0.999999),
        JoinMessages(),
    ],
)
def test_a_step_yields_a_row_before_it_reads_the_next(step: Operation) -> None:
    asked: list[int] = []

    def rows() -> Iterator[object]:
        for at in range(3):
            asked.append(at)
            yield {"n": at, "x": 1}

    found = stream_steps(rows(), step)
    for at in range(3):
        next(found)
        assert asked == list(range(at + 1))


def test_steps_report_how_many_rows_they_dropped() -> None:
    rows = [{"n": 1}, {"n": ""}, {"n": 1}, {"n": None}, {"n": 2}]
    found = find_problems(rows, DropEmpty(("n",)), Deduplicate(), Limit(2))
    assert [(each.what, each.where.line, each.severity) for each in found] == [
        ("2 of 5 rows dropped", 7, Severity.INFO),
        ("1 of 3 rows dropped", 8, Severity.INFO),
        ("2 rows are used; the rows after are not read", 9, Severity.INFO),
    ]
    assert [each.rule for each in find_problems(rows, DropEmpty(("x",)))] == ["prepare.unknown-column"]
    assert find_problems([{"n": 1}], DropEmpty(), Limit(2)) == ()


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a|aa)+$", "(a?){32}a{32}b"])
def test_an_expression_of_a_filter_cannot_hold_up_a_run(pattern: str) -> None:
    """Python's engine needs hours for these."""
    assert run_steps([{"a": "a" * 5_000 + "!"}] * 20, Filter(column="a", matches=pattern)) == []


def test_an_expression_that_takes_too_long_ends_the_step_at_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_FREE_SECONDS", -1.0)
    problem = only(find_problems([{"a": "x"}, {"a": "y"}], Filter(column="a", matches="x")), "prepare.slow-expression")
    assert problem.where.line == 7
    assert "at this expression: x: rows.jsonl:1" in problem.what
    assert problem.hint


def test_a_step_that_leaves_no_row_is_named_with_cells_of_its_column() -> None:
    rows = [{"label": f"answer {at}"} for at in range(12)]
    found = find_problems(rows, Filter(column="label", is_in=("nope",)), LowerCase(("label",)))
    assert [(each.rule, each.where.line) for each in found] == [("prepare.none-left", 7)]
    assert found[0].what == "this step drops all 12 rows, and nothing is left"
    cells = ", ".join(f"`answer {at}`" for at in range(5))
    assert found[0].hint == f"change the step, or remove it; cells of `label` are {cells}"


def test_rows_without_a_partner_are_named_at_the_step_that_pairs() -> None:
    rows = [{"q": f"q{at}", "answer": "a", "label": "good"} for at in range(3)]
    step = PairLabels(column="label", answer="answer", desired=("good",))
    found = only(find_problems(rows, step), "prepare.none-left")
    assert "makes no pair of all 3 rows" in found.what


def test_a_dataset_whose_rows_a_step_drops_has_one_problem(tmp_path: Path) -> None:
    write(tmp_path, "rows.jsonl", jsonl(chats(12)))
    spec = replace(a_spec(), prepare=(a_step(Filter(column="messages", is_in=("nope",))),))
    assert rules(problems_of(spec, tmp_path)) == ["prepare.none-left"]
