"""Statistics of datasets: exact quantiles, labels and system prompts, and stable samples."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.dataset.stats import compute_spread, find_row, gather_stats, read_file_rows, read_spec_rows, sample_rows
from reconciler.domain.desired import Part
from reconciler.domain.errors import InputError, UsageError
from reconciler.domain.spec import ColumnMapping, DatasetSpec
from reconciler.domain.stats import Label, RowShown

from .factories import a_chat, a_spec, chats, jsonl, rules, write
from .test_tokens import WORDS


@given(st.lists(st.integers(min_value=0, max_value=100_000), min_size=1))
def test_a_spread_has_the_quantiles_of_the_sorted_values(values: list[int]) -> None:
    found, each = compute_spread(Counter(values)), sorted(values)
    assert (found.least, found.most, found.total) == (each[0], each[-1], sum(each))
    assert found.median == each[-(-50 * len(each) // 100) - 1]
    assert found.p95 == each[-(-95 * len(each) // 100) - 1]
    assert sum(each.rows for each in found.bins) == len(values)
    assert len(found.bins) <= 11
    ends = [each.most for each in found.bins if each.most is not None]
    least = 0
    for end, held in zip(ends, found.bins, strict=False):
        assert held.rows == sum(least <= value <= end for value in values)
        least = end + 1


def test_no_values_have_no_spread() -> None:
    assert compute_spread(Counter()).bins == ()


def test_the_figures_of_a_conversation(tmp_path: Path) -> None:
    system = {"role": "system", "content": "be kind"}
    rows: list[object] = [{"messages": [system, *a_chat(f"q {at}", "long answer " * 9)["messages"]]} for at in range(8)]  # type: ignore[misc]
    rows += [a_chat("one two three", "x" * 99) for _ in range(2)]
    found = gather_stats(a_spec(write(tmp_path, "rows.jsonl", jsonl(rows))), tmp_path, vocabulary=WORDS)
    assert (found.rows, found.validation_rows, found.unread_rows, found.partial_rows) == (10, 0, 0, 0)
    assert found.roles == (("assistant", 10), ("user", 10), ("system", 8))
    assert found.turns
    assert (found.turns.least, found.turns.median, found.turns.most) == (2, 3, 3)
    # With a system prompt: 3 + (4 + 2) + (4 + 2) + (4 + 18); without one: 3 + (4 + 3) + (4 + 1).
    assert (found.tokens.least, found.tokens.most, found.tokens.total) == (15, 37, 8 * 37 + 2 * 15)
    assert found.training_tokens == found.least_tokens == found.most_tokens == found.tokens.total
    assert found.is_exact
    assert found.labels is None
    assert found.system
    assert (found.system.rows, found.system.kinds, found.system.most) == (8, 1, Label(text="be kind", rows=8))
    assert found.system.share == pytest.approx(8 * 7 / found.characters.total)
    assert found.characters.total == 8 * (7 + 3 + 108) + 2 * (13 + 99)


def test_an_estimate_is_marked_and_has_an_error_range(tmp_path: Path) -> None:
    found = gather_stats(a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(20)))), tmp_path)
    assert found.vocabulary is None
    assert not found.is_exact
    assert found.most_tokens
    assert found.least_tokens * 2 == pytest.approx(found.training_tokens, abs=1)
    assert found.most_tokens == found.training_tokens * 2


def test_rows_with_tools_have_no_upper_estimate(tmp_path: Path) -> None:
    rows = [*chats(20), {**a_chat(), "tools": [{"type": "function", "function": {"name": "look"}}]}]
    found = gather_stats(a_spec(write(tmp_path, "rows.jsonl", jsonl(rows))), tmp_path, vocabulary=WORDS)
    assert (found.partial_rows, found.most_tokens, found.is_exact) == (1, None, False)


def test_labels_are_counted_and_the_most_frequent_come_first(tmp_path: Path) -> None:
    rows = [{"prompt": f"p {at}", "completion": " no" if at % 4 else " yes"} for at in range(40)]
    found = gather_stats(a_spec(write(tmp_path, "rows.jsonl", jsonl(rows))), tmp_path)
    assert found.labels
    assert found.labels.most == (Label(text="no", rows=30), Label(text="yes", rows=10))
    assert (found.turns, found.roles, found.system) == (None, (), None)


@pytest.mark.parametrize(
    "answers",
    [
        [f"answer {at}" for at in range(30)],
        ["yes"] * 20 + ["y" * 61] * 20,
        [f"label {at % 101}" for at in range(404)],
    ],
    ids=["each once", "long", "too many"],
)
def test_long_answers_are_not_labels(tmp_path: Path, answers: list[str]) -> None:
    rows = [a_chat(f"q {at}", answer) for at, answer in enumerate(answers)]
    assert gather_stats(a_spec(write(tmp_path, "rows.jsonl", jsonl(rows))), tmp_path).labels is None


def test_sides_and_problems_are_counted_separately(tmp_path: Path) -> None:
    content = jsonl(chats(200)) + b"not json\n" + jsonl([{"messages": [{"role": "robot", "content": "x"}]}])
    found = gather_stats(a_spec(write(tmp_path, "rows.jsonl", content), share=0.5), tmp_path, vocabulary=WORDS)
    assert (found.rows, found.unread_rows) == (201, 1)
    assert 50 < found.validation_rows < 150
    assert found.training_tokens < found.tokens.total
    assert ("others", 1) in found.roles


def test_without_a_row_every_problem_is_reported(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", b"not json\n"):
        with pytest.raises(InputError):
            gather_stats(a_spec(write(tmp_path, "rows.jsonl", content)), tmp_path)
    with pytest.raises(InputError) as raised:
        gather_stats(a_spec("missing.jsonl"), tmp_path)
    assert rules(raised.value.problems) == ["source.missing"]


def test_figures_of_many_rows_need_no_more_memory_than_of_few(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        name = write(
            tmp_path, f"{rows}.jsonl", jsonl(a_chat(f"question {at} " * 50, "answer " * 50) for at in range(rows))
        )
        tracemalloc.start()
        gather_stats(a_spec(name), tmp_path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(3_000) < 1.5 * peak(1_500)


def test_a_row_is_shown_as_it_is_uploaded_or_as_it_is_written(tmp_path: Path) -> None:
    name = write(tmp_path, "rows.csv", "subject,label\nmy card,cards\nmy phone,phones\n")
    spec = a_spec(name, mapping=ColumnMapping(prompt="{subject}?", completion="{label}"))
    mapped, written = find_row(read_spec_rows(spec, tmp_path), 2), find_row(read_file_rows(spec, tmp_path), 2)
    assert json.loads(mapped.text) == {"prompt": "my phone?", "completion": "phones"}
    assert json.loads(written.text) == {"subject": "my phone", "label": "phones"}
    assert (mapped.number, mapped.file, mapped.line, mapped.part) == (2, "rows.csv", 3, Part.TRAINING)
    assert written.part is None


def test_a_missing_row_is_reported_with_the_number_of_the_last(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(3))))
    with pytest.raises(UsageError, match="--row 4: the last row is 3"):
        find_row(read_spec_rows(spec, tmp_path), 4)


@pytest.mark.parametrize("rows_of", [read_spec_rows, read_file_rows])
def test_a_file_without_a_readable_row_is_reported_with_the_reason(
    tmp_path: Path, rows_of: Callable[[DatasetSpec, Path], Iterator[RowShown]]
) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", b"not json\n"))
    with pytest.raises(InputError) as raised:
        find_row(rows_of(spec, tmp_path), 1)
    assert raised.value.problems[0].where.line == 1


def test_a_sample_depends_on_content_and_seed(tmp_path: Path) -> None:
    rows = chats(300)
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)))

    def texts(seed: int) -> list[str]:
        return [row.text for row in sample_rows(read_spec_rows(spec, tmp_path), 9, seed)]

    first = texts(1)
    assert len(set(first)) == 9
    assert first == texts(1)
    assert first != texts(2)
    write(tmp_path, "rows.jsonl", jsonl([a_chat("new", "row"), *reversed(rows)]))
    assert len(set(first) - set(texts(1))) <= 1


def test_a_sample_is_in_the_order_of_the_rows_and_no_larger_than_they_are(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(4))))
    assert [row.number for row in sample_rows(read_spec_rows(spec, tmp_path), 9, 1)] == [1, 2, 3, 4]


@given(st.lists(st.integers(0, 5000), min_size=1), st.lists(st.integers(0, 5000), min_size=1))
def test_two_versions_are_counted_in_the_same_bins(now: list[int], then: list[int]) -> None:
    """Values beyond the bins of the first version are in the last bin, which has no end."""
    after = compute_spread(Counter(now))
    before = compute_spread(Counter(then), after)
    ends = [each.most for each in after.bins if each.most is not None]
    assert [each.most for each in before.bins if each.most is not None] == ends
    assert sum(each.rows for each in before.bins) == len(then)
    beyond = sum(each.rows for each in before.bins if each.most is None)
    assert beyond == sum(value > ends[-1] for value in then)
    assert compute_spread(Counter(now), after) == after
