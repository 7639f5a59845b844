"""Suggestions, word lists and YAML scalars."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.foundation.text import did_you_mean, list_words, nearest, slug, yaml_quoted, yaml_scalar


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("complation", "completion"),
        ("Prompt", "prompt"),
        ("batchSize", "batch_size"),
        ("batch size", "batch_size"),
        ("lr", "learning_rate_multiplier"),
        ("zebra", None),
        ("", None),
        ("prompt" * 50, None),
    ],
)
def test_the_nearest_word_is_found_by_spelling_or_as_a_synonym(word: str, found: str | None) -> None:
    known = ("prompt", "completion", "batch_size", "learning_rate_multiplier")
    assert nearest(word, known, {"lr": "learning_rate_multiplier"}) == found


def test_a_synonym_counts_only_when_its_word_is_known() -> None:
    assert nearest("lr", ("prompt",), {"lr": "learning_rate_multiplier"}) is None


def test_the_hint_is_a_question_or_nothing() -> None:
    assert did_you_mean("promt", ("prompt",)) == "did you mean `prompt`?"
    assert did_you_mean("zebra", ("prompt",)) == ""


def test_a_long_list_of_words_says_how_many_are_left_out() -> None:
    assert list_words(("a", "b")) == "`a`, `b`"
    assert list_words(("a", "b", "c"), most=2) == "`a`, `b` and 1 more"


@pytest.mark.parametrize(("text", "name"), [("My Project!", "my-project"), ("--", ""), ("a" * 99, "a" * 63)])
def test_a_slug_is_a_name_made_of_what_fits(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text())
def test_every_text_is_read_back_as_it_was_written(text: str) -> None:
    assert yaml.safe_load(yaml_scalar(text)) == text
    assert yaml.safe_load(yaml_quoted(text)) == text


@pytest.mark.parametrize("text", ["no", "NULL", "True", "1e3", "2026-11-30", "a: b", "", "~", "a #b"])
def test_what_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert yaml_scalar(text).startswith('"')


@pytest.mark.parametrize("text", ["ft:gpt-4.1-mini-2025-04-14:acme::AxK9", "ftjob-1", "data/tickets.jsonl"])
def test_an_ordinary_id_needs_no_quotes(text: str) -> None:
    assert yaml_scalar(text) == text


def test_half_of_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert yaml_quoted("a\ud800b") == '"a\ufffdb"'
